"""`operations.md`: every operation, its request, its reply, its errors, and what it is called on each surface."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from claude_code_mcp.kernel.operation import ALIASES, Effect, Operation, Request, Surface
from claude_code_mcp.surfaces.cli.words import words_of
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import anchor, cell, code, fenced, link, page, table
from claude_code_mcp.surfaces.docs.shapes import Row, Shapes

SHARED_FIELDS = 6
"""A class of requests with at least so many fields of its own, used by several operations, is written once."""
_EFFECTS = {
    Effect.READ: "changes nothing",
    Effect.WRITE: "writes",
    Effect.DESTROY: "ends or takes away something",
}
_INTRO = """What the program can do. An operation is declared once; the MCP tool, the command, the [route over
HTTP](http.md) and this page come from that declaration. Arguments are JSON; those with a default may be left out. Every
command also takes `--json` and then prints the reply as one JSON object with the fields below; over MCP a model
gets the reply as text."""


def operations_page(declared: Declared) -> str:
    """Return the page."""
    operations = list(declared.catalog.values())
    parts: list[list[str]] = [_contents(operations), _aliases()]
    for feature, group in groupby(operations, lambda op: op.feature):
        parts.append(list(_feature(feature, list(group))))
    return page("Operations", _INTRO, *parts)


def _contents(operations: Sequence[Operation]) -> list[str]:
    rows = [(link(op.name), _tool(op), _command(op), cell(op.doc.split("\n\n")[0])) for op in operations]
    return table(("operation", "MCP tool", "command", "does"), rows)


def _aliases() -> list[str]:
    names = ", ".join(f"{code(alias)} for {code(name)}" for alias, name in sorted(ALIASES.items()))
    return [f"Other spellings are accepted wherever an operation has the field: {names}.", ""]


def _feature(feature: str, operations: Sequence[Operation]) -> Iterator[str]:
    yield from (f"## {_title(feature)}", "")
    shared = _shared(operations)
    for op in operations:
        yield from _operation(op, shared)
    for kind in shared:
        yield from (f"### {kind.__name__}", "", f"{_doc(kind)} Used by {_users(kind, operations)}.", "")
        yield from _request_table(own_rows(kind))
    yield from _objects(operations)


def _operation(op: Operation, shared: Sequence[type[Request]]) -> Iterator[str]:
    yield from (f"### {op.name}", "", op.doc, "")
    marks = [_EFFECTS[op.effect]]
    marks += ["may be repeated without harm"] if op.hints.idempotent and op.effect is not Effect.READ else []
    marks += ["may ask the person behind an MCP client"] if op.hints.asks else []
    marks += ["becomes a task for MCP clients that know tasks"] if op.hints.task else []
    yield f"- MCP tool: {_tool(op)}{' (in the default profile)' if op.hints.core else ''}"
    yield f"- Command: {_command(op)}"
    yield f"- Effect: {', '.join(marks)}"
    yield f"- Errors: {_errors(op)}"
    yield ""
    yield from _request(op.request, shared)
    yield f"Reply: {link(op.reply.__name__)}."
    yield ""
    if op.hints.examples:
        yield from fenced("\n".join(_example(line) for line in op.hints.examples), "sh")


def _request(request: type[Request], shared: Sequence[type[Request]]) -> Iterator[str]:
    whole = [kind for kind in shared if issubclass(request, kind)]
    rows = [row for kind in request.__mro__ if kind not in whole for row in own_rows(kind)]
    rows += [row for kind in whole for row in own_rows(kind) if row.required]
    rows.sort(key=lambda row: not row.required)
    if not rows and not whole:
        yield from ("It takes no arguments.", "")
    yield from _request_table(rows)
    if whole:
        links = " and ".join(link(kind.__name__) for kind in whole)
        yield from (f"{'And also the' if rows else 'The'} fields of {links}.", "")


def own_rows(kind: type) -> list[Row]:
    """Return the fields that a class of requests itself declares."""
    if not issubclass(kind, Request) or kind is Request:
        return []
    inherited = {name for base in kind.__mro__[1:] if issubclass(base, BaseModel) for name in base.model_fields}
    schema = kind.model_json_schema()
    rows = Shapes(schema.get("$defs", {})).rows(schema)
    return [row for row in rows if row.name.strip("`") not in inherited]


def _shared(operations: Sequence[Operation]) -> list[type[Request]]:
    found: list[type[Request]] = []
    for op in operations:
        for kind in op.request.__mro__:
            users = [other for other in operations if issubclass(other.request, kind)]
            if len(users) > 1 and kind not in found and len(own_rows(kind)) >= SHARED_FIELDS:
                found.append(kind)
    return found


def _users(kind: type[Request], operations: Sequence[Operation]) -> str:
    return ", ".join(link(op.name) for op in operations if issubclass(op.request, kind))


def _request_table(rows: Iterable[Row]) -> list[str]:
    cells = [
        (row.name, row.kind, "**required**" if row.required else row.default, row.bounds, row.about) for row in rows
    ]
    return table(("argument", "type", "default", "bounds", "meaning"), cells)


def _objects(operations: Sequence[Operation]) -> Iterator[str]:
    """Write each reply, and each object in a reply or a request, once."""
    done: set[str] = set()
    for op in operations:
        for name, found, shapes in (*_within(op.reply, itself=True), *_within(op.request, itself=False)):
            if name in done:
                continue
            done.add(name)
            yield from (f"### {name}", "", str(found.get("description", "")), "")
            rows = [(row.name, row.kind, row.about) for row in shapes.rows(found)]
            yield from table(("field", "type", "meaning"), rows)


def _within(kind: type[BaseModel], *, itself: bool) -> Iterator[tuple[str, dict[str, Any], Shapes]]:
    """Yield the objects that a request or a reply is made of, by name, and how to read them."""
    schema = kind.model_json_schema(mode="serialization" if itself else "validation")
    definitions = schema.pop("$defs", {})
    shapes = Shapes(definitions)
    if itself:
        yield kind.__name__, schema, shapes
    for name in shapes.objects(schema):
        yield name, definitions[name], shapes


def _errors(op: Operation) -> str:
    codes = ["invalid", *sorted({error.code for error in op.raises})]
    return ", ".join(f"[{code(name)}](errors.md#{anchor(name)})" for name in codes)


def _tool(op: Operation) -> str:
    return code(op.tool) if Surface.MCP in op.surfaces else "none"


def _command(op: Operation) -> str:
    return code(f"claude-code-mcp {' '.join(words_of(op))}") if Surface.CLI in op.surfaces else "none"


def _example(line: str) -> str:
    return line if line.startswith("claude-code-mcp") else f"claude-code-mcp {line}"


def _title(feature: str) -> str:
    return feature.replace("_", " ").capitalize()


def _doc(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split())
