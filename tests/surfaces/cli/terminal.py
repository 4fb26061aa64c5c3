"""A terminal with the real program in it: what it shows is waited for, keys are pressed. No sleeps."""

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator, Mapping
from pathlib import Path

WAIT_S = 60.0
_ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")
_TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """The program's screen: `text` is all that it has shown, without colours and cursor movements."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master = master
        self.process = process
        self._raw = b""
        self._looked = 0

    @property
    def text(self) -> str:
        return _ANSI.sub(b"", self._raw).decode(errors="replace")

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the last program has closed the terminal
            return False
        self._raw += data
        return bool(data)

    def expect(self, wanted: str) -> None:
        """Wait until `wanted` is shown after what was last expected."""
        deadline = time.monotonic() + WAIT_S
        while wanted not in self.text[self._looked :]:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} was not shown; the screen says:\n{self.text}"
            if not self._read(left) and self.process.poll() is not None:
                assert wanted in self.text[self._looked :], f"ended without {wanted!r}:\n{self.text}"
        self._looked = self.text.index(wanted, self._looked) + len(wanted)

    def press(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def insist(self, keys: str, wanted: str) -> None:
        """Press the keys until `wanted` is shown: a program may pass over those that come too soon."""
        deadline = time.monotonic() + WAIT_S
        while wanted not in self.text[self._looked :]:
            assert time.monotonic() < deadline, f"{wanted!r} was not shown; the screen says:\n{self.text}"
            self.press(keys)
            again = time.monotonic() + 2
            while wanted not in self.text[self._looked :] and time.monotonic() < again:
                self._read(0.1)
        self.expect(wanted)

    def echoes(self) -> bool:
        """Tell whether the terminal is back in its usual mode."""
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def end(self) -> int:
        """Wait for the program's end and return its exit code."""
        deadline = time.monotonic() + WAIT_S
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.text}"
            self._read(0.05)
        while self._read(0):
            pass
        return self.process.returncode


OURS = (sys.executable, "-m", "claude_code_mcp")


@contextlib.contextmanager
def terminal(
    argv: list[str],
    env: Mapping[str, str],
    cwd: Path,
    size: tuple[int, int] = (40, 100),
    program: tuple[str, ...] = OURS,
) -> Generator[Terminal]:
    """Run the program, ours unless another is given, with `argv` in a terminal of its own."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-c", _TAKE_TERMINAL, *program, *argv],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={**env, "TERM": "xterm-256color", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]},
        cwd=cwd,
    )
    os.close(slave)
    try:
        yield Terminal(master, process)
    finally:
        process.kill()
        process.wait()
        os.close(master)
