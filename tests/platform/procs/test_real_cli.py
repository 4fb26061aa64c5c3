"""The real Claude Code under a shim: killed hosts, and stops that reach the shells of its tools."""

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest

from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.procs.models import RunSpec, RunState
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from claude_code_mcp.testing import ScriptedModel
from tests.platform.procs.children import BOUND_S, LONG_S, REPO, all_lines, gone, tagged, until
from tests.support.claude_cli import ClaudeCli

pytestmark = [pytest.mark.anyio, pytest.mark.e2e]

FLAGS = (
    *("-p", "--output-format", "stream-json", "--verbose", "--input-format", "stream-json"),
    *("--permission-prompt-tool", "stdio", "--replay-user-messages"),
)


def talking(claude: ClaudeCli) -> RunSpec:
    """Return how to start the CLI with lines both ways."""
    return RunSpec(
        run_id=uuid7(), argv=(str(claude.binary), *FLAGS), cwd=str(claude.cwd), env=claude.env, grace_s=LONG_S
    )


def said(text: str) -> bytes:
    return json.dumps({"type": "user", "message": {"role": "user", "content": text}, "uuid": uuid7()}).encode()


def control(request_id: str, subtype: str) -> bytes:
    request = {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype}}
    return json.dumps(request).encode()


def output(run: Run) -> list[dict[str, Any]]:
    """Return all whole lines so far; each of them is one JSON object."""
    data = (run.files.path / "stdout").read_bytes()
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]


def results(run: Run) -> list[str]:
    return [str(line.get("result")) for line in output(run) if line["type"] == "result"]


@contextmanager
def host(root: Path, wish: RunSpec, prompt: str) -> Generator[None]:
    """A process that starts the CLI, sends a prompt and follows; it is killed, not ended, when the block is left."""
    words = [str(root), json.dumps({"run_id": wish.run_id, "argv": wish.argv, "cwd": wish.cwd, "env": dict(wish.env)})]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.platform.procs.spawner", "talk", *words, said(prompt).decode()], cwd=REPO
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def test_a_turn_outlives_the_host_that_started_it_and_the_next_one_takes_over(
    root: Path, runs: Runs, claude: ClaudeCli, model: ScriptedModel
) -> None:
    wish = talking(claude)
    with host(root, wish, "go on [s:held-tool]"):
        await model.gate("held-tool").wait_reached(timeout_s=30)
    journal = Path(f"{root}.journal").read_text().splitlines()
    run = runs.attach(wish.run_id)
    assert run.state() is RunState.RUNNING
    model.gate("held-tool").release()
    await until(lambda: results(run) == ["Finished."])
    await run.write_line(control("again", "initialize"))
    await run.write_line(said("and now [s:hi]"))
    await until(lambda: len(results(run)) == 2)
    await run.write_line(control("end", "end_session"))
    with anyio.fail_after(BOUND_S):
        assert await run.wait_exit() is RunState.EXITED
    offset = int(journal[-1].split()[1]) if journal else 0
    rest = [line.data for line in await all_lines(run, offset)]
    whole = [line.data for line in await all_lines(run)]
    assert len(journal) + len(rest) == len(whole)
    assert whole[len(journal) :] == rest
    assert [json.loads(line)["type"] for line in whole].count("result") == 2
    assert run.exit is not None
    assert run.exit.code == 0
    assert run.stderr_tail() == b""


async def test_stopping_the_cli_ends_the_shell_that_its_tool_started(
    runs: Runs, claude: ClaudeCli, project: Path
) -> None:
    run = await runs.spawn(talking(claude))
    await run.write_line(said("wait [s:long-bash]"))
    await until(lambda: len(shells(run)) > 0)
    with anyio.fail_after(BOUND_S):
        ended = await run.stop()
    assert ended.exit is not None
    assert (ended.exit.code, ended.forced, ended.left) == (143, False, ())
    assert gone(run.run_id)


async def test_kill_9_of_the_shim_leaves_a_shell_that_a_later_stop_still_ends(runs: Runs, claude: ClaudeCli) -> None:
    run = await runs.spawn(talking(claude))
    await run.write_line(said("wait [s:long-bash]"))
    await until(lambda: len(shells(run)) > 0)
    assert run.members is not None
    psutil.Process(run.members.shim.pid).kill()
    assert await run.wait_exit(BOUND_S) is RunState.LOST
    ended = await run.stop(1)
    assert (ended.state, ended.left) == (RunState.LOST, ())
    assert gone(run.run_id)


def shells(run: Run) -> list[int]:
    """Return the processes of the run that lead a session of their own: the shells of its tools."""
    assert run.members is not None
    own = run.members.child.pid
    return [pid for pid in tagged(run.run_id) if pid != own and "[ -e go ]" in command_line(pid)]


def command_line(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""
