"""A catalog with a field of every kind, and what stands for its features."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType

from pydantic import BaseModel, Field, JsonValue

from claude_code_mcp.kernel.errors import Conflict, NotFound
from claude_code_mcp.kernel.operation import Catalog, Effect, Hints, Operation, Reply, Request, Surface, operation

ThingId = NewType("ThingId", str)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    name: str
    size: int = 1


class ThingNotFound(NotFound):
    code = "thing_not_found"


class ThingTaken(Conflict):
    code = "thing_taken"


class EveryKind(Request):
    """All kinds of fields."""

    thing_id: ThingId
    """The thing."""
    prompt: str | None = None
    """What to do."""
    project_path: str | None = None
    """Where."""
    flag: bool = False
    """Whether."""
    no_cache: bool = False
    """Whether not."""
    count: int = Field(default=3, ge=1, le=10)
    """How many."""
    ratio: float | None = None
    """How much."""
    wait_s: Annotated[float, Field(ge=0)] | None = None
    """How long."""
    colour: Colour = Colour.RED
    """Which colour."""
    scope: Literal["ours", "all"] = "ours"
    """How far."""
    rules: list[str] = Field(default_factory=list)
    """Rules."""
    colours: list[Colour] | None = None
    """Colours."""
    inners: list[Inner] = Field(default_factory=list)
    """Several documents."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Labels."""
    limits: dict[str, int] | None = None
    """Limits."""
    inner: Inner | None = None
    """A document."""
    free: dict[str, JsonValue] | None = None
    """Anything by name."""
    either: str | dict[str, Any] | None = None
    """Text or a document."""
    since: datetime | None = None
    """From when."""
    at: Path | None = None
    """A file."""
    add_dirs: list[Path] = Field(default_factory=list)
    """More folders."""


class Echo(Reply):
    got: dict[str, Any]
    """What arrived."""


@operation(
    "things.try_all",
    effect=Effect.WRITE,
    raises=(ThingTaken,),
    hints=Hints(positional=("thing_id", "prompt"), examples=("things try-all a --count 3", "things try-all a - < f")),
)
async def try_all(ctx: object, wish: EveryKind) -> Echo:
    """Try every kind of field.

    It says what arrived:
      - as it is
      - and nothing else
    """
    return Echo(got=wish.model_dump(mode="json", exclude_unset=True))


class ShowThing(Request):
    thing_id: ThingId
    """The thing."""


class Thing(Reply):
    thing_id: str
    """The thing."""
    outcome: dict[str, Any] | None = None
    """How it ended."""

    @property
    def exit_code(self) -> int:
        return 0 if self.outcome is None or self.outcome["ok"] else 10

    def text(self) -> str:
        return f"thing {self.thing_id} \x1b[31mred"


@operation("things.show", effect=Effect.READ, raises=(ThingNotFound,), hints=Hints(positional=("thing_id",)))
async def show_thing(ctx: object, wish: ShowThing) -> Thing:
    """Show a thing."""
    if wish.thing_id == "none":
        raise ThingNotFound("There is no thing 'none'.", remedy="Make one.", thing_id="none")
    if wish.thing_id == "bug":
        raise RuntimeError("oh")
    return Thing(thing_id=wish.thing_id, outcome={"ok": wish.thing_id != "wrong"})


class Nothing(Request):
    pass


@operation("things.poke", effect=Effect.WRITE, hints=Hints(cli=("poke",)))
async def poke(ctx: object, wish: Nothing) -> Echo:
    """Poke all things."""
    return Echo(got={})


@operation("hidden.verb", effect=Effect.READ, surfaces=(Surface.MCP,))
async def hidden(ctx: object, wish: Nothing) -> Echo:
    """Only for MCP."""
    return Echo(got={})


class StartIt(Request):
    prompt: str
    """What to do."""
    project_path: str | None = None
    """Where."""
    model: str | None = None
    """Which model."""
    background: bool = True
    """Not for the live view."""


class Handle(Reply):
    session_id: str
    """The session."""


class ResumeIt(Request):
    session_id: str
    """The session."""
    prompt: str | None = None
    """What next."""


@operation("sessions.start", effect=Effect.WRITE, hints=Hints(positional=("prompt",)))
async def start_it(ctx: object, wish: StartIt) -> Handle:
    """Start a session."""
    raise NotImplementedError


@operation("sessions.resume", effect=Effect.WRITE, hints=Hints(cli=("resume",), positional=("session_id",)))
async def resume_it(ctx: object, wish: ResumeIt) -> Handle:
    """Go on with a session."""
    raise NotImplementedError


OPERATIONS: tuple[Operation, ...] = (try_all, show_thing, poke, hidden, start_it, resume_it)


def fixture_catalog(*more: Operation) -> Catalog:
    return Catalog.of(OPERATIONS, more)


Given = Mapping[str, Any]
