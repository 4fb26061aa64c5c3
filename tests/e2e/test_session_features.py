"""What a session can do, each against the real Claude Code."""

import json
from pathlib import Path

import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.claude_cli import ClaudeCli
from tests.support.daemon import CallFailed, Terminal, command_line

pytestmark = pytest.mark.e2e


def test_start_returns_at_once_with_a_handle_and_wait_follows(terminal: Terminal) -> None:
    handle = terminal.call("sessions.start", prompt="[s:parallel]", title="two at once", labels={"team": "a"})
    assert handle["status"] in {"queued", "starting"}
    done = terminal.finish(handle["session_id"], handle["cursor"])
    assert done["outcome"]["ok"]
    assert sum("tool.finished" in line for line in done["lines"]) == 2
    found = terminal.call("sessions.list", labels={"team": "a"}, text="two at")
    assert [item["title"] for item in found["items"]] == ["two at once"]


def test_the_documents_spellings_are_understood(terminal: Terminal) -> None:
    spelled = {
        "query": "[s:hi]",
        "workingDirectory": str(terminal.cwd),
        "thinkingLevel": "think-hard",
        "allowedTools": ["Read"],
        "disallowedTools": ["WebFetch"],
        "backgroundTask": True,
    }
    answer = terminal.call("sessions.ask", **spelled, wait_s=60)
    again = terminal.call("sessions.ask", query="[s:chat]", sessionId=answer["session_id"], wait_s=60)
    assert (answer["outcome"]["ok"], again["session_id"]) == (True, answer["session_id"])


def test_a_thinking_level_reaches_the_model_as_effort(terminal: Terminal, model: ScriptedModel) -> None:
    terminal.call("sessions.ask", prompt="[s:hi]", thinking_level="ultrathink", wait_s=60)
    assert model.seen()[0].body["output_config"]["effort"] == "max"


def test_a_second_message_uses_the_same_warm_process(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)
    terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:chat]", wait_s=60)
    kinds = [event["kind"] for event in terminal.events(answer["session_id"])]
    assert (kinds.count("run.started"), kinds.count("turn.finished")) == (1, 2)


def test_a_message_to_a_running_turn_steers_it(terminal: Terminal, model: ScriptedModel) -> None:
    handle = terminal.call("sessions.start", prompt="[s:held-tool:go]", allowed_tools=["Bash"])
    terminal.until_event(handle["session_id"], "tool.started")
    sent = terminal.call("sessions.send", session_id=handle["session_id"], prompt="look to the left")
    again = terminal.call(
        "sessions.send", session_id=handle["session_id"], prompt="look to the left", message_id=sent["message_id"]
    )
    assert (sent["known"], again["known"]) == (False, True)
    with pytest.raises(CallFailed) as caught:
        terminal.call("sessions.send", session_id=handle["session_id"], prompt="x", message_id=sent["message_id"])
    assert caught.value.code == "message_id_taken"
    terminal.until_event(handle["session_id"], "message.queued")
    model.gate("go").open()
    (terminal.cwd / "go").touch()
    done = terminal.finish(handle["session_id"], handle["cursor"])
    assert done["outcome"]["ok"]
    assert sum("look to the left" in json.dumps(seen.body) for seen in model.seen()) >= 1


def test_a_turn_can_be_interrupted_and_the_session_goes_on(terminal: Terminal, model: ScriptedModel) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:never]")
    model.gate("never").reached().result(60)
    stopped = terminal.call("sessions.abort", session_id=handle["session_id"])
    assert stopped["did"] == "interrupted"
    done = terminal.finish(handle["session_id"], handle["cursor"])
    assert (done["status"], done["outcome"]["ok"]) == ("idle", False)
    answer = terminal.call("sessions.resume", session_id=handle["session_id"], prompt="[s:hi]", wait_s=60)
    assert answer["outcome"]["ok"]
    with pytest.raises(CallFailed) as caught:
        terminal.call("sessions.abort", session_id=handle["session_id"])
    assert caught.value.code == "session_not_running"


