"""Command lines as they are shown: without what opens doors, otherwise as they are."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude.command_secrets import command_shown


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("mysql --password=hunter2 db", "mysql --password=[redacted] db"),
        ("tool --token abcdef -v", "tool --token [redacted] -v"),
        ("npx x --api-key 's3 cret' y", "npx x --api-key [redacted] y"),
        ("DB_PASSWORD=hunter2 app", "DB_PASSWORD=[redacted] app"),
        ("env GITHUB_TOKEN=abc make", "env GITHUB_TOKEN=[redacted] make"),
        ("curl -H 'Authorization: Bearer abc.def' u", "curl -H 'Authorization: Bearer [redacted]' u"),
        ("curl -s -u me:passw0rd https://h/", "curl -s -u me:[redacted] https://h/"),
        ("psql postgres://u:secretpw@h/db", "psql postgres://u:[redacted]@h/db"),
        ("x --token-file /a --max-tokens 5 --password", "x --token-file /a --max-tokens 5 --password"),
        ("x --secret --other", "x --secret --other"),
        ("echo tokens and a password here", "echo tokens and a password here"),
        ("git push && npm test", "git push && npm test"),
    ],
)
def test_what_is_secret_in_a_command_line_is_taken_out(command: str, shown: str) -> None:
    assert command_shown(command) == shown


@given(st.text(max_size=300))
def test_any_command_line_can_be_shown_and_shown_again(command: str) -> None:
    once = command_shown(command)
    assert command_shown(once) == once or "[redacted]" in once


def test_a_long_command_line_takes_no_time() -> None:
    began = time.process_time()
    command_shown("curl " + "a-" * 60_000)
    command_shown("curl " + "-u" * 20_000)
    command_shown("a_" * 60_000 + "--x-" * 20_000)
    assert time.process_time() - began < 5
