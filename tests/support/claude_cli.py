"""The real Claude Code as tests call it directly: one shot, or line by line."""

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Line = dict[str, Any]
_PRINT = ("-p", "--output-format", "stream-json", "--verbose")


@dataclass(frozen=True)
class Finished:
    """One run of the CLI that has ended."""

    code: int
    lines: list[Line]
    stderr: str

    def of(self, kind: str, subtype: str | None = None) -> list[Line]:
        """Return the lines of that type (and subtype)."""
        return [line for line in self.lines if is_a(line, kind, subtype)]

    @property
    def results(self) -> list[Line]:
        return self.of("result")

    @property
    def result(self) -> Line:
        return self.results[-1]

    @property
    def text(self) -> str:
        """All that the assistant said in text blocks, joined."""
        return " ".join(block["text"] for block in blocks(self.lines, "text"))


def is_a(line: Line, kind: str, subtype: str | None = None) -> bool:
    return line.get("type") == kind and (subtype is None or line.get("subtype") == subtype)


def blocks(lines: list[Line], kind: str) -> list[Line]:
    """Return the content blocks of that type in assistant and user lines."""
    found: list[Line] = []
    for line in lines:
        content = line.get("message", {}).get("content") if line.get("type") in ("assistant", "user") else None
        if isinstance(content, list):
            found += [block for block in content if block.get("type") == kind]
    return found


class Talk:
    """A CLI process with stream-json both ways."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.lines: list[Line] = []
        self._rest = b""

    def send(self, line: Mapping[str, object]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def say(self, text: str, **more: object) -> None:
        self.send({"type": "user", "message": {"role": "user", "content": text}, **more})

    def control(self, request_id: str, **request: object) -> None:
        self.send({"type": "control_request", "request_id": request_id, "request": request})

    def answer(self, request_id: str, response: Mapping[str, object]) -> None:
        inner = {"subtype": "success", "request_id": request_id, "response": response}
        self.send({"type": "control_response", "response": inner})

    def until(self, wanted: Callable[[Line], bool], timeout_s: float = 20) -> Line:
        """Return the next line that is wanted; all lines are kept in `lines`."""
        deadline = time.monotonic() + timeout_s
        while (line := self._next(deadline)) is not None:
            self.lines.append(line)
            if wanted(line):
                return line
        raise AssertionError(f"the line did not come; last lines: {[str(one)[:300] for one in self.lines[-5:]]}")

    def until_a(self, kind: str, subtype: str | None = None, timeout_s: float = 20) -> Line:
        return self.until(lambda line: is_a(line, kind, subtype), timeout_s)

    def end(self, timeout_s: float = 20) -> int:
        """Close stdin, read what is left and return the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        deadline = time.monotonic() + timeout_s
        while (line := self._next(deadline)) is not None:
            self.lines.append(line)
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def _next(self, deadline: float) -> Line | None:
        assert self.process.stdout is not None
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            data = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            if not data:
                return None
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        value: Line = json.loads(line)
        return value


@dataclass(frozen=True)
class ClaudeCli:
    """How a test runs the real CLI: which binary, with which environment, in which directory."""

    binary: Path
    env: Mapping[str, str]
    cwd: Path

    def run(self, prompt: str, *args: str, env: Mapping[str, str] | None = None, timeout_s: float = 60) -> Finished:
        """Run one prompt to its end."""
        done = subprocess.run(
            [str(self.binary), *_PRINT, *args],
            input=prompt.encode(),
            capture_output=True,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
            timeout=timeout_s,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        return Finished(done.returncode, lines, done.stderr.decode())

    @contextmanager
    def talk(self, *args: str, env: Mapping[str, str] | None = None) -> Generator[Talk]:
        """Run a process that takes messages and control requests; it is ended on leaving."""
        more = ("--input-format", "stream-json", "--permission-prompt-tool", "stdio")
        process = subprocess.Popen(
            [str(self.binary), *_PRINT, *more, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**self.env, **(env or {})},
            cwd=self.cwd,
        )
        with process:
            try:
                yield Talk(process)
            finally:
                if process.poll() is None:
                    process.terminate()