def test_a_plan_comes_back_and_is_carried_out_on_resume(terminal: Terminal) -> None:
    planned = terminal.call("sessions.plan", prompt="[s:plan]", wait_s=60)
    assert planned["plan"]
    assert "claude_resume" in planned["_text"]
    for need in planned["needs"]:
        terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    terminal.finish(planned["session_id"], planned["cursor"])
    done = terminal.call(
        "sessions.resume",
        session_id=planned["session_id"],
        prompt="[s:write]",
        permission_mode="acceptEdits",
        wait_s=60,
    )
    assert done["outcome"]["ok"]
    assert (terminal.cwd / "new.txt").exists()


def test_a_question_of_the_model_is_answered_by_its_text(terminal: Terminal, model: ScriptedModel) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:ask-user]", wait_s=60)
    (need,) = answer["needs"]
    assert need["kind"] == "question"
    (item,) = terminal.call("approvals.list")["items"]
    question = item["input"]["questions"][0]
    with pytest.raises(CallFailed) as caught:
        terminal.call("approvals.answer", approval_id=need["approval_id"], decision="allow")
    assert caught.value.code == "bad_answer"
    label = question["options"][-1]["label"]
    terminal.call(
        "approvals.answer", approval_id=need["approval_id"], decision="allow", answers={question["question"]: label}
    )
    assert terminal.finish(answer["session_id"], answer["cursor"])["outcome"]["ok"]
    assert any(label in json.dumps(seen.messages[-1]) for seen in model.seen())


def test_deny_allow_with_other_input_and_always(terminal: Terminal) -> None:
    denied = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    terminal.call(
        "approvals.answer", approval_id=denied["needs"][0]["approval_id"], decision="deny", message="not here"
    )
    terminal.finish(denied["session_id"], denied["cursor"])
    assert not (terminal.cwd / "made-by-bash.txt").exists()
    (fact,) = terminal.events(denied["session_id"], "tool.denied")
    assert "not here" in fact["payload"]["output"]

    changed = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    (item,) = terminal.call("approvals.list")["items"]
    command = {**item["input"], "command": "touch other.txt"}
    terminal.call("approvals.answer", approval_id=item["approval_id"], decision="allow", input=command)
    terminal.finish(changed["session_id"], changed["cursor"])
    assert (terminal.cwd / "other.txt").exists()

    always = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    terminal.call("approvals.answer", approval_id=always["needs"][0]["approval_id"], decision="always")
    terminal.finish(always["session_id"], always["cursor"])
    assert (terminal.cwd / ".claude" / "settings.local.json").exists()
    with pytest.raises(CallFailed) as caught:
        terminal.call("approvals.answer", approval_id=always["needs"][0]["approval_id"], decision="allow")
    assert caught.value.code == "approval_settled"


def test_many_questions_are_answered_at_once_by_a_filter(terminal: Terminal) -> None:
    asked = [terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60) for _ in range(2)]
    answered = terminal.call("approvals.answer", decision="allow", tool="Bash")
    assert len(answered["items"]) == 2
    assert all(terminal.finish(one["session_id"], one["cursor"])["outcome"]["ok"] for one in asked)


def test_structured_output_fits_its_schema(terminal: Terminal) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name"],
    }
    answer = terminal.call("sessions.ask", prompt="[s:structured]", json_schema=schema, wait_s=60)
    assert isinstance(answer["outcome"]["structured_output"], dict)


def test_limits_end_a_turn_with_a_named_outcome(terminal: Terminal) -> None:
    turns = terminal.call("sessions.ask", prompt="[s:loop:5]", max_turns=2, allowed_tools=["Bash"], wait_s=60)
    assert turns["outcome"]["subtype"] == "error_max_turns"
    budget = terminal.call("sessions.ask", prompt="[s:costly]", max_budget_usd="0.5", allowed_tools=["Bash"], wait_s=60)
    assert budget["outcome"]["subtype"] == "error_max_budget_usd"
    assert budget["outcome"]["cost_microusd"] > 500_000


