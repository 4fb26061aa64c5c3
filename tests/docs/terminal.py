"""One shell for one page: variables and the directory stay from command to command, as a reader's do."""

import os
import secrets
import select
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

COMMAND_S = 90.0


class Terminal:
    """A shell without a terminal behind it: programs print plainly and cannot ask."""

    def __init__(self, env: Mapping[str, str], cwd: Path, folder: Path) -> None:
        self._folder = folder
        self._pipes: list[int] = []
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run a command and return what it printed, on both channels, and its exit code."""
        assert self._shell.stdin is not None
        mark = secrets.token_hex(8)
        self._shell.stdin.write(f'{{ {command}\n}} < /dev/null; printf "\\n%s %s\\n" {mark} $?\n'.encode())
        self._shell.stdin.flush()
        output = self._until(mark)
        said, _, code = output.rpartition(f"\n{mark} ")
        return said, int(code)

    def start(self, command: str, lines: int) -> str:
        """Start a command that ends in `&` and return the first lines that it prints; it is ended with the shell."""
        name = self._folder / secrets.token_hex(4)
        os.mkfifo(name, 0o600)
        fd = os.open(name, os.O_RDWR)  # open at both ends, so that neither side waits for the other
        self._pipes.append(fd)
        self.run(f"{command.removesuffix('&')} > {name} 2>&1 &")
        return _read(fd, lambda data: data.count(b"\n") >= lines)

    def close(self) -> None:
        """End the shell and what it started with `&`."""
        assert self._shell.stdin is not None
        self._shell.stdin.write(b"kill $(jobs -p) 2> /dev/null; wait\n")
        self._shell.stdin.close()
        self._shell.wait(10)
        for fd in self._pipes:
            os.close(fd)
        assert self._shell.stdout is not None
        self._shell.stdout.close()

    def _until(self, mark: str) -> str:
        assert self._shell.stdout is not None
        return _read(self._shell.stdout.fileno(), lambda data: mark.encode() in data and data.endswith(b"\n"))


def _read(fd: int, enough: Callable[[bytes], bool]) -> str:
    data = b""
    deadline = time.monotonic() + COMMAND_S
    while not enough(data):
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(fd, 65536) if ready else b""
        if not chunk:
            raise AssertionError(f"the command did not come so far: {data.decode(errors='replace')[-2000:]}")
        data += chunk
    return data.decode(errors="replace")
