"""`events.md`: every kind of event, what it means and what it carries."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude.facts import TRANSIENT
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import cell, link, page, table
from claude_code_mcp.surfaces.docs.shapes import Row, Shapes

_INTRO = """What happened, in the order in which it was recorded. An event is appended once and never edited. It has
a dense number `seq` (the cursor that `session_wait` and `session_events` take), an `id`, `at` (UTC), a `kind` with
its `version`, the `session_id`, a `subject` (what it is about), `parent`, `tool_use_id` and `agent_id` where it
belongs under another one, the `source` that it was seen by, and a `source_key` that names the bytes it was read
from: the log holds each key once, so that reading the same output twice adds nothing. The fields below are its
`payload`; what is empty is left out."""
_OURS = "recorded by claude-code-mcp"
_THEIRS = "read from Claude Code"


def events_page(declared: Declared) -> str:
    """Return the page."""
    parts = [_contents(declared.facts)]
    for topic, facts in groupby(declared.facts, lambda fact: fact.kind.partition(".")[0]):
        parts.append([f"## {topic.replace('_', ' ').capitalize()}", ""])
        parts += [list(_event(fact)) for fact in facts]
    parts.append(list(_objects(declared.facts)))
    return page("Events", _INTRO, *parts)


def _contents(facts: tuple[type[Fact], ...]) -> list[str]:
    rows = [(link(fact.kind), cell(meaning(fact).split("\n\n")[0].split(". ")[0].rstrip("."))) for fact in facts]
    return table(("kind", "says"), rows)


def _event(fact: type[Fact]) -> Iterator[str]:
    seen = _THEIRS if ".platform.claude." in f"{fact.__module__}." else _OURS
    kept = "; shown live, not kept" if fact.kind in TRANSIENT else ""
    yield from (f"### {fact.kind}", "", meaning(fact), "", f"Version {fact.version}; {seen}{kept}.", "")
    schema, shapes = _schema(fact)
    yield from _fields(shapes.rows(schema))


def _objects(facts: tuple[type[Fact], ...]) -> Iterator[str]:
    done: set[str] = set()
    yield from ("## Parts of events", "")
    for fact in facts:
        schema, shapes = _schema(fact)
        definitions = _definitions(fact)
        for name in shapes.objects(schema):
            if name not in done:
                done.add(name)
                found = definitions[name]
                yield from (f"### {name}", "", " ".join(str(found.get("description", "")).split()), "")
                yield from _fields(shapes.rows(found))


def _fields(rows: Sequence[Row]) -> list[str]:
    cells = [(row.name, row.kind, "never" if row.required else row.default or "empty") for row in rows]
    return table(("field", "type", "left out when"), cells)


def _definitions(fact: type[Fact]) -> dict[str, Any]:
    return dict(msgspec.json.schema_components([fact])[1])


def _schema(fact: type[Fact]) -> tuple[dict[str, Any], Shapes]:
    definitions = _definitions(fact)
    return definitions[fact.__name__], Shapes(definitions)


def meaning(fact: type[Fact]) -> str:
    """Return what a kind of event says about itself: its docstring, one paragraph a line."""
    paragraphs = (fact.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
