"""On the command line tools are called by their commands, and Claude's own words are left alone."""

import pytest

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.cli.wording import Wording


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording(build_catalog().on(Surface.CLI))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("session_list shows the known ones.", "`sessions list` shows the known ones."),
        (
            "next: session_wait(session_id, cursor) waits; claude_abort stops it.",
            "next: `claude-code-mcp sessions wait SESSION_ID --cursor CURSOR` waits; `sessions abort` stops it.",
        ),
        (
            '  answer with approval_answer(approval_id="a-1", decision="allow"|"deny")',
            "  answer with `claude-code-mcp approvals answer a-1 allow|deny`",
        ),
        ("next: processes_reap(apply=true) ends it.", "next: `claude-code-mcp reap --apply` ends it."),
        ("the field session_id and claude_unknown stay", "the field session_id and claude_unknown stay"),
    ],
)
def test_tools_are_called_by_their_commands(wording: Wording, said: str, shown: str) -> None:
    assert wording.said(said) == shown


def test_only_our_own_lines_of_a_reply_are_translated(wording: Wording) -> None:
    reply = "Call session_wait(session_id) in your code.\nnext: session_wait(session_id, cursor)"
    assert wording.reply(reply) == (
        "Call session_wait(session_id) in your code.\nnext: `claude-code-mcp sessions wait SESSION_ID --cursor CURSOR`"
    )
