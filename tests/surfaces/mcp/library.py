"""A small catalog to try the surface on: notes that can be kept, and clocks that can be waited for."""

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from claude_code_mcp.kernel.caller import Caller, Invocation
from claude_code_mcp.kernel.errors import NotFound, Unavailable
from claude_code_mcp.kernel.operation import Catalog, Effect, Hints, Reply, Request, operation


class NoteMissing(NotFound):
    code: ClassVar[str] = "note_missing"


class ShelfFull(Unavailable):
    code: ClassVar[str] = "shelf_full"


@dataclass
class Desk:
    """What the operations work on."""

    notes: dict[str, str] = field(default_factory=dict)
    rung: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    started: int = 0
    finished: int = 0
    stopped: list[str] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)


@dataclass(frozen=True)
class Ctx:
    desk: Desk
    caller: Caller


class Color(StrEnum):
    """A color of paper."""

    RED = "red"
    BLUE = "blue"


class KeepNote(Request):
    title: str = Field(min_length=1, max_length=200)
    """How to find it again."""
    body: str = ""
    """What it says."""
    color: Color = Color.BLUE
    """Its paper."""
    tags: list[str] | None = None
    """Words to file it under."""


class NamedNote(Request):
    title: str
    """The note's title."""


class Nothing(Request):
    pass


class Note(Reply):
    title: str
    body: str
    color: Color | None = None

    def text(self) -> str:
        return f"{self.title}: {self.body}"


class Titles(Reply):
    titles: list[str]

    def text(self) -> str:
        return "\n".join(self.titles) or "No notes."


class Said(Reply):
    said: str

    def text(self) -> str:
        return self.said


class WaitFor(Request):
    steps: int = Field(default=0, ge=0)
    """How many times to tell of progress first."""


class Ask(Request):
    question: str = "Go on?"
    """What to ask."""
    times: int = 1
    """How often."""


class Work(Request):
    name: str
    """What the work is called."""
    ask: bool = False
    """Whether to ask in the middle."""


class Stream(Request):
    count: int = 1
    """How many messages."""
    stream: bool | None = None
    """Send claude.stream notifications; default: as the connection wishes."""


@operation("notes.keep", effect=Effect.WRITE, raises=(ShelfFull,), hints=Hints(core=True, search="write save remember"))
async def keep(ctx: Ctx, wish: KeepNote) -> Note:
    """Keep a note under a title.

    A note of the same title is replaced.
    """
    if wish.title == "full":
        raise ShelfFull("The shelf is full.", remedy="Drop a note first.")
    ctx.desk.notes[wish.title] = wish.body
    return Note(title=wish.title, body=wish.body, color=wish.color)


@operation("notes.list", effect=Effect.READ, hints=Hints(core=True, max_result_chars=100_000))
async def titles(ctx: Ctx, _wish: Nothing) -> Titles:
    """List the titles of all notes."""
    return Titles(titles=sorted(ctx.desk.notes))


@operation("notes.read", effect=Effect.READ, raises=(NoteMissing,), hints=Hints(structured=True))
async def read(ctx: Ctx, wish: NamedNote) -> Note:
    """Read one note."""
    if wish.title not in ctx.desk.notes:
        raise NoteMissing(f"There is no note {wish.title!r}.", remedy="notes_list shows what there is.")
    return Note(title=wish.title, body=ctx.desk.notes[wish.title])


@operation("notes.drop", effect=Effect.DESTROY, hints=Hints(idempotent=True))
async def drop(ctx: Ctx, wish: NamedNote) -> Said:
    """Throw a note away for good."""
    ctx.desk.notes.pop(wish.title, None)
    return Said(said=f"{wish.title} is gone.")


@operation("clocks.wait", effect=Effect.READ, hints=Hints(core=True))
async def wait(ctx: Ctx, wish: WaitFor) -> Said:
    """Wait until the clock rings."""
    for step in range(wish.steps):
        await ctx.caller.report(step, f"tick {step}")
    ctx.desk.waiting.set()
    await ctx.desk.rung.wait()
    return Said(said="rung")


