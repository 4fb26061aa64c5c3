"""The same Claude Code without us: read by a plain asyncio program, or with its output dropped.

Command line, environment and first lines are those that our daemon uses.
"""

import asyncio
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import Any
from uuid import uuid4

import msgspec

from bench.place import Place, claude_binary
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.environment import for_run
from claude_code_mcp.platform.claude.launch import LaunchOptions, plan

LINE_BYTES = 32 * 1024 * 1024
TURN_S = 240.0
_DECODE = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Read:
    """Seconds from the start of the process: to its first event, its first answer, its result; its lines; and the
    reader's own processor time after the first event, in seconds."""

    first_s: float
    answer_s: float
    result_s: float
    lines: int
    cpu_s: float


def command(here: Place) -> list[str]:
    """Return the command line of a new session."""
    made = plan(LaunchOptions(session_id=str(uuid4())), here.base / "launch")
    return [str(claude_binary()), *made.argv]


def introduction(prompt: str) -> bytes:
    """Return what is written to a new process first: `initialize`, and the message."""
    return control.initialize(str(uuid4())) + control.user_message(prompt, str(uuid4()), "next")


def bare(here: Place, prompt: str) -> "subprocess.Popen[bytes]":
    """Start a process whose output goes nowhere and whose input ends after the message."""
    process = subprocess.Popen(
        command(here), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=for_run(here.env), cwd=here.project
    )
    if process.stdin is not None:
        process.stdin.write(introduction(prompt))
        process.stdin.close()
    return process


def bare_wall_s(here: Place, prompt: str) -> float:
    """Return the seconds from the start of a bare process to its end."""
    began = perf_counter()
    code = bare(here, prompt).wait(TURN_S)
    if code:
        raise RuntimeError(f"the bare process ended with {code}")
    return perf_counter() - began


def read(here: Place, prompt: str) -> Read:
    """Run a process to its result and decode every line of it."""
    return asyncio.run(asyncio.wait_for(_read(here, prompt), TURN_S))


async def _read(here: Place, prompt: str) -> Read:
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command(here),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=for_run(here.env),
        cwd=here.project,
        limit=LINE_BYTES,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process has no pipes")
    process.stdin.write(introduction(prompt))
    at: dict[str, float] = {}
    count, used_s = 0, 0.0
    async for line in process.stdout:
        count += 1
        if "first" not in at:
            used_s = process_time()
        _note(_DECODE(line), lambda name: at.setdefault(name, perf_counter() - began))
        if "result" in at:
            break
    used_s = process_time() - used_s
    process.stdin.close()
    await process.stdout.read()
    await process.wait()
    return Read(at["first"], at["answer"], at["result"], count, used_s)


def _note(line: Any, at: Callable[[str], float]) -> None:
    kind = line.get("type")
    if kind == "control_response":
        return  # the answer to `initialize`: nothing has happened yet
    at("first")
    if kind == "assistant":
        at("answer")
    elif kind == "result":
        at("result")
