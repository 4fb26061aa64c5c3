import asyncio
import hashlib
import os
import signal

import anyio
import pytest

from claude_code_mcp.platform.procs.errors import StdinClosed, StdinStalled
from claude_code_mcp.platform.procs.models import RunState, Stdin
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import BOUND_S, all_lines, python, shell, spec, until

pytestmark = pytest.mark.anyio

DIGESTS = """
import hashlib, sys
for line in sys.stdin.buffer:
    print(len(line) - 1, hashlib.sha256(line[:-1]).hexdigest(), flush=True)
"""


def told(line: bytes) -> bytes:
    return f"{len(line)} {hashlib.sha256(line).hexdigest()}".encode()


async def output_of(run: Run, count: int) -> list[bytes]:
    path = run.files.path / "stdout"
    await until(lambda: path.read_bytes().count(b"\n") >= count)
    return path.read_bytes().split(b"\n")[:-1]


async def stopped(run: Run) -> int:
    """Stop the main process where it stands and return its pid."""
    assert run.members is not None
    pid = run.members.child.pid
    os.kill(pid, signal.SIGSTOP)
    return pid


@pytest.mark.parametrize("size", [0, 1, 4096, 4097, 65_535, 65_536, 1_048_576, 3_000_000])
async def test_a_line_of_any_size_arrives_whole(runs: Runs, size: int) -> None:
    run = await runs.spawn(spec(*python(DIGESTS)))
    line = os.urandom(size).replace(b"\n", b" ")
    await run.write_line(line)
    await run.write_line(b"{}")
    assert await output_of(run, 2) == [told(line), told(b"{}")]


async def test_lines_of_many_writers_at_once_are_never_mixed(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(DIGESTS)))
    lines = [bytes([65 + number]) * 150_000 for number in range(24)]
    async with anyio.create_task_group() as tasks:
        for line in lines:
            tasks.start_soon(run.write_line, line)
    assert await output_of(run, len(lines)) == [told(line) for line in lines]


async def test_a_line_may_bring_its_newline_along(runs: Runs) -> None:
    run = await runs.spawn(spec("cat"))
    for line in (b"one", b"two\n", b"\n", b"three"):
        await run.write_line(line)
    assert await output_of(run, 4) == [b"one", b"two", b"", b"three"]


async def test_a_newline_inside_a_line_is_a_bug_of_the_caller(runs: Runs) -> None:
    run = await runs.spawn(spec("cat"))
    with pytest.raises(ValueError, match="newline"):
        await run.write_line(b"a\nb")


async def test_there_is_no_end_of_file_when_the_writer_goes(runs: Runs) -> None:
    run = await runs.spawn(spec("cat"))
    await run.write_line(b"one")
    run.close_stdin()
    await run.write_line(b"two")
    assert await output_of(run, 2) == [b"one", b"two"]
    assert run.state() is RunState.RUNNING


async def test_a_pipe_run_gets_its_end_of_file_when_told(runs: Runs) -> None:
    run = await runs.spawn(spec("sort", stdin=Stdin.PIPE))
    for word in (b"b", b"c", b"a"):
        await run.write_line(word)
    run.close_stdin()
    assert [line.data for line in await all_lines(run)] == [b"a", b"b", b"c"]


async def test_a_run_without_standard_input_takes_no_line(runs: Runs) -> None:
    run = await runs.spawn(spec("sleep", "60", stdin=Stdin.NULL))
    with pytest.raises(StdinClosed):
        await run.write_line(b"x")


async def test_a_run_that_is_over_or_closed_its_input_takes_no_line(runs: Runs) -> None:
    over = await runs.spawn(spec("true"))
    await over.wait_exit(BOUND_S)
    with pytest.raises(StdinClosed):
        await over.write_line(b"x")
    deaf = await runs.spawn(spec(*shell("exec <&-; echo closed; sleep 60")))
    await until(lambda: deaf.spool().stdout_bytes > 0)
    with pytest.raises(StdinClosed):
        await deaf.write_line(b"x")


async def test_input_that_is_closed_under_the_writer_is_told(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("read x; exec <&-; echo closed; sleep 60")))
    await run.write_line(b"one")
    await until(lambda: run.spool().stdout_bytes > 0)
    for _ in range(2):
        with pytest.raises(StdinClosed):
            await run.write_line(b"two")


async def test_a_run_that_does_not_read_is_told_within_the_bound_and_gets_every_line_whole_later(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(DIGESTS)))
    await run.write_line(b"ready")
    await output_of(run, 1)
    pid = await stopped(run)
    big = b"B" * 3_000_000
    with pytest.raises(StdinStalled) as partly:
        await run.write_line(big, timeout_s=0.2)
    assert 0 < int(str(partly.value.details["taken"])) < len(big)
    with pytest.raises(StdinStalled) as nothing:
        await run.write_line(b"never sent", timeout_s=0.1)
    assert nothing.value.details["taken"] == 0
    os.kill(pid, signal.SIGCONT)
    await run.write_line(b"after")
    assert await output_of(run, 3) == [told(b"ready"), told(big), told(b"after")]


async def test_a_writer_that_is_cancelled_leaves_no_half_line(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(DIGESTS)))
    await run.write_line(b"ready")
    await output_of(run, 1)
    pid = await stopped(run)
    big = b"C" * 3_000_000
    task = asyncio.ensure_future(run.write_line(big))
    for _ in range(20):
        await asyncio.sleep(0.001)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.kill(pid, signal.SIGCONT)
    await run.write_line(b"after")
    assert await output_of(run, 3) == [told(b"ready"), told(big), told(b"after")]


async def test_a_fifo_whose_name_was_deleted_is_reached_through_the_process(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(DIGESTS)))
    (run.files.path / "stdin").unlink()
    await run.write_line(b"still here")
    assert await output_of(run, 1) == [told(b"still here")]
    assert run.members is not None
    os.kill(run.members.child.pid, signal.SIGKILL)
    await run.wait_exit(BOUND_S)
    run.close_stdin()
    with pytest.raises(StdinClosed):
        await run.write_line(b"x")
