"""Activity of real Claude Codes through a real daemon: ours and others', after kill -9, as documents, as resources."""

import contextlib
import json
from pathlib import Path
from typing import Any

import anyio
import mcp_types
import pytest

from claude_code_mcp.features.activity.models.documents import SessionDocument
from claude_code_mcp.platform.ipc.connect import open_channel
from tests.e2e.test_mcp_through_relay import client, text
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import CallFailed, Terminal, command_line

pytestmark = pytest.mark.e2e
Json = dict[str, Any]


def tree(terminal: Terminal, session_id: str | None = None, **wish: Any) -> Json:
    """Return the root of a session's tree."""
    found: Json = terminal.call("activity.tree", session_id=session_id, **wish)["activity_tree"]["root_task"]
    return found


def kinds(node: Json) -> list[str]:
    """Return type, name and status of each node below, in order."""
    own = [f"{child['type']} {child['name']} {child['status']}" for child in node["children"]]
    return own + [line for child in node["children"] for line in kinds(child)]


def every(node: Json) -> list[Json]:
    """Return all nodes below a node."""
    return [one for child in node["children"] for one in (child, *every(child))]


def steady(node: Json) -> Json:
    """Return a tree without what the clock alone changes."""
    gone = {"duration_ms", "self_ms", "times", "on_critical_path"}
    kept = {name: value for name, value in node.items() if name not in gone}
    return {**kept, "children": [steady(child) for child in node["children"]]}


def done(terminal: Terminal, scenario: str, **wish: Any) -> str:
    """Have a session of ours carry out a scenario; return its id."""
    handle = terminal.call("sessions.start", prompt=f"[s:{scenario}]", allowed_tools=["Bash"], **wish)
    terminal.finish(handle["session_id"], handle["cursor"])
    return str(handle["session_id"])


def test_a_session_of_ours_is_a_tree_with_its_tools_and_counts(terminal: Terminal) -> None:
    session_id = done(terminal, "parallel")
    reply = terminal.call("activity.tree", session_id=session_id)
    found = kinds(reply["activity_tree"]["root_task"])
    assert [line for line in found if line.startswith("tool_call Bash")] == ["tool_call Bash completed"] * 2
    session = reply["session"]
    assert (session["ours"], session["metrics"]["total_tools_used"], session["metrics"]["error_count"]) == (True, 2, 0)
    assert session["status"] in {"paused", "completed"}
    assert "├─ 🔧 Running echo A" in reply["_text"]


def test_a_daemon_that_was_killed_shows_the_same_tree_again(terminal: Terminal) -> None:
    session_id = done(terminal, "parallel")
    terminal.call("activity.configure", session_id=session_id, threshold_slow_ms=1234)
    before = tree(terminal, session_id)
    cursor = terminal.call("activity.stream", session_id=session_id)["cursor"]
    terminal.kill_daemon()
    assert steady(tree(terminal, session_id)) == steady(before)
    again = terminal.call("activity.stream", session_id=session_id, cursor=cursor)
    assert again["updates"] == [] or again["cursor"] > cursor
    assert terminal.call("activity.configure", session_id=session_id)["settings"]["threshold_slow_ms"] == 1234


def test_a_follower_sees_a_call_begin_and_end_while_it_happens(terminal: Terminal, project: Path) -> None:
    handle = terminal.call("sessions.start", prompt="[s:long-bash]", allowed_tools=["Bash"])
    session_id = handle["session_id"]
    terminal.until_event(session_id, "tool.started")
    seen: list[tuple[str, str]] = []
    cursor, opened = 0, False
    while not any(kind == "tool_post_call" for kind, _ in seen):
        reply = terminal.call("activity.stream", session_id=session_id, cursor=cursor, wait_s=20)
        assert reply["cursor"] >= cursor
        cursor = reply["cursor"]
        for record in reply["updates"]:
            update = record["activity_update"]
            seen.append((update["raw_event"]["event_type"], update["display_action"]))
        if not opened and any(kind == "tool_pre_call" for kind, _ in seen):
            (project / "go").touch()
            opened = True
    assert ("tool_pre_call", "append") in seen
    assert ("tool_post_call", "update") in seen
    terminal.finish(session_id)


