"""Asking a program something short: run it, wait a bounded time, read the little that it says, leave nothing behind."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_OUTPUT_BYTES = 64 * 1024


class Said(NamedTuple):
    """What a program said on stdout and stderr, and its exit code; None where it had to be ended."""

    code: int | None
    text: str


async def ask(argv: Sequence[str | os.PathLike[str]], env: Mapping[str, str], timeout_s: float) -> Said:
    """Run `argv` with exactly `env`, in the root directory and a group of its own, and return what it says.

    The process and its group are gone afterwards. At most a pipe full (64 KiB on Linux) is read: one that says more
    stands still and counts as one that does not end.

    Raises:
        OSError: it cannot be started.
    """
    # A pipe of our own instead of asyncio's: it is read once, when the process is gone, so a grandchild that keeps
    # it open holds nobody up.
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    text = ""
    try:
        code = await _exit_code(argv, env, writing, timeout_s)
        with contextlib.suppress(BlockingIOError):
            text = os.read(reading, _OUTPUT_BYTES).decode("utf-8", "replace")
    finally:
        os.close(reading)
    return Said(code, text)


async def _exit_code(
    argv: Sequence[str | os.PathLike[str]], env: Mapping[str, str], output: int, timeout_s: float
) -> int | None:
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(output)
    try:
        async with asyncio.timeout(timeout_s):
            return await process.wait()
    except TimeoutError:
        return None
    finally:
        # The group outlives its leader while a child of it holds on.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
