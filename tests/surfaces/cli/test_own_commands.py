"""Commands written by hand that need no session: settings, completion, the scripted model, the log."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.surfaces.cli.conftest import Cli, Ran


def test_config_show_tells_value_origin_and_meaning(cli: Cli, state: Path) -> None:
    ran = cli("config", "show", "default_model")
    assert ran.code == 0
    assert ran.out.startswith("default_model = (unset)  (default)\n    The model of sessions that do not name one.")
    assert "CLAUDE_DEFAULT_MODEL" in ran.out
    assert cli("config", "show", "state_dir").out.startswith(f"state_dir = {state}  (flag)")


def test_config_show_lists_every_setting_as_json(cli: Cli) -> None:
    shown = json.loads(cli("config", "show", "--json").out)
    assert shown["session_idle_s"]["unit"] == "seconds"
    assert shown["session_idle_s"]["origin"] == "default"
    assert shown["default_allowed_tools"]["value"] == []


def test_a_setting_is_set_shown_and_taken_out_again(cli: Cli, state: Path) -> None:
    path = cli("config", "path").out.strip()
    assert path == f"{state}/.config/claude-code-mcp/config.toml"
    assert "+default_model" in cli("config", "set", "default_model", "opus", "--dry-run").out
    assert not Path(path).exists()
    assert cli("config", "set", "default_model", "opus").code == 0
    assert cli("config", "show", "default_model").out.startswith(f"default_model = opus  (file {path})\n")
    changed = json.loads(cli("config", "unset", "default_model", "--json").out)
    assert (changed["changed"], changed["wrote"]) == (True, True)
    assert cli("config", "unset", "default_model").out == f"{path} says that already.\n"
    assert json.loads(cli("config", "path", "--json").out) == {"path": path, "exists": True}


def test_a_wrong_setting_is_an_error_that_names_the_nearest(cli: Cli) -> None:
    ran = cli("config", "set", "default_modle", "opus")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean `default_model`?" in ran.err
    assert cli("config", "set", "session_idle_s", "-1").code == 2


@pytest.mark.parametrize(("shell", "word"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete ")])
def test_each_shell_gets_its_completion_script(cli: Cli, shell: str, word: str) -> None:
    ran = cli("completion", shell)
    assert ran.code == 0
    assert word in ran.out
    assert "_CLAUDE_CODE_MCP_COMPLETE" in ran.out


def test_a_shell_is_told_how_a_command_goes_on(home: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "_CLAUDE_CODE_MCP_COMPLETE": "bash_complete",
        "COMP_WORDS": "claude-code-mcp sessions li",
        "COMP_CWORD": "2",
    }
    command = [sys.executable, "-m", "claude_code_mcp"]
    done = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    assert done.stdout.decode().split() == ["plain,list"]


def test_the_scripted_models_scenarios_and_schema_are_printed(cli: Cli) -> None:
    assert "\nhi                   One short text.\n" in cli("scripted-model", "--list").out
    assert json.loads(cli("scripted-model", "--schema").out)["type"] == "object"
    ran = cli("scripted-model", "/no/such.yaml")
    assert ran.code == 3
    assert "/no/such.yaml" in ran.err


def test_the_scripted_model_answers_until_it_is_told_to_end(home: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_code_mcp", "scripted-model", "--record", str(tmp_path / "seen.jsonl")],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        url = line.split("ANTHROPIC_BASE_URL=")[1].split()[0]
        body = json.dumps({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "[s:hi]"}]})
        request = urllib.request.Request(f"{url}/v1/messages", body.encode(), {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert "Hello there" in answer.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert '"kind":"messages"' in (tmp_path / "seen.jsonl").read_text()


def test_daemon_status_starts_none(cli: Cli, state: Path) -> None:
    ran = cli("daemon", "status")
    assert ran == Ran(3, f"No daemon runs for {state}. Any command that needs one starts it.\n", "")
    assert json.loads(cli("daemon", "status", "--json").out) == {"running": False, "state_dir": str(state)}
    assert cli("daemon", "stop").out == "No daemon runs.\n"
    assert list(state.iterdir()) == []


LOG_LINE = '{"at":"2026-11-20T04:00:0%d.000000Z","level":"info","logger":"x","message":"\\u001b[31mm%d","n":%d}'


def test_the_end_of_the_log_is_shown_readably(cli: Cli, state: Path) -> None:
    (state / "daemon.log").write_text("".join(f"{LOG_LINE % (n, n, n)}\n" for n in range(5)) + "torn")
    assert cli("daemon", "logs", "-n", "2").out == (
        "2026-11-20T04:00:03.000000Z info x ␛[31mm3 n=3\n2026-11-20T04:00:04.000000Z info x ␛[31mm4 n=4\n"
    )
    assert cli("daemon", "logs", "-n", "1", "--json").out == f"{LOG_LINE % (4, 4, 4)}\n"
    assert len(cli("daemon", "logs").out.splitlines()) == 5
    assert cli("daemon", "logs", "-n", "0").out == ""


def test_a_log_larger_than_one_read_is_read_from_its_end(cli: Cli, state: Path) -> None:
    (state / "daemon.log").write_text("".join(f"line {n} {'x' * 300}\n" for n in range(2000)))
    shown = cli("daemon", "logs", "-n", "1000").out.splitlines()
    assert [shown[0].split()[1], shown[-1].split()[1], len(shown)] == ["1000", "1999", 1000]


def test_a_missing_log_says_why(cli: Cli) -> None:
    ran = cli("daemon", "logs")
    assert ran.code == 3
    assert "No daemon ran here yet." in ran.err


def test_the_log_is_followed_over_a_rotation(state: Path, home: Path) -> None:
    log = state / "daemon.log"
    log.write_text("one\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_code_mcp", "--state-dir", str(state), "daemon", "logs", "-f"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=subprocess.PIPE,
    )
    with process, contextlib.ExitStack() as held:
        held.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == b"one\n"
        with log.open("a") as file:
            file.write("two\n")
        assert process.stdout.readline() == b"two\n"
        log.rename(state / "daemon.log.1")
        log.write_text("three\n")
        assert process.stdout.readline() == b"three\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130


def test_a_closed_standard_output_is_no_error(home: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec {sys.executable} -m claude_code_mcp config show >&- <&-"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_output_that_nobody_reads_ends_quietly(state: Path, home: Path) -> None:
    (state / "daemon.log").write_text("x" * 99 + "\n" * 50_000)
    process = subprocess.Popen(
        [sys.executable, "-m", "claude_code_mcp", "--state-dir", str(state), "daemon", "logs", "-n", "50000"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_commands_written_by_hand_start_without_the_catalog() -> None:
    code = (
        "import sys; from claude_code_mcp.surfaces.cli.main import run;"
        "run(['daemon', 'status', '--json'], load=None, daemon=None, env={'HOME': '/nonexistent'});"
        "print(sorted({'pydantic', 'mcp', 'starlette', 'uvicorn', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().splitlines()[-1] == "[]"


def test_no_command_loads_a_web_server_or_the_sdk_only_to_show_its_help() -> None:
    code = (
        "import sys; sys.argv = ['claude-code-mcp', 'run', '--help'];"
        "from claude_code_mcp.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(sorted({'mcp', 'starlette', 'uvicorn'} & set(sys.modules)))"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.decode().splitlines()[-1] == "[]"
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
