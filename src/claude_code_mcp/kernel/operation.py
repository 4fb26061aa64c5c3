"""One capability, declared once. Surfaces read these declarations; nothing else describes an operation."""

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from inspect import getdoc, signature
from typing import Any, ClassVar, Protocol, TypeVar, get_type_hints

from pydantic import ConfigDict, PrivateAttr, ValidationError

from claude_code_mcp.kernel.described import Described
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Invalid

T = TypeVar("T")


class Effect(StrEnum):
    """What an operation does to the world."""

    READ = "read"
    WRITE = "write"
    DESTROY = "destroy"


class Surface(StrEnum):
    """A way in."""

    MCP = "mcp"
    CLI = "cli"
    HTTP = "http"


class Request(Described):
    """Base of all requests: unknown arguments are refused, every field carries its description."""

    model_config = ConfigDict(extra="forbid", str_max_length=16 * 1024 * 1024)


class Reply(Described):
    """Base of all replies: a program reads the fields, a person or a model reads `text()`."""

    @property
    def exit_code(self) -> int:
        """What a command line ends with: 0, or that what was asked about is not well though the answer is right."""
        return 0

    def as_json(self) -> str:
        """Return the fields as one JSON object, in ASCII."""
        return json.dumps(self.model_dump(mode="json"))

    def text(self) -> str:
        """Return the reply as compact text: ids and next steps included, no escape sequences."""
        return "\n".join(f"{name}: {value}" for name, value in self.model_dump(mode="json", exclude_none=True).items())


