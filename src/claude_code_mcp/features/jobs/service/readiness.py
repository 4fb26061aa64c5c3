"""Whether a job is ready: a line in its output, a local port that listens, a local URL that answers."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from claude_code_mcp.features.jobs.models import Readiness
from claude_code_mcp.features.jobs.rules.commands import pattern
from claude_code_mcp.platform.procs.framing import Line
from claude_code_mcp.platform.procs.patterns import Pattern
from claude_code_mcp.platform.procs.run import Run, Stream

STREAMS: tuple[Stream, ...] = ("stdout", "stderr")
ASK_S = (0.02, 0.5)
ANSWER_S = 2.0
LINE_BYTES = 64 * 1024
SHOWN = 500
GOOD = 400


async def ready(run: Run, wish: Readiness) -> str:
    """Return when everything that was wished for has come; which, by name. Never returns for a run that ends before."""
    waits: dict[str, Awaitable[object]] = {}
    if wish.log:
        waits["log"] = first_line(run, pattern(wish.log))
    if wish.port:
        waits["port"] = listening(wish.port)
    if wish.http:
        waits["http"] = answering(wish.http)
    async with asyncio.TaskGroup() as group:
        for wait in waits.values():
            group.create_task(_done(wait))
    return ", ".join(waits)


async def _done(wait: Awaitable[object]) -> None:
    await wait


async def first_line(run: Run, wanted: Pattern) -> None:
    """Return when a line that fits has come on either stream; wait for ever where the run ends without one."""
    found = asyncio.Event()

    async def look(stream: Stream) -> None:
        async with aclosing(lines(run, stream)) as all_lines:
            async for line in all_lines:
                if wanted.search(line.data):
                    found.set()
                    return

    tasks = [asyncio.ensure_future(look(stream)) for stream in STREAMS]
    try:
        await found.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def lines(run: Run, stream: Stream, offset: int = 0) -> AsyncGenerator[Line]:
    """Yield the lines of an output from byte `offset` on, long ones cut to 64 KiB."""
    async with aclosing(run.follow(offset, stream=stream, cap_bytes=LINE_BYTES)) as batches:
        async for batch in batches:
            for line in batch.lines:
                yield line


async def listening(port: int) -> None:
    """Return when something on this machine accepts connections on `port`."""
    await _asked(lambda: _connects(port))


async def answering(url: str) -> None:
    """Return when the local `url` answers with a status below 400."""
    await _asked(lambda: _answers(url))


async def _asked(question: Callable[[], Awaitable[bool]]) -> None:
    pause = ASK_S[0]
    while not await question():
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, ASK_S[1])


async def _connects(port: int) -> bool:
    for host in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True
    return False


async def _answers(url: str) -> bool:
    import httpx2  # noqa: PLC0415 - half of the daemon's start, and few jobs are asked for a URL

    try:
        async with httpx2.AsyncClient(timeout=ANSWER_S, trust_env=False) as client, client.stream("GET", url) as answer:
            return answer.status_code < GOOD
    except (httpx2.HTTPError, httpx2.InvalidURL):
        return False
