"""Sane answers to what Claude Code asks beside the conversation: titles, classifications, summaries."""

import json
from typing import Any

from claude_code_mcp.testing.conversation import Conversation
from claude_code_mcp.testing.script import Step

SUMMARY = """<analysis>
The conversation was scripted.
</analysis>

<summary>
Summary of the scripted conversation.
</summary>"""
_TITLE = "Scripted session"
_DEPTH = 8


def answer(conversation: Conversation) -> Step | None:
    """Return the reply to a request that is not part of the conversation itself, or None when it is."""
    schema = conversation.wanted_schema
    if schema is not None:
        return Step(text=json.dumps(instance(schema)))
    if conversation.wants_summary:
        return Step(text=SUMMARY)
    if conversation.is_side_question:
        return Step(text="A scripted answer to a side question.")
    return None


def instance(schema: object, depth: int = 0) -> Any:
    """Return a small value that fits the JSON `schema`, as far as type, enum, const, required and bounds go."""
    if not isinstance(schema, dict) or depth > _DEPTH:
        return None
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return instance(schema[key][0], depth + 1)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    return _of_type(str(kind or ("object" if "properties" in schema else "string")), schema, depth)


def _of_type(kind: str, schema: dict[str, Any], depth: int) -> Any:
    match kind:
        case "object":
            properties = schema.get("properties", {})
            wanted = schema.get("required", list(properties))
            return {name: instance(properties.get(name, {"type": "string"}), depth + 1) for name in wanted}
        case "array":
            return [instance(schema.get("items", {}), depth + 1) for _ in range(schema.get("minItems", 0))]
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "null":
            return None
        case _:
            return _TITLE.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
