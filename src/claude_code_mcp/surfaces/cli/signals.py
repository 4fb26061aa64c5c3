"""Ctrl-C as something to wait for, and an end that puts the terminal in order."""

import signal
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

_ENDING = (signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], None]


class Interrupts:
    """Counts SIGINT for the length of a `with` block; `fileno` becomes readable with each.

    SIGTERM and SIGHUP end the program through `SystemExit`, so that every `with` around it is left in order.
    """

    def __init__(self) -> None:
        self.count = 0
        self._old: dict[int, Any] = {}
        self._old_fd = -1
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)

    def __enter__(self) -> Self:
        self._old_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._old[signal.SIGINT] = signal.signal(signal.SIGINT, self._interrupted)
        for number in _ENDING:
            self._old[number] = signal.signal(number, _end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_fd)
        self._read.close()
        self._write.close()

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self.count += 1

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._read.fileno()

    def drain(self) -> None:
        """Take the wake-ups off the descriptor."""
        try:
            while self._read.recv(4096):
                continue
        except BlockingIOError:
            return


@contextmanager
def orderly_end() -> Generator[None]:
    """Let SIGTERM and SIGHUP end the block through `SystemExit`, so that what it holds is put in order."""
    with _handled(_ENDING, _end):
        yield


@contextmanager
def held_back() -> Generator[None]:
    """Let the block run to its end whatever signal comes; the first one takes effect after it.

    Handlers, not a mask: a process that is started in the block must not inherit blocked signals.
    """
    came: list[int] = []
    with _handled((signal.SIGINT, *_ENDING), lambda number, _: came.append(number)):
        yield
    if came:
        signal.raise_signal(came[0])


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: Handler) -> Generator[None]:
    old = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
