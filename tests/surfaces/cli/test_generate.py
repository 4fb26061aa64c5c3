"""Every operation is a command: its fields, its help, its JSON, its errors."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.cli.conftest import Cli
from tests.surfaces.cli.rpc_server import RpcServer


def got(cli: Cli, *argv: str, stdin: bytes = b"") -> Any:
    ran = cli("things", "try-all", "--json", *argv, stdin=stdin)
    assert ran.code == 0, ran
    return json.loads(ran.out)["got"]


@pytest.mark.parametrize(
    ("argv", "fields"),
    [
        ([], {}),
        (["do it"], {"prompt": "do it"}),
        (["--flag"], {"flag": True}),
        (["--no-flag"], {"flag": False}),
        (["--no-cache"], {"no_cache": True}),
        (["--cache"], {"no_cache": False}),
        (["--count", "4"], {"count": 4}),
        (["--ratio", "0.5"], {"ratio": 0.5}),
        (["--wait-s", "1h30m"], {"wait_s": 5400}),
        (["--wait-s", "90"], {"wait_s": 90}),
        (["--wait-s", "2.5"], {"wait_s": 2.5}),
        (["--colour", "blue"], {"colour": "blue"}),
        (["--scope", "all"], {"scope": "all"}),
        (
            ["--rules", "Read,Bash(git log:*, x)", "--rules", "Edit"],
            {"rules": ["Read", "Bash(git log:*, x)", "Edit"]},
        ),
        (["--rules", '["a,b"]'], {"rules": ["a,b"]}),
        (["--colours", "red,blue"], {"colours": ["red", "blue"]}),
        (["--inners", '{"name":"a"}', "--inners", '{"name":"b"}'], {"inners": [{"name": "a"}, {"name": "b"}]}),
        (["--inners", '[{"name":"a"}]'], {"inners": [{"name": "a"}]}),
        (["--labels", "a=1", "--labels", "b=x=y"], {"labels": {"a": "1", "b": "x=y"}}),
        (["--labels", '{"a":"1","b":"2"}'], {"labels": {"a": "1", "b": "2"}}),
        (["--limits", "a=1"], {"limits": {"a": 1}}),
        (["--inner", '{"name":"a","size":2}'], {"inner": {"name": "a", "size": 2}}),
        (["--free", "a=1", "--free", "b=text", "--free", "c={}"], {"free": {"a": "1", "b": "text", "c": {}}}),
        (["--either", "text"], {"either": "text"}),
        (["--either", '{"a":1}'], {"either": {"a": 1}}),
        (["--since", "2026-11-20T04:20:00+02:00"], {"since": "2026-11-20T02:20:00Z"}),
        (["--", "--version"], {"prompt": "--version"}),
        (["--prompt", "by flag"], {"prompt": "by flag"}),
    ],
)
def test_each_kind_of_field_is_read_from_the_command_line(
    cli: Cli, server: RpcServer, argv: list[str], fields: dict[str, Any]
) -> None:
    if argv and not argv[0].startswith("-"):
        assert got(cli, "a", *argv) == {"thing_id": "a", **fields}
    elif argv[:1] == ["--"]:
        assert got(cli, "--", "a", *argv[1:]) == {"thing_id": "a", **fields}
    else:
        assert got(cli, *argv, "a") == {"thing_id": "a", **fields}


def test_paths_count_from_the_current_directory(
    cli: Cli, server: RpcServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert got(cli, "a", "-C", "proj", "--at", "../x", "--add-dirs", "b,/c") == {
        "thing_id": "a",
        "project_path": f"{tmp_path}/proj",
        "at": f"{tmp_path}/../x",
        "add_dirs": [f"{tmp_path}/b", "/c"],
    }


def test_a_document_can_be_read_from_a_file(cli: Cli, server: RpcServer, tmp_path: Path) -> None:
    (tmp_path / "doc.json").write_text('{"name": "from file"}')
    assert got(cli, "a", "--inner", f"@{tmp_path}/doc.json")["inner"] == {"name": "from file"}
    ran = cli("things", "try-all", "a", "--inner", f"@{tmp_path}/none.json")
    assert (ran.code, ran.out) == (2, "")
    assert "none.json cannot be read" in ran.err


def test_a_dash_reads_a_long_prompt_from_standard_input(cli: Cli, server: RpcServer) -> None:
    prompt = "é\n" * 500_000
    assert got(cli, "a", "-", stdin=prompt.encode())["prompt"] == prompt


def test_standard_input_that_is_no_text_is_refused(cli: Cli, server: RpcServer) -> None:
    ran = cli("things", "try-all", "a", "-", stdin=b"ok\xff")
    assert ran.code == 2
    assert "not UTF-8 at byte 2" in ran.err


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--count", "many"], "whole number"),
        (["--ratio", "x"], "not a number"),
        (["--wait-s", "soon"], "no span of time"),
        (["--wait-s", ""], "no span of time"),
        (["--since", "tomorrow"], "no time"),
        (["--colour", "green"], "'red', 'blue'"),
        (["--labels", "a"], "KEY=VALUE"),
        (["--labels", "{]"], "not JSON"),
        (["--rules", "[1"], "not JSON"),
        (["--inner", "x"], "not JSON"),
        (["--counts", "1"], "--count"),
        (["--either", "\udcff"], "UTF-8"),
        (["--at", "\udcff"], "path"),
    ],
)
def test_a_word_that_does_not_fit_is_a_usage_error_that_names_it(
    cli: Cli, server: RpcServer, argv: list[str], word: str
) -> None:
    ran = cli("things", "try-all", "a", *argv)
    assert (ran.code, ran.out) == (2, "")
    assert word in ran.err
    assert ran.err.endswith("(usage)\n")
    assert server.seen == []


def test_what_is_required_may_be_given_by_its_flag_and_is_missed_otherwise(cli: Cli, server: RpcServer) -> None:
    assert got(cli, "--thing-id", "a") == {"thing_id": "a"}
    ran = cli("things", "try-all", "--flag")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: Missing argument 'THING_ID'.")


def test_bounds_are_the_daemons_word(cli: Cli, server: RpcServer) -> None:
    ran = cli("things", "try-all", "a", "--count", "11")
    assert ran.code == 2
    assert "count: Input should be less than or equal to 10" in ran.err
    assert ran.err.endswith("(invalid)\n")


def test_text_for_a_person_shows_control_characters(cli: Cli, server: RpcServer) -> None:
    assert cli("things", "show", "a").out == "thing a ␛[31mred\n"


def test_json_is_exactly_the_reply(cli: Cli, server: RpcServer) -> None:
    assert cli("things", "show", "a\x9b", "--json").out == '{"thing_id":"a\\u009b","outcome":{"ok":true}}\n'


def test_an_error_goes_to_standard_error_with_its_exit_code(cli: Cli, server: RpcServer) -> None:
    ran = cli("things", "show", "none")
    assert (ran.code, ran.out) == (3, "")
    assert ran.err == "error: There is no thing 'none'. Make one. (thing_not_found)\n"


def test_an_error_for_a_program_is_one_json_object(cli: Cli, server: RpcServer) -> None:
    ran = cli("things", "show", "none", "--json")
    assert (ran.code, ran.err) == (3, "")
    assert json.loads(ran.out) == {
        "error": {
            "code": "thing_not_found",
            "message": "There is no thing 'none'.",
            "remedy": "Make one.",
            "details": {"thing_id": "none"},
        }
    }


def test_a_usage_error_for_a_program_is_json_too(cli: Cli) -> None:
    ran = cli("things", "try-all", "--json", "--nonsense")
    assert ran.code == 2
    assert json.loads(ran.out)["error"]["code"] == "usage"


def test_an_answer_that_is_an_error_of_claude_exits_with_ten(cli: Cli, server: RpcServer) -> None:
    assert cli("things", "show", "wrong").code == 10


def test_a_bug_of_the_daemon_exits_with_one(cli: Cli, server: RpcServer) -> None:
    assert cli("things", "show", "bug").code == 1


def test_the_environment_that_is_sent_holds_only_what_a_session_may_see(cli: Cli, server: RpcServer) -> None:
    cli("poke")
    assert server.peers[0].env["ANTHROPIC_API_KEY"] == "k"
    assert "SECRET" not in server.peers[0].env


def test_the_help_of_a_command_has_its_text_fields_and_examples(cli: Cli) -> None:
    shown = cli("things", "try-all", "--help").out
    for part in (
        "Usage: claude-code-mcp things try-all [OPTIONS] THING_ID [PROMPT]",
        "  - as it is\n",
        "Arguments:\n  THING_ID  The thing.\n  [PROMPT]  What to do.\n",
        "--count NUMBER",
        "How many. [at least 1, at most 10, default 3]",
        "--colour [red|blue]",
        "-C, --project-path PATH",
        "  --no-cache  ",
        "--labels KEY=VALUE",
        "Examples:\n    claude-code-mcp things try-all a --count 3\n",
    ):
        assert part in shown


def test_the_programs_help_lists_features_and_exit_codes(cli: Cli) -> None:
    shown = cli("--help").out
    assert "\nThings:\n  things          show, try-all\n  poke            Poke all things.\n\nThis program:\n" in shown
    assert "hidden" not in shown
    assert "Exit codes: 0 done" in shown
    for name in ("run", "attach", "demo", "serve", "daemon", "completion"):
        assert f"\n  {name} " in shown


def test_an_unknown_command_names_the_nearest(cli: Cli) -> None:
    ran = cli("thigns")
    assert ran.code == 2
    assert "There is no command 'thigns'. Did you mean things?" in ran.err
    assert "Did you mean show?" in cli("things", "shw").err


def test_the_version_needs_no_catalog_and_no_daemon(cli: Cli) -> None:
    assert cli("--version").out.startswith("claude-code-mcp ")
