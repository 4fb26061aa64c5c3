"""Lines look like the document's, say what changed, and carry nothing that acts on a terminal."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from claude_code_mcp.features.activity.models import DisplayAction
from claude_code_mcp.features.activity.rules.lines import LineStyle, tree_lines, updates
from claude_code_mcp.features.activity.rules.phrases import PLAIN, duration
from claude_code_mcp.features.activity.rules.view import View
from claude_code_mcp.platform.claude import facts
from tests.features.activity.telling import Story


def texts(story: Story, style: LineStyle = LineStyle(), view: View = View()) -> list[str]:  # noqa: B008 - frozen
    return [line.text for line in tree_lines(story.root(view), style)]


def authentication() -> Story:
    """Tell the document's example."""
    story = Story().prompt(0, text="Implementing user authentication")
    story.tell(10, facts.ToolStarted(name="Read", input={"file_path": "src/auth.js"}), call="t1").end(255, "t1", "Read")
    story.begin(300, "t2", "edit_file").end(1500, "t2", "edit_file")
    query = facts.ToolStarted(
        name="mcp__db__database_query", mcp_server="db", mcp_tool="database_query", input={"text": "users table"}
    )
    story.tell(1600, query, call="t3").end(2490, "t3", "mcp__db__database_query")
    story.tell(2600, facts.ToolStarted(name="Agent", input={"subagent_type": "security_review"}), call="t4")
    story.tell(2610, facts.AgentLinked(agent_type="security_review"), call="t4", agent="x")
    story.tell(6000, facts.SubagentFinished(task_id="x", status="completed"), call="t4", agent="x")
    return story.tell(6000, facts.ToolFinished(name="Agent", output="fine"), call="t4")


def test_a_tree_reads_as_in_the_document() -> None:
    story = authentication().tell(8200, facts.TurnStopped(prompt_id="p1"))
    assert texts(story, view=View(slow_ms=1000)) == [
        "🔄 Task: Implementing user authentication",
        "  ├─ 📁 Reading src/auth.js (245ms) ✅",
        "  ├─ 🔧 Tool: edit_file (1.2s) ✅",
        "  ├─ 📡 MCP: database_query → users table (890ms) ✅",
        "  ├─ 🤖 Subagent: security_review (3.4s) ✅",
        "  └─ ✅ Task completed (8.2s total)",
        "⚠️  Slow operation detected: edit_file (1.2s > 500ms threshold)",
    ]


def test_a_tree_without_icons_is_plain_ascii() -> None:
    lines = texts(authentication(), PLAIN)
    assert lines[1] == "  |- Reading src/auth.js (245ms) [ok]"
    assert lines[5] == "  `- ...continuing"
    assert all(line.replace("→", ">").isascii() for line in lines)


def test_what_runs_waits_or_went_wrong_says_so() -> None:
    story = Story().prompt(0).begin(10, "t1", "edit_file").begin(11, "t2", "Bash", digest="a")
    story.tell(12, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="a"))
    story.begin(20, "t3").tell(30, facts.ToolFailed(name="Bash", output="File not found"), call="t3")
    story.begin(40, "t4").tell(50, facts.ToolDenied(name="Bash", reason="not allowed here"), call="t4")
    assert texts(story) == [
        "🔄 Task: Fix the test (waiting for permission for Bash)",
        "  ├─ 🔧 Tool: edit_file (running...) 🔄",
        "  ├─ 🔧 Tool: Bash (waiting for permission for Bash) ⏳",
        "  │   ├─ 🔐 Permission: Bash (waiting for permission for Bash) ⏳",
        "  ├─ 🔧 Tool: Bash (10ms) ❌ File not found",
        "  ├─ 🔧 Tool: Bash (10ms) ⛔ not allowed here",
        "  └─ ...continuing (waiting for permission for Bash)",
    ]


