"""The real Claude Code in a terminal of its own, typed into as a person would."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Generator
from pathlib import Path

from tests.support.claude_cli import ClaudeCli

BOUND_S = 30.0
_ESCAPES = re.compile(rb"\x1b(?:\[[0-9;?<>=]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9]|[=>78])")


class Typed:
    """A Claude Code at whose terminal somebody sits."""

    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self.process = process
        self._said = b""

    @property
    def text(self) -> str:
        """All that it showed, without colours and moves of the cursor; spaces are lost where it moves the cursor."""
        return _ESCAPES.sub(b"", self._said).decode(errors="replace")

    def until(self, *shown: str) -> None:
        """Wait until it has shown one of these (blanks do not count)."""
        deadline = time.monotonic() + BOUND_S
        wanted = [one.replace(" ", "") for one in shown]
        while not any(one in self.text.replace(" ", "") for one in wanted):
            assert time.monotonic() < deadline, self.text[-3000:]
            ready, _, _ = select.select([self._master], [], [], 0.2)
            if ready:
                self._said += os.read(self._master, 65536)

    def say(self, prompt: str) -> None:
        """Type a prompt and send it."""
        self._said = b""
        os.write(self._master, prompt.encode())
        self.until(prompt[:30])
        os.write(self._master, b"\r")


@contextlib.contextmanager
def typed(claude: ClaudeCli, *args: str) -> Generator[Typed]:
    """Run Claude Code in a terminal; it knows the key, the theme and the folder already."""
    home = Path(claude.env["HOME"])
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [claude.env["ANTHROPIC_API_KEY"][-20:]], "rejected": []},
        "projects": {str(claude.cwd): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    (home / ".claude.json").write_text(json.dumps(known))
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
    process = subprocess.Popen(
        [str(claude.binary), *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**claude.env, "TERM": "xterm-256color"},
        cwd=claude.cwd,
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Typed(master, process)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(master)
