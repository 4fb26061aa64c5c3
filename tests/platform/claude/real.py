"""The real CLI as this package starts it: our own command line, our own lines on stdin, our own reader on stdout."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from claude_code_mcp.kernel.events import Event, Fact
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.launch import LaunchOptions, plan
from claude_code_mcp.platform.claude.requests import ControlItem
from tests.platform.claude.replay import play
from tests.support.claude_cli import ClaudeCli

T = TypeVar("T", bound=Fact)


@dataclass(frozen=True)
class Played:
    """A process that has ended: its exit code, what was read from it, and what it wrote on stderr."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def events(self) -> list[Event]:
        return [event for step in play(self.stdout) for event in step.reading.events]

    @property
    def items(self) -> list[ControlItem]:
        return [item for step in play(self.stdout) for item in step.reading.control]

    def facts(self, kind: type[T]) -> list[T]:
        return [event.fact for event in self.events if isinstance(event.fact, kind)]


def run(
    claude: ClaudeCli,
    directory: Path,
    options: LaunchOptions,
    *prompts: str,
    before: Sequence[bytes] = (),
    env: Mapping[str, str] | None = None,
) -> Played:
    """Start the CLI with `options`, give it the lines `before` and the prompts, and let it run to its end."""
    made = plan(options, directory)
    directory.mkdir(parents=True, exist_ok=True)
    for path, content in made.files.items():
        path.write_bytes(content)
    messages = [control.user_message(prompt, uuid7()) for prompt in prompts]
    done = subprocess.run(
        [str(claude.binary), *made.argv],
        input=b"".join([*before, *messages]),
        capture_output=True,
        env={**claude.env, **(env or {})},
        cwd=claude.cwd,
        timeout=60,
        check=False,
    )
    return Played(done.returncode, done.stdout, done.stderr.decode())
