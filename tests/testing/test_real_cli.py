"""The built-in scenarios against the real Claude Code: each does what its description says."""

import json
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from tests.support.claude_cli import ClaudeCli, Line, Talk, blocks
from tests.support.processes import end_all, running_in

from claude_code_mcp.testing import Outcome, ScriptedModel, demo_script

pytestmark = pytest.mark.e2e

PERSON = '{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"}},"required":["name","age"]}'


@pytest.mark.parametrize(
    ("scenario", "last", "calls"),
    [
        ("hi", "Hello there, this is the answer.", 1),
        ("say:a word", "a word", 1),
        ("think", "Thought and answered.", 1),
        ("think-tool", "End.", 2),
        ("parallel", "Both done.", 2),
        ("loop:7", "The loop is over.", 8),
        ("fail", "It failed.", 2),
        ("bad-tool", "There is no such tool.", 2),
        ("big-output", "That was much.", 2),
        ("error-500", "Recovered after 500.", 2),
        ("cut", "one two three four five", 2),
        ("max-tokens-once", "and finished.", 2),
        ("background", "The background job is done.", 3),
        ("agent", "The agent is done.", 5),
        ("agent-nested", "The agents have finished.", 6),
    ],
)
def test_a_scenario_ends_well(claude: ClaudeCli, model: ScriptedModel, scenario: str, last: str, calls: int) -> None:
    done = claude.run(f"go [s:{scenario}]")
    assert (done.code, done.result["result"], done.result["is_error"]) == (0, last, False)
    assert len(model.seen()) == calls
    assert {one.kind for one in model.seen(kind=None)} == {"messages"}, "the CLI asked for something else"


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("error-400", "API Error: 400 Scripted error 400"),
        ("error-529-always", "API Error: Repeated 529"),
        ("error-in-stream", "API Error: Repeated 529"),
        ("too-long", "Prompt is too long"),
        ("refuse", "API Error: "),
        ("max-tokens", "API Error: Claude's response exceeded"),
    ],
)
def test_a_scenario_ends_badly(claude: ClaudeCli, scenario: str, said: str) -> None:
    done = claude.run(f"go [s:{scenario}]", env={"CLAUDE_CODE_MAX_RETRIES": "2"})
    assert (done.code, done.result["is_error"]) == (1, True)
    assert done.result["result"].startswith(said)


def test_tokens_and_cost_are_those_of_the_script(claude: ClaudeCli) -> None:
    result = claude.run("[s:costly]").result
    assert (result["usage"]["input_tokens"], result["usage"]["output_tokens"]) == (300_000, 150_000)
    assert result["total_cost_usd"] > 1


def test_a_huge_text_arrives_whole(claude: ClaudeCli) -> None:
    assert claude.run("[s:bigtext]").result["result"] == "y" * 1_500_000


def test_a_full_context_is_compacted_with_our_summary(claude: ClaudeCli, model: ScriptedModel) -> None:
    done = claude.run("[s:full-context]")
    assert done.of("system", "compact_boundary")
    assert [one.scenario for one in model.seen()] == ["full-context", "(auxiliary)", "plain"]
    assert "Summary of the scripted conversation." in json.dumps(model.seen()[-1].messages)


@pytest.mark.parametrize("scenario", ["structured", "structured-wrong"])
def test_a_structured_answer_is_given(claude: ClaudeCli, scenario: str) -> None:
    assert claude.run(f"[s:{scenario}]", "--json-schema", PERSON).result["structured_output"] == {
        "name": "bob",
        "age": 3,
    }


def test_tasks_are_noted_where_the_tools_are_enabled(claude: ClaudeCli) -> None:
    done = claude.run("[s:todo]", env={"CLAUDE_CODE_ENABLE_TODO_TOOLS": "1"})
    results = [str(block["content"]) for block in blocks(done.lines, "tool_result")]
    assert results[1:] == ["Task #1 created successfully: First task", "Updated task #1 status"]


def test_an_overloaded_model_falls_back_to_another(claude: ClaudeCli) -> None:
    done = claude.run("[s:fallback]", "--fallback-model", "sonnet", env={"CLAUDE_CODE_MAX_RETRIES": "2"})
    assert done.result["result"].startswith("Answered by claude-sonnet")


def test_an_mcp_tool_is_called(claude: ClaudeCli, tmp_path: Path) -> None:
    server = tmp_path / "server.py"
    server.write_text(
        "from mcp.server import MCPServer\n"
        "server = MCPServer('t')\n"
        "@server.tool()\n"
        "def echo() -> str:\n"
        "    return 'echoed'\n"
        "server.run()\n"
    )
    config = {"mcpServers": {"t": {"type": "stdio", "command": sys.executable, "args": [str(server)]}}}
    allowed = ("--strict-mcp-config", "--mcp-config", json.dumps(config), "--allowedTools=mcp__t__echo")
    done = claude.run("[s:mcp]", *allowed)
    assert "echoed" in done.result["result"], done.stderr


def test_a_conversation_goes_on_step_by_step_and_survives_compaction(claude: ClaudeCli) -> None:
    with claude.talk() as talk:
        said = []
        for prompt in ("[s:chat]", "and?", "and?", "and?"):
            talk.say(prompt)
            said.append(talk.until_a("result")["result"])
        assert said == ["First answer.", "Second answer.", "Third answer.", "Plain reply from claude-opus-5-5."]
        talk.say("/compact")
        assert talk.until_a("result")["subtype"] == "success"
        talk.control("side", subtype="side_question", question="hm?")
        assert "side question" in talk.until_a("control_response")["response"]["response"]["response"]
        talk.say("[s:hi]")
        assert talk.until_a("result")["result"] == "Hello there, this is the answer."
        assert talk.end() == 0


