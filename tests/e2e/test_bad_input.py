"""Bad input and faults: each has one clear outcome, nothing hangs, nothing is lost, nothing is left running."""

import stat
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import CallFailed, Terminal, command_line

pytestmark = pytest.mark.e2e


def refused(terminal: Terminal, op: str, /, **args: Any) -> CallFailed:
    with pytest.raises(CallFailed) as caught:
        terminal.call(op, **args)
    return caught.value


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"prompt": ""}, "empty_prompt"),
    ({"prompt": " \n\t"}, "empty_prompt"),
    ({"prompt": "a\0b"}, "bad_prompt"),
    ({"prompt": "\ud800"}, "invalid"),
    ({"prompt": "x", "project_path": "/no/such/folder"}, "project_not_found"),
    ({"prompt": "x", "project_path": "a\0b"}, "bad_project_path"),
    ({"prompt": "x", "session_id": "../../x"}, "invalid"),
    ({"prompt": "x", "session_id": "--resume"}, "invalid"),
    ({"prompt": "x", "session_id": "x" * 10_000}, "invalid"),
    ({"prompt": "x", "session_id": "00000000-0000-4000-8000-000000000000"}, "session_not_found"),
    ({"prompt": "x", "model": "opus; rm -rf /"}, "launch_option_invalid"),
    ({"prompt": "x", "model": "$(id)"}, "launch_option_invalid"),
    ({"prompt": "x", "model": "--settings={}"}, "launch_option_invalid"),
    ({"prompt": "x", "agent": "--x"}, "launch_option_invalid"),
    ({"prompt": "x", "allowed_tools": ["Bash --dangerously-skip-permissions"]}, "launch_option_invalid"),
    ({"prompt": "x", "worktree": "../../x"}, "launch_option_invalid"),
    ({"prompt": "x", "add_dirs": ["relative"]}, "launch_option_invalid"),
    ({"prompt": "x", "hooks": {"noSuchEvent": "true"}}, "launch_option_invalid"),
    ({"prompt": "x", "env": {"A=B": "c"}}, "invalid"),
    ({"prompt": "x", "max_turns": 0}, "invalid"),
    ({"prompt": "x", "nonsense": 1}, "invalid"),
    ({"prompt": "x", "checkpoint_id": "abc"}, "checkpoint_not_found"),
    ({}, "invalid"),
]


def test_a_wish_that_cannot_be_carried_out_changes_nothing(terminal: Terminal) -> None:
    codes = {str(args): refused(terminal, "sessions.start", **args).code for args, _ in REFUSED}
    assert codes == {str(args): code for args, code in REFUSED}
    assert terminal.call("sessions.list")["items"] == []
    assert terminal.call("daemon.status")["events"] == 0


def test_a_file_is_no_project_and_the_answer_names_the_folder(terminal: Terminal) -> None:
    file = terminal.cwd / "file.txt"
    file.write_text("")
    failed = refused(terminal, "sessions.start", prompt="x", project_path=str(file))
    assert (failed.code, str(terminal.cwd) in failed.error["remedy"]) == ("project_not_a_directory", True)


def test_odd_folders_work_and_run_nothing(terminal: Terminal) -> None:
    for name in ("with space", "$(touch x)", "-dash", "quote'\"", "tab\tand\nnewline", "ünï-код", "\u202egnp.exe"):
        folder = terminal.cwd / name
        folder.mkdir()
        answer = terminal.call("sessions.ask", prompt="[s:hi]", project_path=str(folder), wait_s=60, idle_s=0)
        assert answer["outcome"]["ok"], name
        assert not (folder / "x").exists()
        assert not (terminal.cwd / "x").exists()


@pytest.mark.parametrize(
    "prompt",
    [
        '--settings={"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"touch pwned"}]}]}}',
        "--version",
        "-h",
        "--dangerously-skip-permissions",
        "--mcp-config=/x",
        "-c",
    ],
)
def test_a_prompt_that_looks_like_a_flag_is_text(terminal: Terminal, model: ScriptedModel, prompt: str) -> None:
    answer = terminal.call("sessions.ask", prompt=prompt, wait_s=60)
    assert answer["outcome"]["ok"]
    assert not (terminal.cwd / "pwned").exists()
    assert any(prompt in str(seen.messages) for seen in model.seen())


def test_a_prompt_of_ten_megabytes_arrives_whole_and_claude_code_judges_it(terminal: Terminal) -> None:
    prompt = "[s:hi] " + "ü" * 5_000_000
    answer = terminal.call("sessions.ask", prompt=prompt, wait_s=120)
    assert (answer["status"], answer["outcome"]["answer"]) == ("idle", "Prompt is too long")
    (submitted,) = terminal.events(answer["session_id"], "message.submitted")
    assert (submitted["payload"]["size"], len(submitted["payload"]["text"])) == (len(prompt.encode()), 8000)
    echoed = terminal.events(answer["session_id"], "message.said")[0]
    assert (echoed["payload"]["role"], echoed["payload"]["text_bytes"]) == ("user", len(prompt.encode()))


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