def test_a_connection_that_follows_is_sent_parts_until_its_time_is_over(terminal: Terminal) -> None:
    session_id = done(terminal, "parallel")
    channel = open_channel(terminal.state_dir, "rpc", terminal.env, own_env=terminal.env, start=False)
    with contextlib.closing(channel.sock), channel.sock.makefile("rwb") as lines:
        args = {"session_id": session_id, "follow": True, "wait_s": 0.2}
        lines.write(json.dumps({"id": 7, "op": "activity.stream", "args": args}).encode() + b"\n")
        lines.flush()
        said = [json.loads(lines.readline())]
        while "reply" not in said[-1]:
            said.append(json.loads(lines.readline()))
    assert {one["id"] for one in said} == {7}
    parts = [one["part"] for one in said if "part" in one]
    assert any("echo A" in update["activity_update"]["formatted_line"] for part in parts for update in part["updates"])
    assert said[-1]["reply"]["updates"] == []
    assert said[-1]["reply"]["cursor"] >= parts[-1]["cursor"]


def test_the_command_line_follows_and_prints_each_change_as_it_comes(
    terminal: Terminal, daemon_env: dict[str, str], project: Path
) -> None:
    session_id = done(terminal, "parallel")
    words = ("activity", "stream", session_id, "--follow", "--wait-s", "0.2")
    shown = command_line(*words, env=daemon_env, cwd=project)
    assert shown.stdout.splitlines()[0].startswith("🔄 Task: ")
    assert shown.stdout.splitlines()[-1].startswith("cursor ")
    told = [
        json.loads(line) for line in command_line(*words, "--json", env=daemon_env, cwd=project).stdout.splitlines()
    ]
    update = told[0]["updates"][0]["activity_update"]
    assert set(update) == {"formatted_line", "raw_event", "display_action", "line_id"}
    assert told[-1]["updates"] == []


def test_the_session_that_works_here_is_the_one_that_is_meant(terminal: Terminal, project: Path) -> None:
    with pytest.raises(CallFailed) as caught:
        tree(terminal)
    assert caught.value.code == "activity_not_found"
    handle = terminal.call("sessions.start", prompt="[s:long-bash]", allowed_tools=["Bash"])
    terminal.until_event(handle["session_id"], "tool.started")
    assert terminal.call("activity.tree")["session"]["id"] == handle["session_id"]
    assert terminal.call("activity.tree", session_id=handle["session_id"][:13])["session"]["live"]
    (project / "go").touch()
    terminal.finish(handle["session_id"])


def test_a_claude_code_that_somebody_else_ran_is_seen_without_any_set_up(terminal: Terminal, claude: ClaudeCli) -> None:
    terminal.call("daemon.status")
    session_id = "0197a4d0-7777-4000-8000-000000000001"
    claude.run("[s:parallel]", "--session-id", session_id, "--allowedTools", "Bash")
    cursor = None
    while True:
        rows = terminal.call("activity.sessions", scope="recent", cursor=cursor, wait_s=20)
        cursor = rows["cursor"]
        if any(row["metrics"]["total_tools_used"] == 2 and not row["live"] for row in rows["items"]):
            break
    assert [(row["id"], row["ours"]) for row in rows["items"]] == [(session_id, False)]
    assert [line for line in kinds(tree(terminal, session_id)) if "Bash" in line] == ["tool_call Bash completed"] * 2


def test_every_format_is_exported_by_the_command_line_and_a_file_is_never_overwritten(
    terminal: Terminal, daemon_env: dict[str, str], project: Path
) -> None:
    session_id = done(terminal, "fail")
    shown = {}
    for name in ("claude_code_log", "text", "json", "html", "otlp"):
        ran = command_line("activity", "export", session_id, "--format", name, env=daemon_env, cwd=project)
        assert ran.returncode == 0, ran.stderr
        shown[name] = ran.stdout
    assert "user: " in shown["claude_code_log"]
    assert "❌" in shown["claude_code_log"]
    assert shown["text"].isascii()
    document = SessionDocument.model_validate_json(shown["json"])
    assert document.session.id == session_id
    assert {"tool_pre_call", "tool_error"} <= {event.event_type.value for event in document.events}
    assert shown["html"].startswith("<!doctype html>")
    assert json.loads(shown["otlp"])["resourceSpans"]
    words = ("activity", "export", session_id, "--format", "html", "--out", "session.html")
    assert command_line(*words, env=daemon_env, cwd=project).returncode == 0
    assert (project / "session.html").read_text("utf-8").startswith("<!doctype html>")
    assert (project / "session.html").stat().st_mode & 0o777 == 0o600
    refused = command_line(*words, env=daemon_env, cwd=project)
    assert (refused.returncode, "export_refused" in refused.stderr) == (4, True)


