import asyncio
import os
import signal
import time
from contextlib import aclosing

import anyio
import psutil
import pytest

from claude_code_mcp.platform.procs.errors import OutputGone
from claude_code_mcp.platform.procs.framing import Line
from claude_code_mcp.platform.procs.models import RunState, Stderr
from claude_code_mcp.platform.procs.output import PIECE_BYTES, Batch
from claude_code_mcp.platform.procs.run import Run
from claude_code_mcp.platform.procs.runs import Runs
from tests.platform.procs.children import BOUND_S, all_lines, python, shell, spec, until

pytestmark = pytest.mark.anyio

ECHO = "echo up; while read x; do echo $x; done"
FLOOD_BYTES = 100_000_000
FLOOD = f"import os\nfor _ in range({FLOOD_BYTES} // 800000): os.write(1, (b'y' * 79 + b'\\n') * 10000)\n"


class Follower:
    """Follows a run in a task, and keeps what came."""

    def __init__(self, run: Run, offset: int = 0) -> None:
        self.run = run
        self.offset = offset
        self.batches: list[Batch] = []
        self.times: list[float] = []

    async def __call__(self) -> None:
        async with aclosing(self.run.follow(self.offset)) as batches:
            async for batch in batches:
                self.times.append(time.perf_counter())
                self.batches.append(batch)

    async def has(self, count: int) -> None:
        """Wait until so many lines have come."""
        await until(lambda: len(self.lines) >= count)

    @property
    def lines(self) -> list[Line]:
        return [line for batch in self.batches for line in batch.lines]

    @property
    def data(self) -> list[bytes]:
        return [line.data for line in self.lines]


async def test_lines_come_as_they_are_written_and_the_end_after_the_last(both: Runs) -> None:
    run = await both.spawn(spec(*shell(ECHO)))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        for number in range(5):
            await follower.has(1 + number)
            await run.write_line(f"line {number}".encode())
        await follower.has(6)
        await run.stop(1)
    assert follower.data == [b"up", *(f"line {number}".encode() for number in range(5))]
    assert [batch.end for batch in follower.batches] == [line.end for line in follower.lines]


async def test_half_a_line_is_kept_back_until_it_is_whole_or_the_run_is_over(both: Runs) -> None:
    run = await both.spawn(spec(*shell("printf 'a\\nhal'; read x; printf 'f\\nto'; read x; printf rn; exit")))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await until(lambda: run.spool().stdout_bytes == 5 and len(follower.lines) == 1)
        await run.write_line(b"go")
        await follower.has(2)
        await run.write_line(b"go")
    assert follower.lines == [Line(0, 2, b"a"), Line(2, 7, b"half"), Line(7, 11, b"torn", torn=True)]


async def test_what_was_written_in_the_last_instant_is_not_missed(runs: Runs) -> None:
    for _ in range(25):
        run = await runs.spawn(spec(*shell("echo one; echo two; printf three")))
        assert [line.data for line in await all_lines(run)] == [b"one", b"two", b"three"]


async def test_a_program_that_closes_its_output_is_followed_to_its_end(both: Runs) -> None:
    run = await both.spawn(spec(*shell("echo one; exec >&- 2>&-; read x; exit 6")))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await follower.has(1)
        await run.write_line(b"go")
    assert follower.data == [b"one"]
    assert run.exit is not None
    assert run.exit.code == 6


async def test_a_follower_begins_at_any_line_and_two_see_the_same(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("for n in 1 2 3 4 5; do echo line $n; done")))
    lines = await all_lines(run)
    for line in lines:
        assert await all_lines(run, line.offset) == [other for other in lines if other.offset >= line.offset]
    assert await all_lines(run, lines[-1].end) == []


async def test_a_flood_is_followed_in_large_batches_and_with_every_byte(runs: Runs) -> None:
    run = await runs.spawn(spec(*python(FLOOD)))
    total = count = 0
    largest = 0
    async with aclosing(run.follow()) as batches:
        async for batch in batches:
            assert batch.lines[0].offset == total
            total = batch.end
            count += len(batch.lines)
            largest = max(largest, len(batch.lines))
    assert (total, count) == (FLOOD_BYTES, FLOOD_BYTES // 80)
    assert largest >= PIECE_BYTES // 80


async def test_bytes_can_be_followed_without_lines(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("printf 'a\\0\\377'; echo e >&2; sleep 0.05; printf b"), stderr=Stderr.STDOUT))
    async with aclosing(run.follow_bytes()) as pieces:
        found = [piece async for piece in pieces]
    assert b"".join(piece.data for piece in found) == b"a\0\xffe\nb"
    assert [piece.offset for piece in found] == [0, *(piece.end for piece in found[:-1])]


async def test_standard_error_is_followed_by_the_same_means(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("echo out; echo err >&2")))
    async with aclosing(run.follow(stream="stderr")) as batches:
        assert [line.data async for batch in batches for line in batch.lines] == [b"err"]


