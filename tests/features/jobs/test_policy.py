"""The policy says what a command really runs, as far as a parser can tell; and jobs keep to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.jobs.rules.policy import Rule, Verdict, ruling
from claude_code_mcp.features.jobs.service.accepting import rules
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.platform.shell import commands
from tests.support.daemon import CallFailed, Terminal

DENY_PUSH = (Rule("git push *", Verdict.DENY),)


@pytest.mark.parametrize(
    "command",
    [
        "git push",
        "git push origin main",
        "g'i't \"push\" origin",
        "git \\push",
        "make && git push",
        "true; git push || true",
        "echo x | git push",
        "echo $(git push)",
        "echo `git push`",
        "cat <(git push)",
        "f() { git push; }; f",
        "if true; then git push; fi",
        "(git push)",
        "A=1 git push",
        "git push > log 2>&1",
        "/usr/bin/git push",
        "sudo git push",
        "sudo -u root -E git push",
        "sudo -uroot git push",
        "env -u HOME A=b git push",
        "nice -n 5 timeout -k 1 10 git push",
        "xargs -n 1 git push",
        "sh -c 'git push'",
        "bash -lc 'true && git push'",
        "sudo sh -c \"sh -c 'git push'\"",
        "eval git push",
        "find . -name x -exec git push {} \\;",
        "nohup git push &",
    ],
)
def test_a_denied_command_is_found_however_it_is_written(command: str) -> None:
    assert ruling(command, (), DENY_PUSH).verdict is Verdict.DENY


@pytest.mark.parametrize(
    "command",
    ["echo git push", "git pull", "gitpush", "git pushd", "grep 'git push' log", "echo 'a; git push'", "# git push"],
)
def test_words_that_are_only_data_are_no_command(command: str) -> None:
    assert ruling(command, (), DENY_PUSH).verdict is Verdict.ALLOW


def test_the_strictest_rule_holds_and_is_named() -> None:
    both = (Rule("rm *", Verdict.ASK), Rule("rm -rf *", Verdict.DENY), Rule("*", Verdict.ALLOW))
    assert ruling("ls && rm x", (), both).verdict is Verdict.ASK
    found = ruling("ls && rm -rf x", (), both)
    assert (found.verdict, found.command, found.rule) == (Verdict.DENY, "rm -rf x", "rm -rf *")
    assert ruling("", ("rm", "-rf", "x"), both).verdict is Verdict.DENY


def test_a_rule_that_is_none_is_refused() -> None:
    with pytest.raises(Invalid, match="no rule"):
        rules(["forbid(rm)"])


@given(st.text(max_size=200))
def test_any_text_has_its_commands(text: str) -> None:
    assert all(isinstance(word, str) for words in commands(text) for word in words)


def test_jobs_keep_to_the_policy(terminal: Terminal) -> None:
    terminal.hang_up()
    terminal.env["CLAUDE_CODE_MCP_JOB_POLICY"] = "deny(git push *) ask(rm *)"
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.execute", command="sh -c 'git push'")
    assert caught.value.code == "command_denied"
    assert "git push *" in caught.value.error["message"]
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.execute", argv=["rm", "nothing"])
    assert caught.value.code == "command_needs_consent"
    agreed = terminal.call("jobs.execute", argv=["rm", "-f", "nothing"], consent=True, wait_s=30)
    assert agreed["status"] == "completed"