def test_what_is_inside_of_something_that_ended_is_drawn_to_its_end() -> None:
    story = Story().prompt(0).begin(10, "t1", "Agent").tell(11, facts.AgentLinked(), call="t1", agent="x")
    story.begin(20, "t2", "Read", agent="x").end(30, "t2", "Read", agent="x")
    assert texts(story)[2].startswith("  │   ├─ ")
    story.tell(40, facts.SubagentFinished(task_id="x", status="completed"), call="t1", agent="x").end(41, "t1", "Agent")
    assert texts(story)[2].startswith("  │   └─ ")


def test_what_is_left_out_is_counted() -> None:
    story = Story().prompt(0).begin(10, "t1").end(12, "t1").begin(20, "t2").end(23, "t2")
    assert texts(story, view=View(collapse_fast_ms=100))[1] == "  ├─ … 2 more"


def test_updates_append_what_is_new_and_update_what_is_known() -> None:
    story = Story().prompt(0).begin(10, "t1")
    mark = story.fold.mark
    story.end(20, "t1").begin(30, "t2").begin(40, "t3", agent="x")
    story.tell(41, facts.AgentLinked(), call="t2", agent="x")
    found = updates(story.fold, mark, story.now())
    assert [(line.line_id, line.action, line.depth) for line in found] == [
        ("t1", DisplayAction.UPDATE, 1),
        ("t2", DisplayAction.APPEND, 1),
        ("t3", DisplayAction.APPEND, 2),
    ]
    assert found[2].text.startswith("  │   ├─ ")
    mark = story.fold.mark
    story.tell(50, facts.TurnStopped(prompt_id="p1"))
    last = [line.line_id for line in updates(story.fold, mark, story.now())]
    assert (last[0], last[-1]) == ("turn-p1", "turn-p1/end")


def test_a_part_that_ended_replaces_what_was_in_it_where_that_is_not_shown() -> None:
    story = Story().prompt(0).begin(10, "t1")
    mark = story.fold.mark
    story.end(20, "t1").tell(30, facts.TurnStopped(prompt_id="p1"))
    (header, _) = updates(story.fold, mark, story.now(), View(max_depth=1))
    assert (header.line_id, header.action) == ("turn-p1", DisplayAction.REPLACE)


def test_a_slow_call_gives_a_warning_once_it_ended() -> None:
    story = Story().prompt(0).begin(10, "t1")
    mark = story.fold.mark
    story.end(910, "t1")
    lines = updates(story.fold, mark, story.now())
    assert [line.text for line in lines][-1] == "⚠️  Slow operation detected: Bash (900ms > 500ms threshold)"
    assert lines[-1].line_id == "t1/slow"


def test_durations_are_short() -> None:
    given_ = (0, 245, 999, 1200, 59_949, 60_000, 125_000, 3_720_000)
    assert [duration(ms) for ms in given_] == [
        "0ms", "245ms", "999ms", "1.2s", "59.9s", "1m 00s", "2m 05s", "1h 02m",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(words=st.text(max_size=300), tool=st.text(min_size=1, max_size=60))
def test_no_text_of_others_acts_on_a_terminal_or_breaks_a_line(words: str, tool: str) -> None:
    story = Story().prompt(0, text=words).tell(5, facts.SessionTitled(title=words))
    story.tell(10, facts.ToolStarted(name=tool, input={"command": words}, mcp_server=words, mcp_tool=tool), call="t1")
    story.tell(20, facts.ToolFailed(name=tool, output=words), call="t1")
    story.begin(21, "t2", "Bash").tell(30, facts.NoticeShown(text=words or "x"))
    for style in (LineStyle(), PLAIN):
        for line in texts(story, style):
            assert not any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in line), line
            assert not any("\u202a" <= char <= "\u202e" or "\u2066" <= char <= "\u2069" for char in line)


def test_secrets_do_not_reach_a_line() -> None:
    secret = "sk-ant-api03-" + "a1" * 20
    story = Story().prompt(0, text=f"use {secret}")
    story.tell(10, facts.ToolStarted(name="Bash", input={"command": f"curl -H {secret}"}), call="t1")
    story.tell(20, facts.ToolFailed(name="Bash", output=f"bad key {secret}"), call="t1")
    assert secret not in "\n".join(texts(story))
    assert "[redacted]" in texts(story)[0]
