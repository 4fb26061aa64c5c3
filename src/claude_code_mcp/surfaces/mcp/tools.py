"""One operation as one MCP tool: what a client is shown of it, and how it is run."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from claude_code_mcp.kernel.operation import Effect, Operation
from claude_code_mcp.surfaces.mcp.call import Call
from claude_code_mcp.surfaces.mcp.schema import compact_json, rest_signature, result_schema, shrunk_arguments

Result = dict[str, Any]
"""A tool's answer in wire form: `content`, and `structuredContent` or `isError` where they apply."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool as `tools/list` shows it (`wire`), and what it does; `words` are more to find it by.

    `asks`: it may put questions to the person. `task`: it may run as a task (SEP-2663); `task_only`: it cannot
    run otherwise; `task_at_once`: without the moment in which a quick answer (or a first question) still comes
    directly. `repeatable`: running it twice does no harm, so it can be begun again after a restart.
    """

    name: str
    wire: dict[str, Any]
    run: Callable[[Call], Awaitable[Result]]
    operation: str = ""
    words: str = ""
    asks: bool = False
    task: bool = False
    task_only: bool = False
    task_at_once: bool = False
    repeatable: bool = False

    @property
    def tokens(self) -> int:
        """What showing this tool costs a model, counted as bytes of compact JSON / 4."""
        return len(compact_json(self.wire).encode()) // 4

    @property
    def summary(self) -> str:
        """The first sentence of the description."""
        first = str(self.wire.get("description", "")).split("\n", 1)[0]
        return first.split(". ", 1)[0].rstrip(".")


def text_result(text: str) -> Result:
    """Return an answer of one text."""
    return {"content": [{"type": "text", "text": text}]}


def operation_tool(
    op: Operation, *, pinned: bool = False, hinted: bool = False, names: Mapping[str, str] | None = None
) -> Tool:
    """Return `op` as a tool.

    `pinned` asks clients that load tools late to load this one at once; `hinted` gives them words to find it by.
    `names` are other names that tools have in this profile: what a reply says to call next is called by them.
    """

    async def run(call: Call) -> Result:
        reply = await op.call(call.context(), call.arguments)
        result = text_result(_called(reply.text(), names or {}))
        if op.hints.structured:
            result["structuredContent"] = reply.model_dump(mode="json", exclude_none=True)
        return result

    return Tool(
        name=op.tool,
        wire=_wire(op, _meta(op, pinned=pinned, hinted=hinted)),
        run=run,
        operation=op.name,
        words=op.hints.search,
        asks=op.hints.asks,
        task=op.hints.task,
        repeatable=op.effect is Effect.READ or op.hints.idempotent,
    )


def _called(text: str, names: Mapping[str, str]) -> str:
    for usual, here in names.items():
        text = text.replace(f"{usual}(", f"{here}(")
    return text


def _wire(op: Operation, meta: dict[str, Any]) -> dict[str, Any]:
    document = op.request.model_json_schema()
    wire: dict[str, Any] = {
        "name": op.tool,
        "description": _description(op.doc) + _rest(op, document),
        "inputSchema": shrunk_arguments(document, op.hints.shown),
    }
    if op.hints.structured and op.hints.announced:
        wire["outputSchema"] = result_schema(op.reply)
    annotations = _annotations(op)
    if annotations:
        wire["annotations"] = annotations
    if meta:
        wire["_meta"] = meta
    return wire


def _rest(op: Operation, document: Mapping[str, Any]) -> str:
    """Return what is said of the fields that the schema leaves out."""
    if op.hints.like:
        return f"\nTakes all arguments of {op.hints.like} too."
    return f"\nMore arguments: {rest_signature(document, op.hints.shown)}." if op.hints.shown else ""


def _description(doc: str) -> str:
    """Return the docstring with its line breaks gone but its paragraphs kept."""
    paragraphs = cleandoc(doc).split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _annotations(op: Operation) -> dict[str, bool]:
    """Return what differs from the protocol's defaults (writes, destroys, not idempotent, open world)."""
    out: dict[str, bool] = {}
    if op.effect is Effect.READ:
        out["readOnlyHint"] = True
    elif op.effect is Effect.WRITE:
        out["destructiveHint"] = False
    if op.hints.idempotent and op.effect is not Effect.READ:
        out["idempotentHint"] = True
    if not op.hints.open_world:
        out["openWorldHint"] = False
    return out


def _meta(op: Operation, *, pinned: bool, hinted: bool) -> dict[str, Any]:
    """Return the keys that Claude Code reads from a tool's `_meta`."""
    out: dict[str, Any] = {}
    if pinned:
        out["anthropic/alwaysLoad"] = True
    if op.hints.search and hinted:
        out["anthropic/searchHint"] = op.hints.search
    if op.hints.max_result_chars:
        out["anthropic/maxResultSizeChars"] = op.hints.max_result_chars
    return out
