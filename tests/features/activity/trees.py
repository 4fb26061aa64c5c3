"""Trees made by hand, one of them out of everything that a page must not obey."""

from claude_code_mcp.features.activity.models import (
    ActivityNode,
    Lifecycle,
    Metrics,
    NodeStatus,
    NodeType,
    SessionActivity,
    Times,
    Tokens,
)

SESSION = "0197a4d0-0000-7000-8000-000000000001"
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</style></title></script><script>alert(2)</script>",
    '"><svg/onload=alert(3)>',
    "[a](javascript:alert(4))",
    "\x1b]0;owned\x07\x1b[2J",
    "a\u202egnp.exe",
    "{{7*7}}${7*7}<!--",
)


def node(name: str, kind: NodeType = NodeType.TOOL, **more: object) -> ActivityNode:
    """Return a node that took a second, whose id is its name."""
    given: dict[str, object] = {
        "id": name,
        "type": kind,
        "name": name,
        "status": NodeStatus.COMPLETED,
        "started_at": "2026-11-20T10:00:00.000000Z",
        "ended_at": "2026-11-20T10:00:01.000000Z",
        "duration_ms": 1000,
        **more,
    }
    return ActivityNode.model_validate(given)


def session(**more: object) -> SessionActivity:
    """Return a session's row."""
    given: dict[str, object] = {
        "id": SESSION,
        "status": Lifecycle.ACTIVE,
        "project_path": "/code/app",
        "root_task": "Implement user authentication",
        "model": "claude-opus-5-5",
        "start_time": "2026-11-20T10:00:00.000000Z",
        "last_event_at": "2026-11-20T10:00:09.000000Z",
        "metrics": Metrics(total_tools_used=3, total_mcp_calls=1),
        "times": Times(total_ms=9000),
        **more,
    }
    return SessionActivity.model_validate(given)


def work() -> ActivityNode:
    """Return a session with a turn: a tool, an MCP call in a subagent, and a failure that still runs nothing."""
    mcp = node("database_query", NodeType.MCP, mcp_server="db", tool_use_id="toolu_3")
    agent = node("security_review", NodeType.SUBAGENT, agent_id="a1", children=[mcp], tokens=_tokens())
    failed = node("Bash", status=NodeStatus.FAILED, error_message="exit 1", tool_use_id="toolu_2")
    turn = node("turn", NodeType.TASK, children=[node("Read", tool_use_id="toolu_1"), agent, failed])
    return node("root", NodeType.SESSION, children=[turn], status=NodeStatus.RUNNING, ended_at=None)


def hostile() -> ActivityNode:
    """Return a session in which every text is an attack."""
    calls = [
        node(text, id=str(number), input_summary=text, output_summary=text, error_message=text, waiting_for=text)
        for number, text in enumerate(HOSTILE)
    ]
    turn = node(HOSTILE[0], NodeType.TASK, description=HOSTILE[1], children=calls)
    return node(HOSTILE[1], NodeType.SESSION, children=[turn])


def _tokens() -> Tokens:
    return Tokens(input_tokens=10, output_tokens=20, cache_read_tokens=100, cache_write_tokens=1000)
