"""The tree made flat, and lines of nodes: properties."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.surfaces.cli.node_lines import Look, Now, Piece, Signs, duration, signs_for
from claude_code_mcp.surfaces.cli.nodes import Node, Session, in_order, walk
from claude_code_mcp.surfaces.tui.lines import strip_of
from claude_code_mcp.surfaces.tui.rows import Filter, View, depth_of, flatten, newest, path_to

STATUSES = ("running", "waiting", "completed", "failed", "denied", "interrupted", "abandoned", "of a newer daemon")


@st.composite
def trees(draw: st.DrawFn) -> Node:
    root = Node("root", "session", "s", "running")
    nodes = [root]
    for number in range(draw(st.integers(0, 25))):
        node = Node(
            f"n{number}",
            draw(st.sampled_from(("task", "tool_call", "mcp_call", "subagent", "notice", "new_type"))),
            draw(st.text(max_size=20)),
            draw(st.sampled_from(STATUSES)),
            input_summary=draw(st.text(max_size=30)),
            error_message=draw(st.sampled_from(("", "", "one\ntwo", "\n \n"))),
            duration_ms=draw(st.none() | st.integers(0, 10**9)),
            slow=draw(st.booleans()),
        )
        draw(st.sampled_from(nodes)).children.append(node)
        nodes.append(node)
    return root


@given(trees())
def test_every_node_has_its_row_in_the_order_of_the_tree(root: Node) -> None:
    rows = [row for row in flatten(root, View()) if row.error is None]
    assert [row.node.id for row in rows] == [node.id for node in walk(root)]
    assert all(len(row.rails) == row.level for row in rows)
    assert max((row.level + 1 for row in rows), default=0) == depth_of(root)


@given(trees(), st.sampled_from(list(Filter)))
def test_a_filter_keeps_what_it_takes_with_all_above_and_nothing_else(root: Node, only: Filter) -> None:
    shown = {row.node.id for row in flatten(root, View(only=only))}
    wanted = {node.id for node in walk(root) if only.takes(node)}
    above = {one.id for node_id in wanted for one in path_to(root, node_id)}
    assert shown == above


@given(trees(), st.integers(1, 6), st.data())
def test_depth_and_folds_hide_exactly_what_is_below(root: Node, depth: int, data: st.DataObject) -> None:
    ids = [node.id for node in walk(root)]
    folded = set(data.draw(st.lists(st.sampled_from(ids), max_size=3))) if ids else set[str]()
    rows = [row for row in flatten(root, View(depth=depth, folded=folded)) if row.error is None]
    for row in rows:
        above = path_to(root, row.node.id)[:-1]
        assert row.level < depth
        assert not folded & {node.id for node in above}
    hidden = set(ids) - {row.node.id for row in rows}
    for node_id in hidden:
        path = path_to(root, node_id)
        assert len(path) > depth or folded & {node.id for node in path[:-1]}


@given(trees(), st.integers(1, 120), st.sampled_from(list(Signs)))
def test_each_line_fills_its_cells_exactly_and_nothing_in_it_acts(root: Node, width: int, signs: Signs) -> None:
    look = Look(signs)
    for row in flatten(root, View()):
        strip = strip_of(look.line(row.node, Now(1, 100)), width)
        assert strip.cell_length == width
        assert not any(char in strip.text for char in "\x1b\n\r\t\x07\u200d\u202e")
    assert newest(flatten(root, View())) >= 0


def test_the_line_is_as_the_document_writes_it() -> None:
    look = Look(Signs.EMOJI)
    edit = Node("1", "tool_call", "edit_file", "completed", duration_ms=1200)
    query = Node("2", "mcp_call", "query", "completed", mcp_server="db", input_summary="users table", duration_ms=890)
    task = Node("3", "task", "Implementing user authentication", "running")
    agent = Node("4", "subagent", "security_review", "failed", duration_ms=3400, slow=True)
    assert look.line(edit, Now()).text() == "🔧 edit_file (1.2s) ✅"
    assert look.line(query, Now()).text() == "📡 MCP: db/query → users table (890ms) ✅"
    assert look.line(task, Now()).text() == "🔄 Task: Implementing user authentication 🔄"
    assert look.line(agent, Now()).text() == "🤖 Subagent: security_review (3.4s) ⚠ ❌"
    assert Look(Signs.ASCII).line(agent, Now()).text() == "@ Subagent: security_review (3.4s) SLOW FAILED"
    read = Node("5", "tool_call", "Read", "completed", input_summary="file: /home/dev/app/src/auth.py, lines: 4-9")
    assert look.line(read, Now(), "/home/dev/app").text() == "📁 Read src/auth.py, lines: 4-9 ✅"
    assert Look(timings=False).line(edit, Now()).text() == "🔧 edit_file ✅"


@given(st.integers(0, 10**10))
def test_durations_are_short(milliseconds: int) -> None:
    assert len(duration(milliseconds)) <= 8


def test_a_tail_stays_where_a_head_is_cut() -> None:
    look = Look(Signs.SYMBOLS)
    long = Node("1", "tool_call", "Bash", "failed", input_summary="x" * 300, duration_ms=1000)
    assert strip_of(look.line(long, Now()), 30).text == "Bash xxxxxxxxxxxxxxx… (1.0s) ✗"
    assert strip_of(look.line(long, Now()), 5).text.strip()
    assert Piece("").text == ""


def test_who_waits_is_first_then_who_works_then_who_lives_then_the_newest() -> None:
    def one(name: str, **more: object) -> Session:
        return msgspec.convert({"id": name, "live": True, "start_time": f"2026-11-20T0{name}:00:00Z", **more}, Session)

    old = one("1", live=False, status="completed", last_event_at="2026-11-20T05:00:00Z")
    older = one("2", live=False, status="completed", last_event_at="2026-11-20T04:00:00Z")
    rests, works, waits = one("3", status="paused"), one("5"), one("6", status="paused", waiting_for="you")
    assert [each.id for each in in_order([older, rests, old, works, waits])] == ["6", "5", "3", "1", "2"]


def test_what_a_terminal_can_show_is_told_by_its_locale_and_name() -> None:
    utf8, xterm = {"LANG": "en_US.UTF-8"}, {"TERM": "xterm-256color"}
    assert signs_for({**utf8, **xterm}, "utf-8", emoji=True) is Signs.EMOJI
    assert signs_for(xterm, "utf-8", emoji=True) is Signs.EMOJI
    assert signs_for({**utf8, **xterm}, "utf-8", emoji=False) is Signs.SYMBOLS
    assert signs_for({**utf8, "TERM": "linux"}, "utf-8", emoji=True) is Signs.ASCII
    assert signs_for({"LC_ALL": "C", **xterm}, "utf-8", emoji=True) is Signs.ASCII
    assert signs_for({**utf8, **xterm}, "ascii", emoji=True) is Signs.ASCII
