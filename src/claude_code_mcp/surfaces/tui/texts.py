"""What the panes say: the details of a node, the figures of a session, the keys. Pure; all of it made visible."""

from collections.abc import Iterator
from typing import Any

from claude_code_mcp.kernel.display import one_line, visible
from claude_code_mcp.surfaces.cli.node_lines import STYLES, Piece, duration
from claude_code_mcp.surfaces.cli.nodes import Node, Session, Times, Tokens
from claude_code_mcp.surfaces.cli.questions import input_lines
from claude_code_mcp.surfaces.cli.scene import count, dollars
from claude_code_mcp.surfaces.tui.feeds import NodeDetail

_BODY_LINES = 2000
_BODY_CHARS = 200_000
_LONGEST = 4000

KEYS = """\
↑ ↓ j k PgUp PgDn g G   move              Tab         sessions / tree
← → Space               close, open       + -         depth of all
c                       close what ended  e           whole error
Enter                   details of a node Esc         close them
1 2 3 4 5               all, running, failed, waiting, slow
/                       search            n N         next, previous
f                       follow the newest w           next that waits for you
a y                     answer what waits (its input is shown first)
x                       stop the session, or interrupt its turn (ours only)
t                       transcript, in $PAGER where one is set
P                       past sessions too ?           this help
q                       quit
"""


def detail_lines(node: Node, detail: NodeDetail | None, problem: str = "") -> list[Piece]:
    """Return all that is known about a node; `detail` is None while it is asked for, or where that failed."""
    lines = list(_facts(node))
    if node.error_message:
        lines += [Piece("error", "bold red"), *_body(node.error_message, "red")]
    if problem:
        lines.append(Piece(problem, "yellow"))
    if detail is None:
        return lines
    if detail.input is not None:
        lines += [Piece("input", "bold"), *_input(node.name, detail.input)]
    if detail.output:
        cut = "" if detail.whole else " (not all of it is there any more)"
        lines += [Piece(f"output{cut}", "bold"), *_body(detail.output)]
    return lines


def _facts(node: Node) -> Iterator[Piece]:
    yield Piece(f"{one_line(node.name, 200)}: {node.status.replace('_', ' ')}", STYLES.get(node.status, "bold"))
    for name, value in (
        ("what", node.description if node.description != node.name else ""),
        ("with", node.input_summary),
        ("gave", node.output_summary),
        ("waits for", node.waiting_for),
        ("MCP server", node.mcp_server),
        ("began", node.started_at or "not seen"),
        ("ended", node.ended_at or ""),
        ("closed by", node.closed_by.replace("_", " ")),
        ("took", _took(node)),
        ("time", _times(node.times)),
        ("tokens", _tokens(node.tokens)),
        ("cost", "" if node.cost_microusd is None else dollars(node.cost_microusd)),
        ("seen by", ", ".join(node.sources)),
    ):
        if value:
            yield Piece(f"{name}: {one_line(value, 1000)}", "")


def _took(node: Node) -> str:
    if node.duration_ms is None:
        return ""
    own = f", {duration(node.self_ms)} of its own" if node.self_ms is not None and node.children else ""
    notes = [", slow"] if node.slow else []
    notes += [", on the critical path"] if node.on_critical_path else []
    return f"{duration(node.duration_ms)}{own}{''.join(notes)}"


def _times(times: Times | None) -> str:
    if times is None:
        return ""
    parts = (("model", times.model_ms), ("tools", times.tools_ms), ("waiting for you", times.person_ms))
    return ", ".join(f"{duration(spent)} {name}" for name, spent in parts if spent)


def _tokens(tokens: Tokens | None) -> str:
    if tokens is None:
        return ""
    cached = tokens.cache_read_tokens + tokens.cache_write_tokens
    return f"{count(tokens.input_tokens)} in, {count(tokens.output_tokens)} out, {count(cached)} cached"


def _input(tool: str, asked: Any) -> Iterator[Piece]:
    lines = input_lines(tool, asked) if isinstance(asked, dict) else iter(visible(str(asked)).split("\n"))
    for number, line in enumerate(lines):
        if number == _BODY_LINES:
            yield Piece("…", "dim")
            return
        yield Piece(f"  {line[:_LONGEST]}", "green" if line.startswith("+ ") else "")


def _body(text: str, style: str = "") -> Iterator[Piece]:
    lines = visible(text[:_BODY_CHARS]).rstrip("\n").split("\n")
    for line in lines[:_BODY_LINES]:
        yield Piece(f"  {line[:_LONGEST]}", style)
    if len(lines) > _BODY_LINES:
        yield Piece(f"  … {len(lines) - _BODY_LINES} more lines", "dim")
    if len(text) > _BODY_CHARS:
        yield Piece(f"  … {len(text) - _BODY_CHARS} more characters: `claude-code-mcp activity show` has all", "dim")


def session_line(session: Session, running: str) -> str:
    """Return the figures of the session that is looked at."""
    figures = [_counted(session.metrics.total_tools_used, "tool")]
    if session.metrics.total_subagents:
        figures.append(_counted(session.metrics.total_subagents, "agent"))
    if session.metrics.error_count:
        figures.append(f"{session.metrics.error_count} failed")
    if session.metrics.denied_count:
        figures.append(f"{session.metrics.denied_count} denied")
    figures += [part for part in (_times(session.times),) if part]
    if session.memory_bytes is not None:
        figures.append(f"{session.memory_bytes // (1 << 20)} MiB")
    who = "" if session.ours else "not ours, "
    return f"{one_line(session.root_task or session.id, 60)}  ({who}{running}; {', '.join(figures)})"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def title_line(sessions: list[Session]) -> list[Piece]:
    """Return the figures of all sessions."""
    live = sum(1 for one in sessions if one.live)
    waiting = sum(1 for one in sessions if one.waiting_for)
    cost = sum(one.cost_microusd or 0 for one in sessions)
    pieces = [Piece(" claude-code-mcp watch ", "bold"), Piece(f" {live} live", "green" if live else "dim")]
    if waiting:
        pieces.append(Piece(f"  {waiting} wait{'s' if waiting == 1 else ''} for you", "bold yellow"))
    if len(sessions) > live:
        pieces.append(Piece(f"  {len(sessions) - live} past", "dim"))
    if cost:
        pieces.append(Piece(f"  {dollars(cost)}", "dim"))
    return pieces