VERSION = 'if [ "$1" = --version ]; then echo "2.1.327 (Claude Code)"; exit 0; fi'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "claude_unusable"),
        ('echo "2.0.1 (Claude Code)"', "claude_too_old"),
        ("echo hello", "claude_unusable"),
        ("exit 3", "claude_unusable"),
    ],
    ids=["missing", "too old", "something else", "broken"],
)
def test_a_binary_that_cannot_be_used_is_named_with_its_reason(
    terminal: Terminal, tmp_path: Path, text: str | None, code: str
) -> None:
    path = tmp_path / "claude"
    terminal.env["CLAUDE_CODE_BINARY"] = str(path) if text is None else program(path, text)
    answer = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)
    assert (answer["status"], answer["outcome"]["subtype"]) == ("failed", code)
    assert str(path) in answer["outcome"]["errors"][0]
    assert refused(terminal, "binaries.find").code == code


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("echo 'cannot go on' >&2; exit 7", "claude_refused_to_run", "cannot go on"),
        ("exec sh -c 'kill -9 $$'", "claude_refused_to_run", "signal 9"),
        ('printf \'garbage\\n{"type":"half\'; exit 1', "claude_crashed", "exit code 1"),
    ],
    ids=["exits before the first line", "is killed before the first line", "writes garbage and half a line"],
)
def test_a_cli_that_dies_leaves_a_session_that_says_why(
    terminal: Terminal, tmp_path: Path, text: str, code: str, said: str
) -> None:
    terminal.env["CLAUDE_CODE_BINARY"] = program(tmp_path / "claude", f"{VERSION}\n{text}")
    answer = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)
    assert (answer["status"], answer["outcome"]["subtype"]) == ("failed", code)
    assert said in answer["outcome"]["errors"][0]


@pytest.mark.parametrize(
    ("scenario", "ok"),
    [
        ("error-400", False),
        ("error-429", True),
        ("error-500", True),
        ("error-529", True),
        ("refuse", False),
        ("cut", True),
    ],
)
def test_an_api_that_fails_is_told_as_it_is(terminal: Terminal, scenario: str, ok: bool) -> None:
    answer = terminal.call("sessions.ask", prompt=f"[s:{scenario}]", wait_s=60)
    assert (answer["status"], answer["outcome"]["ok"]) == ("idle", ok)
    assert terminal.call("sessions.resume", session_id=answer["session_id"], prompt="[s:hi]", wait_s=60)["outcome"][
        "ok"
    ]


def test_an_api_that_is_down_is_seen_while_it_is_tried_again_and_can_be_stopped(terminal: Terminal) -> None:
    terminal.env["ANTHROPIC_BASE_URL"] = "http://127.0.0.1:9"
    handle = terminal.call("sessions.start", prompt="[s:hi]")
    retried = terminal.until_event(handle["session_id"], "api.retried")
    assert retried["payload"]["attempt"] >= 1
    stopped = terminal.call("sessions.abort", session_id=handle["session_id"], mode="stop")
    assert (stopped["did"], stopped["status"]) == ("stopped", "stopped")


def test_without_a_login_the_answer_says_so(terminal: Terminal) -> None:
    del terminal.env["ANTHROPIC_API_KEY"]
    answer = terminal.call("sessions.ask", prompt="[s:hi]", wait_s=60)
    assert answer["outcome"]["ok"] is False
    assert "login" in str(answer["outcome"]).lower()


def test_an_answer_of_a_megabyte_and_a_half_comes_whole_in_the_stream(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:bigtext]", wait_s=60)
    assert answer["outcome"]["ok"]
    (said,) = [
        event
        for event in terminal.events(answer["session_id"], "message.said")
        if event["payload"]["role"] == "assistant"
    ]
    assert said["payload"]["text_bytes"] >= 1_500_000


def test_an_unknown_model_is_claude_codes_to_judge(terminal: Terminal) -> None:
    answer = terminal.call("sessions.ask", prompt="[s:hi]", model="no-such-model", wait_s=60)
    assert answer["status"] == "idle"


def test_the_command_line_says_it_in_words_and_with_an_exit_code(terminal: Terminal) -> None:
    bad = command_line("sessions", "status", "nonsense", env=terminal.env, cwd=terminal.cwd)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "is not a session id" in bad.stderr
    missing = command_line(
        "sessions", "status", "00000000-0000-4000-8000-000000000000", "--json", env=terminal.env, cwd=terminal.cwd
    )
    assert (missing.returncode, '"session_not_found"' in missing.stdout) == (3, True)
