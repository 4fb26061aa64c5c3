"""The end of a process that is no child of ours is told at once."""

import asyncio
import os
import subprocess
import sys

import pytest

from claude_code_mcp.platform.procs.exits import Exits
from claude_code_mcp.platform.procs.identity import Identity, boot_id, identity_of
from tests.platform.procs.children import BOUND_S

pytestmark = pytest.mark.anyio


async def _told(who: Identity, end: "subprocess.Popen[bytes] | None" = None) -> None:
    exits, gone = Exits(), asyncio.Event()
    exits.follow(who, gone.set)
    if end is not None:
        assert not gone.is_set()
        end.kill()
        end.wait()
    async with asyncio.timeout(BOUND_S):
        await gone.wait()
    exits.close()


async def test_the_end_of_a_process_is_told() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        who = identity_of(process.pid)
        assert who is not None
        await _told(who, process)


async def test_one_that_was_gone_before_is_told_as_well() -> None:
    await _told(Identity(os.getpid(), 1, boot_id()))


async def test_without_pidfds_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    monkeypatch.setattr("claude_code_mcp.platform.procs.exits.LOOK_S", 0.01)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        who = identity_of(process.pid)
        assert who is not None
        await _told(who, process)


async def test_who_is_forgotten_is_not_told() -> None:
    exits, gone = Exits(), asyncio.Event()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        who = identity_of(process.pid)
        assert who is not None
        exits.follow(who, gone.set)
        exits.forget(who)
        process.kill()
    await asyncio.sleep(0)
    assert not gone.is_set()
    exits.close()