class Shared(Reply):
    """Base of replies that are made once for many callers and never changed after.

    What a surface makes of one is kept with it, so that a hundred followers cost one encoding.
    """

    _kept: dict[str, Any] = PrivateAttr(default_factory=dict)

    def part_text(self) -> str:
        """Return the text where this is one of many parts of an answer, and not its end."""
        return self.text()

    def as_json(self) -> str:
        """Return the fields as one JSON object, made three times as fast; nothing in it may be half a character."""
        return self.model_dump_json()

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` gives, made by the first who asks for `name`."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found


class Document(Reply):
    """Base of what leaves the program as a document that others keep: its schema is published, under a version.

    `schema_id` ends in the version, a number that grows when a field changes its meaning or goes; what is only added
    does not change it.
    """

    schema_id: ClassVar[str]


class Progress(Protocol):
    """Tells a waiting caller that work goes on: how far in seconds, and what is happening."""

    async def __call__(self, done_s: float, message: str) -> None:
        """Report one step."""
        ...


@dataclass(frozen=True, slots=True)
class Hints:
    """What a surface may not guess from the request.

    `cli` replaces the command's words (default: the name's two parts), `positional` names the fields that are given
    without a flag, `core` puts the tool into the default profile, `search` adds words to find it by, `idempotent`
    and `open_world` are MCP annotations where `effect` says too little. `structured` gives MCP clients the reply's
    fields as well as its text: only where the fields are the whole truth, since some clients show a model nothing
    else. `announced` is off where a tool's schema would cost more than that of its fields is worth. `asks`: it may
    put a question to the person (`Caller.elicit`). `task`: it may take long, so clients that know tasks get one.
    `max_result_chars`: how long its text may grow, where that is much. `shown` names the fields that a tool's
    schema describes, where there are too many for a model to read; the others are taken all the same, and named, or
    said to be those of the tool `like`. `profiles` gives the tool another name in a profile made for it: all
    operations that name one are that profile.
    """

    cli: tuple[str, ...] | None = None
    positional: tuple[str, ...] = ()
    core: bool = False
    search: str = ""
    idempotent: bool = False
    open_world: bool = False
    structured: bool = False
    announced: bool = True
    asks: bool = False
    task: bool = False
    max_result_chars: int = 0
    shown: tuple[str, ...] = ()
    like: str = ""
    profiles: Mapping[str, str] = field(default_factory=dict)
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that the world may ask of us."""

    name: str
    tool: str
    doc: str
    effect: Effect
    request: type[Request]
    reply: type[Reply]
    raises: tuple[type[ClaudeCodeMcpError], ...]
    surfaces: frozenset[Surface]
    hints: Hints
    run: Callable[[Any, Any], Awaitable[Reply]]

    @property
    def feature(self) -> str:
        """The first part of the name: the folder it comes from."""
        return self.name.split(".")[0]

    async def call(self, ctx: Any, raw: Mapping[str, Any]) -> Reply:
        """Validate `raw` and run.

        Raises:
            Invalid: an argument is missing, unknown or out of bounds; nothing was changed.
            ClaudeCodeMcpError: one of `raises`.
        """
        try:
            request = self.request.model_validate(spelled(raw, self.request))
        except ValidationError as exc:
            raise Invalid(_sentence(self, exc), remedy="", errors=_errors(exc)) from None
        return await self.run(ctx, request)


ALIASES: Mapping[str, str] = {
    "query": "prompt",
    "sessionId": "session_id",
    "workingDirectory": "project_path",
    "projectPath": "project_path",
    "cwd": "project_path",
    "thinkingLevel": "thinking_level",
    "allowedTools": "allowed_tools",
    "disallowedTools": "disallowed_tools",
    "subagent": "agent",
    "backgroundTask": "background",
    "continue_session": "continue_last",
    "continueSession": "continue_last",
    "checkpointId": "checkpoint_id",
    "compareWith": "compare_with",
    "systemPrompt": "system_prompt",
    "appendSystemPrompt": "append_system_prompt",
    "permissionMode": "permission_mode",
    "maxTurns": "max_turns",
    "taskId": "run_id",
    "timeout": "timeout_s",
    "wait": "wait_s",
}
"""Other spellings of the documents that this program grew from, accepted everywhere."""


def spelled(raw: Mapping[str, Any], request: type[Request]) -> dict[str, Any]:
    """Return `raw` with each known alias renamed to our spelling, where the request has that field."""
    fields = request.model_fields
    out: dict[str, Any] = {}
    for name, value in raw.items():
        target = ALIASES.get(name, name)
        known = name not in fields and target in fields and target not in raw
        out[target if known else name] = value
    return out


def operation(
    name: str,
    *,
    effect: Effect,
    tool: str | None = None,
    raises: tuple[type[ClaudeCodeMcpError], ...] = (),
    surfaces: Iterable[Surface] = tuple(Surface),
    hints: Hints | None = None,
) -> Callable[[Callable[[Any, Any], Awaitable[Reply]]], Operation]:
    """Declare an operation: `async def verb(ctx, request: Wish) -> SomeReply`; its docstring is the public text."""

    def wrap(fn: Callable[[Any, Any], Awaitable[Reply]]) -> Operation:
        _, request = signature(fn).parameters
        types = get_type_hints(fn)
        return Operation(
            name=name,
            tool=tool or name.replace(".", "_"),
            doc=getdoc(fn) or "",
            effect=effect,
            request=types[request],
            reply=types["return"],
            raises=raises,
            surfaces=frozenset(surfaces),
            hints=hints or Hints(),
            run=fn,
        )

    return wrap


class Catalog(dict[str, Operation]):
    """All operations by name, built from explicit tuples in `app`, never by import side effect."""

    @classmethod
    def of(cls, *groups: Iterable[Operation]) -> "Catalog":
        """Return the catalog of `groups`; two operations with one name or one tool are a bug."""
        catalog = cls()
        tools: set[str] = set()
        for op in (op for group in groups for op in group):
            if op.name in catalog or op.tool in tools:
                raise ValueError(f"two operations are named {op.name} / {op.tool}")
            tools.add(op.tool)
            catalog[op.name] = op
        return catalog

    def on(self, surface: Surface) -> list[Operation]:
        """Return the operations that `surface` shows, in the order of declaration."""
        return [op for op in self.values() if surface in op.surfaces]


def _errors(exc: ValidationError) -> list[dict[str, Any]]:
    return [
        {"field": ".".join(str(part) for part in error["loc"]), "problem": error["msg"]}
        for error in exc.errors(include_url=False, include_input=False, include_context=False)
    ]


def _sentence(op: Operation, exc: ValidationError) -> str:
    problems = "; ".join(f"{error['field'] or 'request'}: {error['problem']}" for error in _errors(exc)[:5])
    return f"{op.name} does not take these arguments: {problems}."
