"""The keyboard: a terminal that gives single keys instead of lines, and the bytes of those keys as names."""

import codecs
import os
import signal
import termios
import tty
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

_NAMED = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x15": "clear", "\x04": "end"}
_ESC = "\x1b"


class KeyReader:
    """Turns the bytes of a terminal into keys: printable characters as they are, the others by name.

    Escape sequences (arrows, function keys, answers of the terminal) give nothing; a lone Escape gives `esc`.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")

    def feed(self, data: bytes) -> list[str]:
        """Return the keys in `data`, which is what one read gave."""
        text = self._decoder.decode(data)
        keys: list[str] = []
        place = 0
        while place < len(text):
            char = text[place]
            if char == _ESC:
                length = _sequence_length(text, place)
                keys += ["esc"] if length == 1 else []
                place += length
                continue
            if char in _NAMED:
                keys.append(_NAMED[char])
            elif char.isprintable():
                keys.append(char)
            place += 1
        return keys


def _sequence_length(text: str, start: int) -> int:
    """Return how many characters the escape sequence at `start` has (ECMA-48: CSI … final byte, SS3, ESC x)."""
    if start + 1 >= len(text):
        return 1
    if text[start + 1] == "O":
        return min(3, len(text) - start)
    if text[start + 1] != "[":
        return 2
    place = start + 2
    while place < len(text) and not "@" <= text[place] <= "~":
        place += 1
    return min(place + 1, len(text)) - start


class Keyboard:
    """A terminal in cbreak mode for the length of a `with` block; the mode before comes back in every case.

    Signals of keys (Ctrl-C, Ctrl-Z) work as ever. After a stop and a continue the mode is set again.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._reader = KeyReader()
        self._before: list[Any] = []
        self._old_cont: Any = None

    def __enter__(self) -> Self:
        self._before = termios.tcgetattr(self._fd)
        self._old_cont = signal.signal(signal.SIGCONT, self._continued)
        self._single_keys()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.signal(signal.SIGCONT, self._old_cont)
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def _single_keys(self) -> None:
        tty.setcbreak(self._fd, termios.TCSADRAIN)

    def _continued(self, _number: int, _frame: FrameType | None) -> None:
        self._single_keys()

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._fd

    def read(self) -> list[str]:
        """Return the keys that were pressed; `end` when the terminal is gone."""
        try:
            data = os.read(self._fd, 4096)
        except OSError:
            data = b""
        return self._reader.feed(data) if data else ["end"]

    def forget(self) -> None:
        """Drop what was typed before a question was asked: it cannot be meant as its answer."""
        termios.tcflush(self._fd, termios.TCIFLUSH)

    @contextmanager
    def lent(self) -> Generator[None]:
        """Give the terminal in its usual mode to somebody else (an editor) for the length of the block."""
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)
        try:
            yield
        finally:
            self._single_keys()
            self.forget()