def test_an_output_that_claude_code_kept_out_of_the_conversation_is_shown_whole(terminal: Terminal) -> None:
    session_id = done(terminal, "bash:seq 20000")
    (call,) = [
        node for turn in tree(terminal, session_id)["children"] for node in turn["children"] if node["tool_use_id"]
    ]
    shown = terminal.call("activity.show", id=call["tool_use_id"], session_id=session_id)
    assert shown["input"]["command"] == "seq 20000"
    # Claude Code kept it in a file of its own, and the model was given the beginning.
    assert shown["output"].split() == [str(number) for number in range(1, 20_001)]
    assert (shown["seen_in"], shown["whole"]) == ("file", True)


@pytest.mark.anyio
async def test_an_mcp_client_has_the_documents_tools_and_reads_trees_as_resources(terminal: Terminal) -> None:
    session_id = await anyio.to_thread.run_sync(done, terminal, "parallel")
    async with client(terminal, "auto", "--profile", "full") as found:
        tools = {tool.name for tool in (await found.list_tools()).tools}
        assert {"stream_activity", "get_activity_tree", "configure_display", "export_session"} <= tools
        assert "Running echo A" in text(await found.call_tool("get_activity_tree", {"session_id": session_id}))
        assert "Running echo A" in text(await found.call_tool("stream_activity", {"session_id": session_id}))
        settings = {"show_timings": False, "max_tree_depth": 3}
        said = text(await found.call_tool("configure_display", {"session_id": session_id, "settings": settings}))
        assert "max_tree_depth" in said
        exported = {"session_id": session_id, "format": "text"}
        assert "Running echo A" in text(await found.call_tool("export_session", exported))
        uris = [str(one.uri) for one in (await found.list_resources()).resources]
        assert "activity://sessions" in uris
        for address, word in (
            (f"activity://{session_id}/tree", '"root_task"'),
            (f"activity://{session_id}/log", "Running echo A"),
        ):
            content = (await found.read_resource(address)).contents[0]
            assert isinstance(content, mcp_types.TextResourceContents)
            assert word in content.text


@pytest.mark.anyio
async def test_an_mcp_client_that_subscribed_is_told_when_a_tree_changes(terminal: Terminal) -> None:
    session_id = await anyio.to_thread.run_sync(done, terminal, "hi")
    wanted = {f"activity://{session_id}/tree", "activity://sessions"}
    told: set[str] = set()
    async with (
        client(terminal, "auto", "--profile", "full") as found,
        found.listen(resource_subscriptions=sorted(wanted)) as changes,
    ):
        await found.call_tool("session_send", {"session_id": session_id, "prompt": "[s:chat]"})
        with anyio.fail_after(60):
            async for change in changes:
                told.add(str(getattr(change, "uri", change)))
                if told >= wanted:
                    break
    assert told == wanted


def test_what_waits_for_a_person_is_in_the_tree_with_the_id_to_answer_by(terminal: Terminal) -> None:
    handle = terminal.call("sessions.start", prompt="[s:touch]")
    terminal.finish(handle["session_id"], handle["cursor"])
    reply = terminal.call("activity.tree", session_id=handle["session_id"])
    assert (reply["session"]["status"], bool(reply["session"]["waiting_for"])) == ("paused", True)
    (asked,) = [node for node in every(reply["activity_tree"]["root_task"]) if node["type"] == "approval"]
    assert asked["status"] == "waiting"
    terminal.call("approvals.answer", approval_id=asked["approval_id"], decision="allow")
    terminal.finish(handle["session_id"], handle["cursor"])
    after = terminal.call("activity.tree", session_id=handle["session_id"])
    assert {node["status"] for node in every(after["activity_tree"]["root_task"])} == {"completed"}
    assert after["session"]["times"]["person_ms"] > 0


def test_what_a_live_process_uses_is_measured_while_somebody_looks(terminal: Terminal, project: Path) -> None:
    handle = terminal.call("sessions.start", prompt="[s:long-bash]", allowed_tools=["Bash"])
    terminal.until_event(handle["session_id"], "tool.started")
    cursor, row = None, Json(memory_bytes=None)
    while not row["memory_bytes"]:
        rows = terminal.call("activity.sessions", scope="live", cursor=cursor, wait_s=20)
        cursor, row = rows["cursor"], rows["items"][0]
    assert (row["id"], row["live"], row["status"]) == (handle["session_id"], True, "active")
    assert row["memory_bytes"] > 10_000_000
    assert row["cpu_percent"] is not None
    (project / "go").touch()
    terminal.finish(handle["session_id"])
