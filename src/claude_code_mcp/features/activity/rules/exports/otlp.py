"""A session as OTLP/JSON spans, in the words of OpenTelemetry's GenAI and MCP conventions; they nest as the tree does.

Names as of semantic conventions 1.41: `gen_ai.*` and `mcp.*`. What those have no word for is `claude_code_mcp.*`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from claude_code_mcp import __version__
from claude_code_mcp.features.activity.models import (
    ActivityNode,
    NodeStatus,
    NodeType,
    SessionActivity,
    Tokens,
)
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.ids import is_uuid

INTERNAL, CLIENT = 1, 3
"""Span kinds."""
OK, ERROR = 1, 2
"""Status codes."""
Value = str | int | bool
_FAILED = (NodeStatus.FAILED, NodeStatus.DENIED, NodeStatus.INTERRUPTED, NodeStatus.ABANDONED)


def otlp(session: SessionActivity, root: ActivityNode) -> Iterator[str]:
    """Yield one `ExportTraceServiceRequest` as JSON; the trace's id is the session's UUID.

    A node whose start was not seen becomes no span; what is in it hangs under the next one above. What still runs
    ends where its session was last heard of.
    """
    resource = {
        "service.name": "claude-code",
        "telemetry.sdk.name": "claude-code-mcp",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": __version__,
        "process.working_directory": session.project_path,
    }
    scope = {"name": "claude_code_mcp", "version": __version__}
    yield '{"resourceSpans":[{"resource":' + json.dumps({"attributes": _attributes(resource)})
    yield ',"scopeSpans":[{"scope":' + json.dumps(scope) + ',"spans":['
    comma = ""
    for span in _spans(session, root, ""):
        yield comma + json.dumps(span)
        comma = ","
    yield "]}]}]}\n"


def trace_id(session_id: str) -> str:
    """Return the 32 hexadecimal digits that name a session's trace."""
    if is_uuid(session_id):
        return session_id.replace("-", "")
    return hashlib.sha256(session_id.encode()).hexdigest()[:32]


def span_id(session_id: str, node_id: str) -> str:
    """Return the 16 hexadecimal digits that name a node's span."""
    return hashlib.sha256(f"{session_id}\n{node_id}".encode()).hexdigest()[:16]


def _spans(session: SessionActivity, node: ActivityNode, above: str) -> Iterator[dict[str, Any]]:
    here = above
    if node.started_at is not None:
        here = span_id(session.id, node.id)
        yield _span(session, node, here, above)
    for child in node.children:
        yield from _spans(session, child, here)


def _span(session: SessionActivity, node: ActivityNode, own: str, above: str) -> dict[str, Any]:
    name, attributes = _said(session, node)
    start = _nanoseconds(node.started_at or "")
    ended = node.ended_at or session.last_event_at
    span = {
        "traceId": trace_id(session.id),
        "spanId": own,
        "name": name,
        "kind": CLIENT if node.type is NodeType.MCP else INTERNAL,
        "startTimeUnixNano": str(start),
        "endTimeUnixNano": str(max(start, _nanoseconds(ended)) if ended else start),
        "attributes": _attributes({**attributes, **_common(session, node)}),
        "status": _status(node),
    }
    return {**span, "parentSpanId": above} if above else span


def _said(session: SessionActivity, node: ActivityNode) -> tuple[str, dict[str, Value | None]]:
    """Return a span's name and what is special to its kind."""
    match node.type:
        case NodeType.MCP:
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": node.name}
            call = {"mcp.method.name": "tools/call", "claude_code_mcp.mcp_server": node.mcp_server}
            return f"tools/call {node.name}", {**tool, **call, "gen_ai.tool.call.id": node.tool_use_id}
        case NodeType.TOOL:
            tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": node.name}
            more = {"gen_ai.tool.type": "function", "gen_ai.tool.call.id": node.tool_use_id}
            return f"execute_tool {node.name}", {**tool, **more}
        case NodeType.SUBAGENT:
            agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": node.name}
            return f"invoke_agent {node.name}", {**agent, "gen_ai.agent.id": node.agent_id, **_model(session)}
        case NodeType.SESSION | NodeType.TASK:
            agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "claude-code"}
            return "invoke_agent claude-code", {**agent, **_model(session), "claude_code_mcp.task": node.name}
        case _:
            return node.type.value, {"claude_code_mcp.name": node.name}


def _model(session: SessionActivity) -> dict[str, Value | None]:
    return {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": session.model}


def _common(session: SessionActivity, node: ActivityNode) -> dict[str, Value | None]:
    return {
        "gen_ai.conversation.id": session.id,
        **(_usage(node.tokens) if node.tokens is not None else {}),
        "error.type": node.status.value if node.status in _FAILED else None,
        "claude_code_mcp.node": node.id,
        "claude_code_mcp.status": node.status.value,
        "claude_code_mcp.input": node.input_summary,
        "claude_code_mcp.output": node.output_summary,
        "claude_code_mcp.closed_by": node.closed_by,
        "claude_code_mcp.cost_microusd": node.cost_microusd,
    }


def _usage(tokens: Tokens) -> dict[str, Value | None]:
    """Return tokens as the conventions count them: those of the cache are among the input."""
    return {
        "gen_ai.usage.input_tokens": tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens,
        "gen_ai.usage.output_tokens": tokens.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": tokens.cache_read_tokens,
        "gen_ai.usage.cache_creation.input_tokens": tokens.cache_write_tokens,
    }


def _status(node: ActivityNode) -> dict[str, Value]:
    if node.status in _FAILED:
        return {"code": ERROR, "message": node.error_message or node.status.value}
    return {"code": OK} if node.status is NodeStatus.COMPLETED else {}


def _attributes(values: Mapping[str, Value | None]) -> list[dict[str, Any]]:
    """Return attributes as OTLP/JSON has them; what is empty is left out."""
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value not in (None, "")]


def _value(value: Value | None) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    # 64-bit integers are strings in the JSON form of protocol buffers.
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}


def _nanoseconds(text: str) -> int:
    moment = parse(text)
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000