def test_a_turn_is_interrupted_in_the_middle_of_the_stream(claude: ClaudeCli, model: ScriptedModel) -> None:
    with claude.talk() as talk:
        talk.say("[s:midway]")
        model.gate("midway").reached().result(60)
        talk.control("stop", subtype="interrupt")
        assert talk.until_a("result")["terminal_reason"] == "aborted_streaming"
        model.expect(1, lambda one: one.outcome is Outcome.GONE).result(60)
        talk.say("[s:held]")
        model.gate("held").reached().result(60)
        model.gate("held").release()
        assert talk.until_a("result")["result"] == "Released."
        assert talk.end() == 0


def test_a_message_during_a_tool_steers_the_turn(claude: ClaudeCli) -> None:
    with claude.talk() as talk:
        talk.say("[s:long-bash]")
        talk.until(lambda line: bool(blocks([line], "tool_use")))
        talk.say("rather [s:think]", uuid="11111111-1111-4111-8111-111111111111")
        talk.until_a("command_lifecycle")
        (claude.cwd / "go").touch()
        assert talk.until_a("result")["result"] == "Thought and answered."
        assert talk.end() == 0


def allow_all(talk: Talk, **changed: object) -> tuple[list[str], Line]:
    """Allow every tool that is asked for until the result; return the tools and the result."""
    asked: list[str] = []
    while True:
        line = talk.until(lambda line: line["type"] in ("result", "control_request"))
        if line["type"] == "result":
            return asked, line
        request = line["request"]
        asked.append(request["tool_name"])
        talk.answer(line["request_id"], {"behavior": "allow", "updatedInput": {**request["input"], **changed}})


@pytest.mark.parametrize(
    ("scenario", "asked", "made"),
    [
        ("write", ["Write"], ["new.txt"]),
        ("touch-two", ["Bash", "Bash"], ["one.txt", "two.txt"]),
        ("agent-touch", ["Bash"], ["made-by-bash.txt"]),
    ],
)
def test_a_permission_is_asked_for(claude: ClaudeCli, scenario: str, asked: list[str], made: list[str]) -> None:
    with claude.talk() as talk:
        talk.say(f"[s:{scenario}]")
        assert allow_all(talk)[0] == asked
        assert talk.end() == 0
    assert sorted(path.name for path in claude.cwd.iterdir() if path.name != ".git") == made


def test_a_question_and_a_plan_are_put_to_the_user(claude: ClaudeCli) -> None:
    with claude.talk("--permission-mode", "plan") as talk:
        talk.say("[s:ask-user]")
        asked, result = allow_all(talk, answers={"Which colour?": "Blue"})
        assert asked == ["AskUserQuestion"]
        assert '"Which colour?"="Blue"' in result["result"]
        talk.say("[s:plan]")
        question = talk.until_a("control_request")["request"]
        assert (question["tool_name"], question["input"]["plan"]) == ("ExitPlanMode", "# Plan\n\n1. Look\n2. Act\n")


def test_background_work_is_stopped_and_waited_for(claude: ClaudeCli, model: ScriptedModel) -> None:
    with claude.talk() as talk:
        talk.say("[s:background-stop]")
        assert talk.until_a("result")["result"] == "Stopped it."
        talk.say("[s:background-long]")
        assert talk.until_a("result")["result"] == "Started a long job."
        (claude.cwd / "go").touch()
        assert talk.until_a("result")["result"] == "The long job is done."
        talk.say("[s:agent-held]")
        assert talk.until_a("result")["result"] == "The agent is launched."
        model.gate("agent-held").reached().result(60)
        model.gate("agent-held").release()
        assert talk.until_a("result")["result"] == "The agent is done."
        assert talk.end() == 0


def test_the_demo_writes_runs_asks_and_delegates(claude: ClaudeCli, model: ScriptedModel) -> None:
    model.script = demo_script()
    with claude.talk("--permission-mode", "acceptEdits") as talk:
        talk.say("Show me what you can do.")
        asked, result = allow_all(talk)
        assert talk.end() == 0
    assert asked == ["Bash"]
    assert "Hello from project!" in [block["content"] for block in blocks(talk.lines, "tool_result")]
    assert result["result"].startswith("Done. I wrote `greet.sh`")
    assert result["subagent_stats"]["completed"] == 1
    assert (claude.cwd / "greet.sh").exists()


def test_the_cli_keeps_its_files_in_the_tests_own_directories(claude: ClaudeCli, home: Path, short_tmp: Path) -> None:
    init = claude.run("[s:hi]").of("system", "init")[0]
    assert init["messaging_socket_path"].startswith(str(short_tmp))
    assert init["memory_paths"]["auto"].startswith(str(home))


def test_a_process_that_a_test_forgets_is_found_and_killed(home: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "60"], env={"HOME": str(home)}) as forgotten:
        assert [process.pid for process in running_in(home)] == [forgotten.pid]
        assert end_all(home) == [f"{forgotten.pid} (no run) /bin/sleep 60"]
        forgotten.wait(60)
    assert not psutil.pid_exists(forgotten.pid)
