"""The command line, the lines on stdin and the reader against the real Claude Code."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.facts import (
    MessageSaid,
    SessionTitled,
    ToolDenied,
    ToolFinished,
    TurnFinished,
    TurnStarted,
)
from claude_code_mcp.platform.claude.launch import THINKING, LaunchOptions
from claude_code_mcp.platform.claude.requests import Answer, ToolQuestion
from claude_code_mcp.platform.claude.stream import StreamState, read_line
from claude_code_mcp.testing import ScriptedModel
from tests.platform.claude.real import run
from tests.platform.claude.replay import AT, RUN, events
from tests.support.claude_cli import ClaudeCli

pytestmark = pytest.mark.e2e

_PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}


def test_the_real_cli_takes_every_option_in_our_form(claude: ClaudeCli, model: ScriptedModel, tmp_path: Path) -> None:
    session, other = uuid7(), tmp_path / "other, dir"
    other.mkdir()
    options = LaunchOptions(
        session_id=session,
        title="--version my title",
        model="sonnet",
        fallback_models=("opus", "haiku"),
        thinking="think-harder",
        agent="reviewer",
        agents={"reviewer": {"description": "Reviews", "prompt": "AGENT-PROMPT", "tools": ["Read", "Bash"]}},
        permission_mode="acceptEdits",
        bypass_possible=True,
        allowed_tools=("Read", "Bash(git log *, x)"),
        disallowed_tools=("WebFetch", "Bash(rm *)"),
        tools=("Bash", "Read"),
        max_turns=7,
        max_budget_microusd=5_000_000,
        add_dirs=(str(other),),
        settings={"env": {"SECRET_OF_SETTINGS": "x"}},
        setting_sources=("user",),
        mcp_config={"mcpServers": {"dead": {"type": "stdio", "command": "/nope", "args": []}}},
        strict_mcp_config=True,
        append_system_prompt="APPENDED --version",
        hook_events=True,
        partial_messages=True,
        forward_subagent_text=True,
    )
    played = run(claude, tmp_path / "run", options, "go [s:hi]", env={"IS_SANDBOX": "1"})
    assert (played.code, played.stderr) == (0, "")
    (started,) = played.facts(TurnStarted)
    assert started.model.startswith("claude-sonnet")
    assert started.permission_mode == "acceptEdits"
    assert set(started.tools) >= {"Read", "Bash"}
    assert "WebFetch" not in started.tools
    assert "reviewer" in started.agents
    assert [(server.name, server.status) for server in started.mcp_servers] == [("dead", "failed")]
    assert {event.session_id for event in played.events} == {session}
    assert [fact.title for fact in played.facts(SessionTitled)] in ([], ["--version my title"])
    (finished,) = played.facts(TurnFinished)
    assert finished.ok
    request = model.seen()[0].body
    asked = json.dumps(request["system"])
    assert "APPENDED --version" in asked
    assert "AGENT-PROMPT" in asked
    assert request["output_config"] == {"effort": "xhigh"}


@pytest.mark.parametrize("level", sorted(THINKING))
def test_each_thinking_level_reaches_the_model_as_another_effort(
    claude: ClaudeCli, model: ScriptedModel, tmp_path: Path, level: str
) -> None:
    run(claude, tmp_path / "run", LaunchOptions(thinking=level), "go [s:hi]")
    efforts = {"none": "low", "think": "medium", "think-hard": "high", "think-harder": "xhigh", "ultrathink": "max"}
    assert model.seen()[0].body["output_config"] == {"effort": efforts[level]}


@pytest.mark.parametrize(
    "prompt",
    ["--version", "-h", "--dangerously-skip-permissions", "--mcp-config=/x", "-c",
     '--settings={"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"touch HOOKED"}]}]}}'],
)  # fmt: skip
def test_a_prompt_that_looks_like_a_flag_is_a_prompt(
    claude: ClaudeCli, model: ScriptedModel, tmp_path: Path, prompt: str
) -> None:
    played = run(claude, tmp_path / "run", LaunchOptions(), f"{prompt} [s:hi]")
    assert played.facts(TurnFinished)[0].ok
    assert json.dumps(prompt)[1:-1] in json.dumps(model.seen()[0].messages)
    assert not (claude.cwd / "HOOKED").exists()


def test_a_session_is_resumed_and_copied(claude: ClaudeCli, tmp_path: Path) -> None:
    first, copy = uuid7(), uuid7()
    began = run(claude, tmp_path / "1", LaunchOptions(session_id=first), "one [s:hi]", "two [s:tool]")
    resumed = run(claude, tmp_path / "2", LaunchOptions(resume=first), "three [s:hi]")
    copied = run(claude, tmp_path / "3", LaunchOptions(resume=first, fork=True, session_id=copy), "four [s:hi]")
    said = [
        event.subject
        for event in began.events
        if isinstance(event.fact, MessageSaid) and event.fact.role == "assistant"
    ]
    cut = LaunchOptions(resume=first, fork=True, session_id=uuid7(), resume_at=said[0])
    assert run(claude, tmp_path / "4", cut, "five [s:hi]").facts(TurnFinished)[0].ok
    assert [played.facts(TurnFinished)[-1].ok for played in (began, resumed, copied)] == [True] * 3
    assert {event.session_id for event in resumed.events} == {first}
    assert {event.session_id for event in copied.events} == {copy}
    # The price of a turn is its own, though the resumed process counts on from the session's total.
    (turn,) = resumed.facts(TurnFinished)
    assert turn.total_cost_microusd > turn.cost_microusd > 0


def test_a_schema_gives_a_structured_answer(claude: ClaudeCli, tmp_path: Path) -> None:
    played = run(claude, tmp_path / "run", LaunchOptions(json_schema=_PERSON), "go [s:structured]")
    assert played.facts(TurnFinished)[-1].structured_output == {"name": "bob", "age": 3}


def test_a_budget_ends_the_turn(claude: ClaudeCli, tmp_path: Path) -> None:
    played = run(claude, tmp_path / "run", LaunchOptions(max_budget_microusd=1), "go [s:loop:5]")
    (turn,) = played.facts(TurnFinished)
    assert (turn.ok, turn.subtype, turn.terminal_reason) == (False, "error_max_budget_usd", "budget_exhausted")


def test_a_worktree_is_made_under_its_name(claude: ClaudeCli, tmp_path: Path) -> None:
    identity = ["-c", "user.email=a@example.org", "-c", "user.name=a"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], cwd=claude.cwd, check=True)
    played = run(claude, tmp_path / "run", LaunchOptions(worktree="wt.1"), "go [s:hi]")
    assert played.facts(TurnStarted)[0].cwd.endswith("/.claude/worktrees/wt.1")


def test_lists_of_tools_work_as_rules(claude: ClaudeCli, tmp_path: Path) -> None:
    allowed = run(claude, tmp_path / "1", LaunchOptions(allowed_tools=("Edit", "Bash(touch *)")), "go [s:touch]")
    assert [fact.permitted_by for fact in allowed.facts(ToolFinished)] == ["config/subcommandResults"]
    denied = LaunchOptions(disallowed_tools=("Bash(foo, bar)", "Bash(touch *)"))
    assert [fact.name for fact in run(claude, tmp_path / "2", denied, "go [s:touch]").facts(ToolDenied)] == ["Bash"]


def test_control_requests_are_taken_in_our_form(claude: ClaudeCli, model: ScriptedModel, tmp_path: Path) -> None:
    before = [
        control.initialize("r1", control.Introduction(append_system_prompt="INTRODUCED")),
        control.set_model("r2", "sonnet"),
        control.set_permission_mode("r3", "plan"),
        control.set_effort("r4", "max"),
        control.rename_session("r5", "Another\u2028name"),
        control.set_max_thinking_tokens("r6", 2000),
        control.get_context_usage("r7"),
        control.mcp_status("r8"),
        control.cancel_message("r9", uuid7()),
        control.stop_task("r10", "nothing"),
        control.apply_flag_settings("r11", {"outputStyle": "default"}),
        control.get_settings("r12"),
        control.request("r13", "nonsense"),
        control.interrupt("r14", cancel_queued=True),
    ]
    played = run(claude, tmp_path / "run", LaunchOptions(), "go [s:hi]", before=before)
    answers = {item.request_id: item for item in played.items if isinstance(item, Answer)}
    assert {number for number, answer in answers.items() if not answer.ok} == {"r13"}
    assert answers["r13"].error_code == "unsupported_request"
    assert answers["r9"].response["cancelled"] is False
    assert answers["r3"].response == {"mode": "plan"}
    request = model.seen()[-1].body
    assert request["output_config"] == {"effort": "max"}
    assert request["model"].startswith("claude-sonnet")
    assert "INTRODUCED" in json.dumps(request["system"])


def test_separators_and_half_characters_in_a_prompt_do_not_kill_the_process(claude: ClaudeCli, tmp_path: Path) -> None:
    played = run(claude, tmp_path / "run", LaunchOptions(), "a\u2028b\u2029c\x85d\x00e\ud800f [s:hi]")
    assert played.code == 0
    echo = next(fact for fact in played.facts(MessageSaid) if fact.echo)
    assert echo.text == "a\u2028b\u2029c\x85d\x00e?f [s:hi]"


def _ask(claude: ClaudeCli, prompt: str, answer: Callable[[ToolQuestion], bytes]) -> list[Event]:
    """Run `prompt`, answer its first question, and return the events of the whole run."""
    with claude.talk() as talk:
        talk.say(prompt)
        asked = json.dumps(talk.until_a("control_request")).encode()
        (question,) = read_line(StreamState(), asked, run_id=RUN, offset=0, at=AT).control
        assert isinstance(question, ToolQuestion)
        assert talk.process.stdin is not None
        talk.process.stdin.write(answer(question))
        talk.process.stdin.flush()
        talk.until_a("result")
        talk.end()
        return events(b"".join(json.dumps(line).encode() + b"\n" for line in talk.lines))


def _outcomes(found: list[Event]) -> list[str]:
    return [
        event.fact.kind for event in found if event.fact.kind.startswith("tool.") and event.fact.kind != "tool.started"
    ]


def test_a_question_is_answered_with_a_changed_input(claude: ClaudeCli) -> None:
    def answer(question: ToolQuestion) -> bytes:
        return control.allow(question.request_id, {**question.input, "command": "echo changed > changed.txt"})

    assert _outcomes(_ask(claude, "go [s:touch]", answer)) == ["tool.finished"]
    assert (claude.cwd / "changed.txt").read_text() == "changed\n"
    assert not (claude.cwd / "made-by-bash.txt").exists()


def test_a_question_is_answered_once_for_all(claude: ClaudeCli) -> None:
    def answer(question: ToolQuestion) -> bytes:
        rules = [one for one in question.suggestions if one["type"] == "addRules"]
        return control.allow(question.request_id, updated_permissions=rules)

    assert _outcomes(_ask(claude, "go [s:touch]", answer)) == ["tool.finished"]
    assert "touch" in (claude.cwd / ".claude/settings.local.json").read_text()


def test_a_question_is_denied_and_the_turn_goes_on_or_ends(claude: ClaudeCli) -> None:
    denied = _ask(claude, "go [s:touch]", lambda question: control.deny(question.request_id, "Another way."))
    stopped = _ask(claude, "go [s:touch]", lambda question: control.deny(question.request_id, "No.", stop_turn=True))
    for found, ok in ((denied, True), (stopped, False)):
        assert _outcomes(found) == ["tool.denied"]
        assert [event.fact.ok for event in found if isinstance(event.fact, TurnFinished)] == [ok]
    assert not (claude.cwd / "made-by-bash.txt").exists()


def test_a_question_to_the_user_is_answered_in_words(claude: ClaudeCli) -> None:
    def answer(question: ToolQuestion) -> bytes:
        assert question.interactive
        return control.answer_questions(question, {question.input["questions"][0]["question"]: ["Red", "Blue"]})

    found = _ask(claude, "go [s:ask-user]", answer)
    (finished,) = [event.fact for event in found if isinstance(event.fact, ToolFinished)]
    assert "Red, Blue" in finished.output