async def test_a_line_over_the_cap_is_told_by_its_size_and_the_next_one_comes(runs: Runs) -> None:
    run = await runs.spawn(spec(*python("print('x' * 3_000_000); print('{}')")))
    async with aclosing(run.follow(cap_bytes=1_000_000)) as batches:
        lines = [line async for batch in batches for line in batch.lines]
    assert lines[0].oversized is not None
    assert lines[0].oversized.size_bytes == 3_000_000
    assert lines[1] == Line(3_000_001, 3_000_004, b"{}")


async def test_a_truncated_file_is_told_and_read_from_its_new_beginning(both: Runs) -> None:
    run = await both.spawn(spec(*shell(ECHO)))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await run.write_line(b"a long line of the time before")
        await follower.has(2)
        os.truncate(run.files.path / "stdout", 0)
        await until(lambda: follower.batches[-1].restarted)
        await run.write_line(b"new")
        await follower.has(3)
        await run.stop(1)
    assert follower.lines[-1] == Line(0, 4, b"new")
    assert [batch.restarted for batch in follower.batches].count(True) == 1


async def test_an_offset_beyond_the_end_of_the_file_is_a_truncation_too(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell("echo new")))
    await run.wait_exit(BOUND_S)
    async with aclosing(run.follow(1000)) as found:
        batches = [batch async for batch in found]
    assert batches == [Batch((), 0, restarted=True), Batch((Line(0, 4, b"new"),), 4)]


async def test_a_file_that_was_renamed_or_deleted_is_followed_to_its_end(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell(ECHO)))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await follower.has(1)
        (run.files.path / "stdout").unlink()
        await run.write_line(b"into the file without a name")
        await follower.has(2)
        async with aclosing(run.follow(3)) as batches:
            async for batch in batches:
                assert batch.lines == (Line(3, 32, b"into the file without a name"),)
                break
        await run.stop(1)
    assert follower.data == [b"up", b"into the file without a name"]
    with pytest.raises(OutputGone):
        await all_lines(run)


async def test_a_full_disk_cuts_a_line_and_offsets_stay_true(runs: Runs) -> None:
    # what the CLI does: the line that does not fit is cut, later ones follow it without a newline between
    run = await runs.spawn(spec(*shell('printf \'{"a": 1}\\n{"b": tru\'; printf \'{"c": 3}\\n{"d": 4}\\n\'')))
    assert [(line.offset, line.data) for line in await all_lines(run)] == [
        (0, b'{"a": 1}'),
        (9, b'{"b": tru{"c": 3}'),
        (27, b'{"d": 4}'),
    ]


async def test_following_opens_the_file_once(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell(ECHO)))
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await follower.has(1)
        path = str(run.files.path / "stdout")
        before = [file.fd for file in psutil.Process().open_files() if file.path == path]
        for number in range(20):
            await run.write_line(b"more")
            await follower.has(number + 2)
        assert [file.fd for file in psutil.Process().open_files() if file.path == path] == before
        assert len(before) == 1
        await run.stop(1)


async def test_a_follower_that_is_cancelled_gives_its_descriptors_back(runs: Runs) -> None:
    run = await runs.spawn(spec(*shell(ECHO)))
    await all_of_it_once(run)
    before = psutil.Process().num_fds()
    for _ in range(20):
        await all_of_it_once(run)
    assert psutil.Process().num_fds() == before


async def all_of_it_once(run: Run) -> None:
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        await follower.has(1)
        tasks.cancel_scope.cancel()


async def test_a_line_of_a_run_that_was_quiet_wakes_its_follower_within_ten_milliseconds(runs: Runs) -> None:
    run = await runs.spawn(
        spec(*python("import sys, time\nfor l in sys.stdin: print(time.perf_counter(), flush=True)"))
    )
    follower = Follower(run)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(follower)
        for number in range(6):  # fewer than a burst; a steady stream is looked at on a beat
            await run.write_line(b"go")
            await follower.has(number + 1)
        await run.stop(1)
    late = sorted(
        came - float(line.data) for came, line in zip(follower.times, follower.lines, strict=True)
    )  # both clocks are CLOCK_MONOTONIC
    assert late[len(late) // 2] < 0.010


async def test_thirty_quiet_runs_cost_nothing_to_follow(runs: Runs) -> None:
    found = [await runs.spawn(spec(*shell(ECHO))) for _ in range(30)]
    followers = [Follower(run) for run in found]
    async with anyio.create_task_group() as tasks:
        for follower in followers:
            tasks.start_soon(follower)
        await until(lambda: all(follower.lines for follower in followers))
        before = time.process_time()
        await asyncio.sleep(0.5)  # measured: nothing happens
        assert time.process_time() - before < 0.05
        async with anyio.create_task_group() as stops:
            for run in found:
                stops.start_soon(run.stop, 1)


async def test_a_run_killed_from_outside_ends_its_followers(both: Runs) -> None:
    run = await both.spawn(spec(*shell("echo up; printf half; sleep 600")))
    follower = Follower(run)
    with anyio.fail_after(BOUND_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(follower)
            await until(lambda: run.spool().stdout_bytes == 7)
            assert run.members is not None
            os.kill(run.members.shim.pid, signal.SIGKILL)
    assert follower.lines == [Line(0, 3, b"up"), Line(3, 7, b"half", torn=True)]
    assert run.state() is RunState.LOST
    await run.stop(1)
