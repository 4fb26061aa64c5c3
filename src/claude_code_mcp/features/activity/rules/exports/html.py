"""A session as one HTML file that loads nothing and runs nothing, however hostile the texts in it are."""

import hashlib
from base64 import b64encode
from collections.abc import Iterator

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType, SessionActivity
from claude_code_mcp.kernel.display import visible

ICONS = {
    NodeType.SESSION: "🗂️",
    NodeType.TASK: "🔄",
    NodeType.TOOL: "🔧",
    NodeType.MCP: "📡",
    NodeType.SUBAGENT: "🤖",
    NodeType.BACKGROUND: "⏳",
    NodeType.APPROVAL: "✋",
    NodeType.COMPACTION: "🗜️",
    NodeType.RETRY: "🔁",
    NodeType.NOTICE: "💬",
}
STYLE = """
:root { color-scheme: light dark; --fg: #1f2328; --bg: #fff; --dim: #59636e; --ok: #1a7f37; --bad: #d1242f;
  --warn: #9a6700; --run: #0969da; --rule: #d1d9e0; }
@media (prefers-color-scheme: dark) { :root { --fg: #e6edf3; --bg: #0d1117; --dim: #9198a1; --ok: #3fb950;
  --bad: #f85149; --warn: #d29922; --run: #4493f8; --rule: #3d444d; } }
body { font: 14px/1.5 ui-monospace, Menlo, Consolas, monospace; color: var(--fg); background: var(--bg);
  max-width: 72rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.2rem; margin: 0 0 .5rem; }
table { border-collapse: collapse; margin-bottom: 1.5rem; }
th, td { text-align: left; padding: .1rem 1.5rem .1rem 0; vertical-align: top; font-weight: normal; }
th { color: var(--dim); }
details, .leaf { margin-left: 1.2rem; border-left: 1px solid var(--rule); padding-left: .7rem; }
summary { cursor: pointer; }
.leaf { padding-left: 1.7rem; }
.more { color: var(--dim); margin: 0 0 .3rem 1.2rem; white-space: pre-wrap; }
.time, .kind { color: var(--dim); }
.completed { color: var(--ok); } .failed, .denied { color: var(--bad); }
.running { color: var(--run); } .waiting, .interrupted, .abandoned, .slow { color: var(--warn); }
"""
_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
# No source at all is allowed but this one style sheet, named by its hash: what slipped in could load or run nothing.
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"


def html(session: SessionActivity, root: ActivityNode) -> Iterator[str]:
    """Yield the document; what is inside a node is folded away, but for failures and what still runs."""
    title = _text(session.root_task or session.id)
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
    yield "<table>\n"
    for name, value in _facts(session):
        yield f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>\n"
    yield "</table>\n"
    for child in root.children:
        yield from _node(child)
    yield "</body>\n</html>\n"


def _node(node: ActivityNode) -> Iterator[str]:
    if not node.children:
        yield f'<div class="leaf">{_line(node)}</div>\n{_more(node)}'
        return
    opened = " open" if node.type is NodeType.TASK or _unwell(node) else ""
    yield f"<details{opened}><summary>{_line(node)}</summary>\n{_more(node)}"
    for child in node.children:
        yield from _node(child)
    yield "</details>\n"


def _unwell(node: ActivityNode) -> bool:
    return node.status is not NodeStatus.COMPLETED or any(_unwell(child) for child in node.children)


def _line(node: ActivityNode) -> str:
    time = "" if node.duration_ms is None else f' <span class="time">({_duration(node.duration_ms)})</span>'
    slow = ' <span class="slow">slow</span>' if node.slow else ""
    kind = f'<span class="kind">{ICONS[node.type]}</span>'
    status = f'<span class="{node.status.value}">{node.status.value}</span>'
    said = node.input_summary or node.description
    about = f" {_text(said)}" if said and said != node.name else ""
    return f"{kind} <b>{_text(node.name)}</b>{about}{time} {status}{slow}"


def _more(node: ActivityNode) -> str:
    rows = [
        ("", node.output_summary),
        ("error: ", node.error_message),
        ("waits for: ", node.waiting_for),
        ("end not seen, closed by: ", node.closed_by),
    ]
    return "".join(f'<div class="more">{label}{_text(value)}</div>\n' for label, value in rows if value)


def _facts(session: SessionActivity) -> Iterator[tuple[str, str]]:
    metrics, times = session.metrics, session.times
    yield "session", session.id
    yield "project", session.project_path
    yield "status", session.status.value
    yield "began", session.start_time or "not seen"
    if session.model:
        yield "model", session.model
    yield "tools", f"{metrics.total_tools_used}, of them MCP calls {metrics.total_mcp_calls}"
    yield "subagents", str(metrics.total_subagents)
    yield "errors", f"{metrics.error_count}, not allowed {metrics.denied_count}"
    yield (
        "time",
        (
            f"{_duration(times.total_ms)}: model {_duration(times.model_ms)}, tools {_duration(times.tools_ms)}, "
            f"waiting for a person {_duration(times.person_ms)}"
        ),
    )
    if session.cost_microusd is not None:
        yield "cost", f"${session.cost_microusd / 1_000_000:.4f}"


def _duration(duration_ms: int) -> str:
    if duration_ms < 1000:
        return f"{duration_ms}ms"
    minutes, seconds = divmod(duration_ms / 1000, 60)
    return f"{seconds:.1f}s" if not minutes else f"{int(minutes)}m {int(seconds)}s"


def _text(value: str) -> str:
    from html import escape  # noqa: PLC0415 - it brings the names of all characters, which only an export needs

    return escape(visible(value), quote=True)