def test_a_fork_goes_its_own_way_from_a_message_on(terminal: Terminal, model: ScriptedModel) -> None:
    first = terminal.call("sessions.ask", prompt="[s:say:alpha]", wait_s=60)
    said = [e for e in terminal.events(first["session_id"], "message.said") if e["payload"]["role"] == "assistant"]
    terminal.call("sessions.resume", session_id=first["session_id"], prompt="[s:say:beta]", wait_s=60)
    copy = terminal.call(
        "sessions.fork", session_id=first["session_id"], prompt="[s:say:gamma]", resume_at=said[-1]["subject"]
    )
    done = terminal.finish(copy["session_id"], copy["cursor"])
    assert done["outcome"]["ok"]
    heard = json.dumps(model.seen()[-1].messages)
    assert ("alpha" in heard, "beta" in heard, "gamma" in heard) == (True, False, True)
    original = terminal.call("sessions.status", session_id=first["session_id"])
    assert (original["turns"], original["session_id"] != copy["session_id"]) == (2, True)


def test_model_mode_and_title_change_while_it_runs(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)
    changed = terminal.call(
        "sessions.set", session_id=answer["session_id"], model="sonnet", permission_mode="acceptEdits", title="renamed"
    )
    assert changed["at_once"] is True
    terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:write]", wait_s=60)
    status = terminal.call("sessions.status", session_id=answer["session_id"])
    assert ("sonnet" in status["model"], status["permission_mode"], status["title"]) == (True, "acceptEdits", "renamed")
    with pytest.raises(CallFailed) as caught:
        terminal.call("sessions.set", session_id=answer["session_id"], permission_mode="bypassPermissions")
    assert caught.value.code == "refused_by_claude"


def test_bypass_is_an_explicit_wish_and_shown_in_every_listing(terminal: Terminal) -> None:
    terminal.env["IS_SANDBOX"] = "1"
    answer = terminal.call("sessions.ask", prompt="[s:touch]", permission_mode="bypassPermissions", wait_s=60)
    assert answer["outcome"]["ok"]
    assert "!BYPASS" in terminal.call("sessions.list")["_text"]
    assert "it never asks" in terminal.call("sessions.status", session_id=answer["session_id"])["_text"]


def test_a_subagent_is_followed_to_its_end(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:agent]", allowed_tools=["Bash"], wait_s=60)
    assert answer["status"] == "idle"
    events = terminal.events(answer["session_id"])
    started = next(event for event in events if event["kind"] == "subagent.started")
    assert any(event["kind"] == "subagent.finished" for event in events)
    inner = [event for event in events if event["kind"] == "tool.finished" and event.get("agent_id")]
    assert {event["agent_id"] for event in inner} == {started["payload"]["task_id"]}


def test_a_background_task_keeps_the_process_and_its_end_is_a_turn_of_its_own(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:background]", allowed_tools=["Bash"], idle_s=0, wait_s=60)
    terminal.until_event(answer["session_id"], "task.finished")
    done = terminal.finish(answer["session_id"], answer["cursor"])
    assert done["status"] == "idle"


def test_sessions_of_others_are_listed_shown_and_resumed(
    terminal: Terminal, claude: ClaudeCli, model: ScriptedModel
) -> None:
    theirs = claude.run("[s:say:hidden-word]")
    session_id = theirs.result["session_id"]
    assert terminal.call("sessions.list")["items"] == []
    listed = terminal.call("sessions.list", scope="all")["items"]
    assert [(item["session_id"], item["ours"]) for item in listed] == [(session_id, False)]
    assert terminal.call("sessions.status", session_id=session_id)["project_path"] == str(terminal.cwd)
    answer = terminal.call("sessions.ask", prompt="[s:hi]", continue_last=True, wait_s=60)
    assert answer["session_id"] == session_id
    assert "hidden-word" in json.dumps(model.seen()[-1].messages)