@operation("clocks.ring", effect=Effect.WRITE)
async def ring(ctx: Ctx, _wish: Nothing) -> Said:
    """Let the clock ring."""
    ctx.desk.rung.set()
    return Said(said="ringing")


@operation("clocks.ask", effect=Effect.READ, hints=Hints(asks=True))
async def ask(ctx: Ctx, wish: Ask) -> Said:
    """Ask the person, and say what they answered."""
    ctx.desk.started += 1
    if ctx.caller.elicit is None:
        return Said(said="nobody to ask")
    schema = {"type": "object", "properties": {"choice": {"type": "string"}}, "required": ["choice"]}
    answers = [await ctx.caller.elicit(wish.question, schema) for _ in range(wish.times)]
    ctx.desk.finished += 1
    return Said(said=" ".join("nothing" if answer is None else str(answer["choice"]) for answer in answers))


@operation("clocks.work", effect=Effect.WRITE, hints=Hints(task=True, asks=True))
async def work(ctx: Ctx, wish: Work) -> Said:
    """Begin some work and wait for its end."""
    ctx.desk.started += 1
    rest = Invocation("clocks.rest", {"name": wish.name})
    await ctx.caller.left(rest, stop=Invocation("clocks.stop", {"name": wish.name}))
    return await _wait_for_work(ctx, wish)


@operation("clocks.rest", effect=Effect.READ, hints=Hints(task=True, asks=True))
async def rest(ctx: Ctx, wish: Work) -> Said:
    """Wait for the end of work that was begun."""
    return await _wait_for_work(ctx, wish)


@operation("clocks.stop", effect=Effect.WRITE)
async def stop(ctx: Ctx, wish: Work) -> Said:
    """Stop work."""
    ctx.desk.stopped.append(wish.name)
    return Said(said="stopped")


@operation("clocks.shielded", effect=Effect.WRITE)
async def shielded(ctx: Ctx, _wish: Nothing) -> Said:
    """Wait for something that goes on even when nobody waits for it."""

    async def finish() -> None:
        ctx.desk.waiting.set()
        await ctx.desk.rung.wait()
        ctx.desk.finished += 1

    await asyncio.shield(asyncio.ensure_future(finish()))
    return Said(said="finished")


@operation("clocks.stream", effect=Effect.READ)
async def stream(ctx: Ctx, wish: Stream) -> Said:
    """Send stream notifications where they are wished for."""
    if ctx.caller.notify is not None and (ctx.caller.stream if wish.stream is None else wish.stream):
        for number in range(wish.count):
            await ctx.caller.notify("claude.stream", {"session_id": "s", "message": {"number": number}})
    return Said(said="streamed")


@operation("faults.bug", effect=Effect.READ)
async def bug(_ctx: Ctx, _wish: Nothing) -> Said:
    """Fail for a reason that is nobody's business."""
    raise RuntimeError("the secret reason")


@operation("faults.surrogate", effect=Effect.READ)
async def surrogate(_ctx: Ctx, _wish: Nothing) -> Said:
    """Answer with half a character."""
    return Said(said="half \ud800 a character")


async def _wait_for_work(ctx: Ctx, wish: Work) -> Said:
    ctx.desk.callers.append(ctx.caller)
    await ctx.caller.report(1, f"working on {wish.name}")
    answer = None
    if wish.ask and ctx.caller.elicit is not None:
        schema = {"type": "object", "properties": {"choice": {"type": "string"}}, "required": ["choice"]}
        answer = await ctx.caller.elicit(f"Go on with {wish.name}?", schema)
    ctx.desk.waiting.set()
    await ctx.desk.rung.wait()
    ctx.desk.finished += 1
    return Said(said=f"{wish.name} done {answer['choice'] if answer else ''}".strip())


CATALOG = Catalog.of(
    [keep, titles, read, drop], [wait, ring, ask, work, rest, stop, shielded, stream], [bug, surrogate]
)


def context(desk: Desk) -> Any:
    """Return the context factory of a desk."""
    return lambda caller: Ctx(desk, caller)
