"""Checkpoints that are taken by themselves, in the daemon's insides: what waits, what does not, what is said."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.app import App
from claude_code_mcp.features.checkpoints.models import Checkpoint, Strategy, TreeSettings
from claude_code_mcp.features.checkpoints.service import strategies
from claude_code_mcp.features.sessions.models import Message, MessageState, Origin, Session, SessionState
from claude_code_mcp.kernel.events import Event, Fact, Source
from claude_code_mcp.kernel.ids import MessageId, SessionId, uuid7
from claude_code_mcp.platform.claude.facts import PromptTaken, ToolFinished, ToolStarted, TurnStopped
from claude_code_mcp.platform.eventlog import log
from tests.features.captures.machine import Machine

pytestmark = pytest.mark.anyio
BOUND_S = 60.0
SESSION = SessionId("50149376-bd13-4c6e-9303-f3f5d55c6e40")


class Place:
    """A project of somebody else's session, and what a daemon keeps of it."""

    def __init__(self, machine: Machine, project: Path) -> None:
        self.machine = machine
        self.project = project

    @asynccontextmanager
    async def daemon(self, strategy: Strategy, **settings: float) -> AsyncGenerator[App]:
        async with self.machine.looking(activity_watch="off") as app:
            wished = TreeSettings(strategy=strategy, **settings)  # type: ignore[arg-type]  # interval_s alone
            await app.services.checkpoints.book.set(str(self.project), wished)
            yield app

    async def tell(self, app: App, *facts: Fact, ago_s: float = 0, call: str = "t1") -> None:
        """Have the log told by hooks of the session."""
        at = app.recorder.clock.now() - timedelta(seconds=ago_s)
        events = [
            Event(
                fact=fact, at=at, session_id=SESSION, subject=SESSION, source=Source.HOOK, source_key=uuid7(),
                tool_use_id=call if fact.kind.startswith("tool.") else None,
            )
            for fact in facts
        ]  # fmt: skip
        await app.database.write(lambda db: log.append(db, events))

    def taken(self, app: App) -> list[Checkpoint]:
        """Return the checkpoints, the oldest first."""
        return list(reversed(app.services.checkpoints.book.of_project(str(self.project))))

    async def until(self, app: App, wanted: Callable[[list[Checkpoint]], bool]) -> list[Checkpoint]:
        """Wait for the log to grow until the checkpoints are as wanted."""
        async with asyncio.timeout(BOUND_S):
            while not wanted(found := self.taken(app)):
                await app.followers.grown(app.followers.newest)
        return found

    def prompt(self) -> PromptTaken:
        return PromptTaken(prompt_id=uuid7(), text="go on", cwd=str(self.project))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.txt").write_text("a")
    return Place(Machine(tmp_path), project)


def _session(project: Path, state: SessionState = SessionState.IDLE) -> Session:
    new = SessionId(uuid7())
    return Session(
        id=new, conversation_id=new, project_path=str(project), origin=Origin.STARTED, state=state, priority=1,
        created_at="", updated_at="",
    )  # fmt: skip


def _message(session: Session, text: str = "do it") -> Message:
    return Message(
        id=MessageId(uuid7()), session_id=session.id, position=1, text=text, steering="next",
        state=MessageState.PENDING, created_at="",
    )  # fmt: skip


async def test_by_the_clock_a_project_is_taken_where_it_changed(place: Place) -> None:
    async with place.daemon(Strategy.INTERVAL, interval_s=0.05) as app:
        (one,) = await place.until(app, lambda found: len(found) >= 1)
        assert (one.trigger, one.files) == ("interval", 1)
        (place.project / "b.txt").write_text("b")
        found = await place.until(app, lambda found: len(found) >= 2)
        assert [one.files for one in found] == [1, 2]


async def test_a_prompt_waits_until_the_tree_before_it_was_read(place: Place) -> None:
    async with place.daemon(Strategy.PER_PROMPT) as app:
        session = _session(place.project)
        await app.services.branches.automatic.before(session, [_message(session)])
        (place.project / "a.txt").write_text("changed by the turn")
        (one,) = await place.until(app, lambda found: len(found) >= 1)
        assert (one.content_bytes, one.remarks, one.message) == (1, [], "Before: do it")