def test_a_session_that_is_open_elsewhere_is_not_run_twice_but_can_be_forked(
    terminal: Terminal, claude: ClaudeCli
) -> None:
    with claude.talk() as talk:
        talk.say("[s:hi]")
        result = talk.until_a("result")
        live = terminal.call("sessions.list", scope="live")["items"]
        assert [(item["ours"], item["live"]) for item in live] == [(False, True)]
        with pytest.raises(CallFailed) as caught:
            terminal.call("sessions.resume", session_id=result["session_id"], prompt="[s:hi]")
        assert caught.value.code == "session_busy_elsewhere"
        copy = terminal.call("sessions.fork", session_id=result["session_id"], prompt="[s:hi]")
        assert terminal.finish(copy["session_id"], copy["cursor"])["outcome"]["ok"]
        talk.end()


def test_clear_keeps_our_session_and_resumes_the_new_conversation(terminal: Terminal, model: ScriptedModel) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:say:forgotten]", idle_s=0, wait_s=60)
    terminal.call("sessions.resume", session_id=answer["session_id"], prompt="/clear", wait_s=60)
    terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:say:kept]", wait_s=60)
    terminal.until_event(answer["session_id"], "run.exited", answer["cursor"])
    terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:say:last]", wait_s=60)
    heard = json.dumps(model.seen()[-1].messages)
    assert ("forgotten" in heard, "kept" in heard) == (False, True)


def test_settings_of_the_client_hold_for_its_sessions(terminal: Terminal, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    terminal.env |= {
        "DEFAULT_WORKING_DIRECTORY": str(other),
        "CLAUDE_DEFAULT_MODEL": "haiku",
        "DEFAULT_ALLOWED_TOOLS": "Bash",
    }
    answer = terminal.call("sessions.ask", prompt="[s:touch]", wait_s=60)
    status = terminal.call("sessions.status", session_id=answer["session_id"])
    assert (status["project_path"], "haiku" in status["model"], answer["needs"]) == (str(other), True, [])


def test_hooks_and_env_of_the_wish_are_used_and_never_stored_in_clear(terminal: Terminal) -> None:
    answer = terminal.call(
        "sessions.ask",
        prompt="[s:tool]",
        hooks={"preToolUse": "printenv CANARY > hooked.txt"},
        env={"CANARY": "canary-5f3a9c", "MY_API_KEY": "canary-secret-77aa"},
        wait_s=60,
    )
    assert answer["outcome"]["ok"]
    assert (terminal.cwd / "hooked.txt").read_text().strip() == "canary-5f3a9c"
    log = (terminal.state_dir / "daemon.log").read_text()
    database = (terminal.state_dir / "state.db").read_bytes() + (terminal.state_dir / "state.db-wal").read_bytes()
    for secret in ("canary-secret-77aa", terminal.env["ANTHROPIC_API_KEY"]):
        assert secret not in log
        assert secret.encode() not in database
    loose = [path for path in terminal.state_dir.rglob("*") if path.stat().st_mode & 0o077 and not path.is_symlink()]
    assert loose == []


def test_the_command_line_gives_json_and_text(terminal: Terminal) -> None:
    asked = command_line("ask", "[s:hi]", "--json", env=terminal.env, cwd=terminal.cwd)
    assert (asked.returncode, json.loads(asked.stdout)["outcome"]["ok"]) == (0, True)
    shown = command_line("sessions", "list", env=terminal.env, cwd=terminal.cwd)
    assert json.loads(asked.stdout)["session_id"] in shown.stdout
    failed = command_line("ask", "[s:error-400]", env=terminal.env, cwd=terminal.cwd)
    assert failed.returncode == 10
