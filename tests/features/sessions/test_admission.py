"""Places for processes: limits hold, priority counts, nobody is forgotten."""

import asyncio

import pytest

from claude_code_mcp.features.sessions.service.admission import Admission
from claude_code_mcp.kernel.ids import SessionId

pytestmark = pytest.mark.anyio
A, B, C, D = (SessionId(name) for name in "abcd")


def nothing() -> None:
    """Make no room."""


async def entering(admission: Admission, session: SessionId, priority: int = 1) -> asyncio.Task[None]:
    task = asyncio.ensure_future(admission.enter(session, priority))
    await asyncio.sleep(0)
    return task


async def test_only_so_many_start_at_once_and_the_next_follows_when_one_is_up() -> None:
    admission = Admission(10, 1, nothing)
    first, second = await entering(admission, A), await entering(admission, B)
    assert (first.done(), second.done(), admission.place(B)) == (True, False, 1)
    admission.started(A)
    await asyncio.wait_for(second, 60)
    assert admission.live == 2


async def test_priority_goes_first_then_who_came_first() -> None:
    admission = Admission(1, 1, nothing)
    await entering(admission, A)
    low, high, normal = (
        await entering(admission, B, 0),
        await entering(admission, C, 2),
        await entering(admission, D, 1),
    )
    assert [admission.place(session) for session in (C, D, B)] == [1, 2, 3]
    order: list[list[bool]] = []
    for _ in range(3):
        admission.left({0: A, 1: C, 2: D}[len(order)])
        await asyncio.sleep(0)
        order.append([task.done() for task in (high, normal, low)])
    assert order == [[True, False, False], [True, True, False], [True, True, True]]


async def test_a_full_house_asks_for_room_and_a_freed_place_is_taken() -> None:
    asked: list[int] = []
    admission = Admission(1, 4, lambda: asked.append(1))
    await entering(admission, A)
    admission.started(A)
    waiting = await entering(admission, B)
    assert (asked, waiting.done()) == ([1], False)
    admission.left(A)
    await asyncio.wait_for(waiting, 60)


async def test_nobody_is_admitted_while_it_is_closed() -> None:
    admission = Admission(4, 4, nothing)
    admission.close("the disk is nearly full")
    waiting = await entering(admission, A)
    assert (waiting.done(), admission.closed_for) == (False, "the disk is nearly full")
    admission.close(None)
    await asyncio.wait_for(waiting, 60)


async def test_who_gives_up_leaves_no_trace() -> None:
    admission = Admission(1, 1, nothing)
    await entering(admission, A)
    waiting = await entering(admission, B)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert admission.waiting == 0
    admission.left(A)
    assert admission.live == 0


async def test_a_changed_priority_changes_the_place() -> None:
    admission = Admission(1, 1, nothing)
    await entering(admission, A)
    tasks = [await entering(admission, B), await entering(admission, C)]
    admission.prefer(C, 2)
    assert (admission.place(C), admission.place(B)) == (1, 2)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