async def test_a_prompt_waits_no_longer_than_two_seconds_for_its_checkpoint(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with place.daemon(Strategy.PER_PROMPT) as app:
        session = _session(place.project)
        async with app.checkpoint_room.taking.trees.held(place.project):
            began = time.monotonic()
            async with asyncio.timeout(BOUND_S / 2):  # for ever, were it to wait: the tree is held by us
                await app.services.branches.automatic.before(session, [_message(session)])
            assert (strategies.HOLD_S, time.monotonic() - began > 1.9) == (2.0, True)
            monkeypatch.setattr(strategies, "HOLD_S", 3600.0)
            # A message that steers a running turn does not wait at all, nor does one where the strategy is smart.
            async with asyncio.timeout(BOUND_S / 2):
                busy = msgspec.structs.replace(_session(place.project), state=SessionState.RUNNING)
                await app.services.branches.automatic.before(busy, [_message(busy, "steer")])
                await app.services.checkpoints.book.set(str(place.project), TreeSettings(strategy=Strategy.SMART))
                await app.services.branches.automatic.before(_session(place.project), [_message(session)])
        await place.until(app, lambda found: len(found) >= 2)


async def test_a_message_that_is_handed_over_again_has_its_checkpoint_already(place: Place) -> None:
    session = _session(place.project)
    message = _message(session)
    for _ in range(2):
        async with place.daemon(Strategy.PER_PROMPT) as app:
            for _ in range(2):
                await app.services.branches.automatic.before(session, [message])
            assert len(await place.until(app, lambda found: len(found) >= 1)) == 1


async def test_a_checkpoint_that_came_late_says_so(place: Place) -> None:
    async with place.daemon(Strategy.PER_PROMPT) as app:
        async with app.checkpoint_room.taking.trees.held(place.project):
            await place.tell(app, place.prompt(), ago_s=60)
            await place.tell(app, ToolStarted(name="Read"), call="t0")
            await place.tell(app, ToolStarted(name="Write"))
        (one,) = await place.until(app, lambda found: len(found) >= 1)
        late, begun = one.remarks
        assert re.fullmatch(r"Taken [67]\d s after its moment\.", late)  # and as long as that took
        assert begun == "Write had begun before the tree was read."


async def test_moments_that_come_at_once_share_a_checkpoint(place: Place) -> None:
    async with place.daemon(Strategy.PER_TOOL_USE) as app:
        await place.tell(app, place.prompt())
        async with app.checkpoint_room.taking.trees.held(place.project):
            for number in range(20):
                await place.tell(app, ToolFinished(name="Bash"), call=f"t{number}")
        await place.tell(app, ToolFinished(name="Read"), call="looks only")
        await place.until(app, lambda found: len(found) >= 1)
        (place.project / "b.txt").write_text("b")
        await place.tell(app, ToolFinished(name="Edit"), call="last")
        # The last one may still be taken together with what was left of those before.
        found = await place.until(app, lambda found: len(found) >= 2)
        assert [one.files for one in found] == [1, 2]


async def test_what_happened_while_no_daemon_ran_is_seen_to_by_the_next(place: Place) -> None:
    async with place.daemon(Strategy.SMART) as app:
        await place.tell(app, place.prompt())
        await place.until(app, lambda found: len(found) == 1)
    (place.project / "b.txt").write_text("b")
    # The cursor stands where it stood: what the log was told since is read by the next daemon, once.
    async with place.machine.looking(activity_watch="off") as app:
        await place.tell(app, ToolFinished(name="Bash"), TurnStopped(prompt_id="p"))
        found = await place.until(app, lambda found: len(found) == 2)
        assert [one.message for one in found] == ["Before a turn", "After a turn"]
    async with place.machine.looking(activity_watch="off") as app:
        await place.tell(app, TurnStopped(prompt_id="p"))
        (place.project / "c.txt").write_text("c")
        await place.tell(app, TurnStopped(prompt_id="q"))
        found = await place.until(app, lambda found: len(found) == 3)
        assert [one.cause for one in found][1:] == ["after_turn:p", "after_turn:q"]


async def test_nothing_is_taken_of_other_folders_or_by_hand_alone(place: Place, tmp_path: Path) -> None:
    other = tmp_path / "project-other"
    other.mkdir()
    async with place.daemon(Strategy.MANUAL) as app:
        assert app.services.branches.automatic.projects() == []
        await app.services.checkpoints.book.set(str(place.project), TreeSettings(strategy=Strategy.SMART))
        await place.tell(app, PromptTaken(prompt_id="1", cwd=str(other)))
        inside = place.project / "deep" / "down"
        inside.mkdir(parents=True)
        await place.tell(app, PromptTaken(prompt_id="2", cwd=str(inside)))
        found = await place.until(app, lambda found: len(found) >= 1)
        assert [one.cause for one in found] == ["before_prompt:2"]
