"""What of a client's environment its sessions see, and what becomes of secrets in text."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude import environment
from claude_code_mcp.platform.claude.environment import allowed, for_run
from claude_code_mcp.platform.claude.redaction import MARK, Scrubber, redact

# As seen in a hook and in an MCP server started by Claude Code 2.1.328.
_INSIDE_CLAUDE = {
    "AI_AGENT": "claude-code_2-1-328_harness",
    "CLAUDECODE": "1",
    "CLAUDE_PID": "17754",
    "CLAUDE_EFFORT": "medium",
    "CLAUDE_PROJECT_DIR": "/home/dev/proj",
    "CLAUDE_ENV_FILE": "/home/dev/.claude/session-env/x/sessionstart-hook-0.sh",
    "CLAUDE_PLUGIN_ROOT": "/p",
    "CLAUDE_PLUGIN_DATA": "/d",
    "CLAUDE_CODE_ENTRYPOINT": "sdk-cli",
    "CLAUDE_CODE_SESSION_ID": "52e51168-822f-44d6-a8cc-90706d090de2",
    "CLAUDE_CODE_SESSION_ATTENDED": "0",
    "CLAUDE_CODE_SESSION_ACCESS_TOKEN": "canary-session-token",
    "CLAUDE_CODE_CHILD_SESSION": "1",
    "CLAUDE_CODE_CHILD_NOTES_DIR": "/tmp/claude-0/x/started",
    "CLAUDE_CODE_MESSAGING_SOCKET": "/tmp/cc-socks/17754.sock",
    "CLAUDE_CODE_MESSAGING_TOKEN": "canary-messaging-token",
    "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS": "52e51168-822f-44d6-a8cc-90706d090de2",
    "CLAUDE_CODE_SSE_PORT": "12345",
    "CLAUDE_CODE_OAUTH_TOKEN_FILE_DESCRIPTOR": "5",
    "CLAUDE_CODE_EVEN_MORE_DANGEROUSLY_SKIP_PERMISSIONS": "1",
    "CLAUDE_AGENT_SDK_VERSION": "0.2.184",
}
_OWN = {
    "PATH": "/usr/bin",
    "HOME": "/home/dev",
    "USER": "dev",
    "LOGNAME": "dev",
    "SHELL": "/bin/sh",
    "TERM": "xterm",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "TMPDIR": "/tmp",
    "XDG_RUNTIME_DIR": "/run/user/1",
    "IS_SANDBOX": "1",
    "ANTHROPIC_API_KEY": "sk-ant-x",
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:1",
    "CLAUDE_CONFIG_DIR": "/c",
    "CLAUDE_CODE_OAUTH_TOKEN": "t",
    "CLAUDE_CODE_SESSIONS_OAUTH_TOKEN": "t",
    "CLAUDE_CODE_MAX_RETRIES": "2",
    "CLAUDE_CODE_MCP_HOME": "/m",
    "HTTPS_PROXY": "http://p",
    "no_proxy": "localhost",
    "NODE_EXTRA_CA_CERTS": "/ca",
    "SSL_CERT_FILE": "/ca",
    "MCP_TIMEOUT": "2000",
}
_FOREIGN = {
    "AWS_SECRET_ACCESS_KEY": "canary-aws",
    "GOOGLE_APPLICATION_CREDENTIALS": "/canary",
    "AZURE_CLIENT_SECRET": "canary-azure",
    "GITHUB_TOKEN": "canary-github",
    "DATABASE_URL": "postgres://u:canary@h/d",
    "LD_PRELOAD": "/canary.so",
    "NODE_OPTIONS": "--require /canary.js",
    "OLDPWD": "/",
}


def test_only_what_a_session_needs_passes() -> None:
    assert allowed({**_OWN, **_INSIDE_CLAUDE, **_FOREIGN}) == _OWN


@pytest.mark.parametrize(
    ("switch", "names"),
    [
        ("CLAUDE_CODE_USE_BEDROCK", {"AWS_SECRET_ACCESS_KEY"}),
        ("CLAUDE_CODE_USE_VERTEX", {"GOOGLE_APPLICATION_CREDENTIALS"}),
        ("CLAUDE_CODE_USE_FOUNDRY", {"AZURE_CLIENT_SECRET"}),
    ],
)
def test_a_clouds_variables_pass_only_while_it_is_in_use(switch: str, names: set[str]) -> None:
    assert set(allowed({**_FOREIGN, switch: "1"})) == {switch, *names}
    for off in ("", "0", "false", "No"):
        assert set(allowed({**_FOREIGN, switch: off})) == {switch}


def test_more_names_can_be_let_through_but_not_those_of_a_surrounding_session() -> None:
    env = {**_FOREIGN, **_INSIDE_CLAUDE, "MY_A": "1", "MY_B": "2"}
    assert set(allowed(env, ["MY_*", "GITHUB_TOKEN", "CLAUDECODE", "CLAUDE_CODE_SESSION_*"])) == {
        "MY_A",
        "MY_B",
        "GITHUB_TOKEN",
    }


def test_a_run_gets_its_clients_environment_the_wishes_and_ours() -> None:
    env = for_run({"PATH": "/bin", "A": "1"}, {"A": "2"})
    assert env == {"PATH": "/bin", "A": "2", "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"}


@pytest.mark.parametrize("wish", [{"": "x"}, {"A=B": "x"}, {"A\0": "x"}, {"A": "x\0y"}])
def test_a_wish_that_is_no_variable_is_refused(wish: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="environment variable"):
        for_run({}, wish)


def test_the_filter_needs_the_standard_library_only_and_starts_fast() -> None:
    """The relay imports it at each start."""
    tree = ast.parse(Path(environment.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"collections.abc"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    code = (
        "import sys; import claude_code_mcp.platform.claude.environment;"
        " print([name for name in ('re', 'msgspec', 'json', 'pydantic', 'asyncio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[]"


_SECRETS = [
    "sk-ant-api03-" + "Ab1_-" * 8,
    "sk-proj-" + "a1B2" * 6,
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_" + "a" * 36,
    "github_pat_" + "a1_" * 10,
    "glpat-" + "x" * 20,
    "xoxb-123456789012-abcdef",
    "AIza" + "x" * 35,
    "npm_" + "a" * 36,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("secret", _SECRETS)
def test_what_is_shaped_like_a_secret_is_taken_out(secret: str) -> None:
    for text in (secret, f"key={secret}\nnext", f'{{"a":"{secret}"}}', f"Authorization: Bearer {secret}, x"):
        assert secret not in redact(text)
        assert MARK in redact(text)
    assert Scrubber().hits(secret.encode())


@pytest.mark.parametrize("value", ["long " * 100_000, "([x+*?)|\\\\", "naïve\u2028pass", "\udcff\udcfe-bytes"])
def test_a_value_of_the_environment_is_seen_whatever_it_is_made_of(value: str) -> None:
    scrubber = Scrubber({"MY_SECRET": value})
    assert scrubber.hits(json.dumps({"a": value}).encode())
    assert not scrubber.hits(b'{"a":"nothing of it"}')


def test_a_private_key_is_taken_out_whole_or_cut() -> None:
    head, body = "-----BEGIN OPENSSH PRIVATE KEY-----", "b3BlbnNzaC1rZXktdjEAAAAA\n" * 3
    whole = f"a\n{head}\n{body}-----END OPENSSH PRIVATE KEY-----\nb"
    assert redact(whole) == f"a\n{MARK}\nb"
    assert redact(f"a {head}\n{body}") == f"a {MARK}"


def test_a_password_in_a_url_is_taken_out_and_the_rest_stays() -> None:
    assert redact("postgres://user:hunter2@db/x") == f"postgres://user:{MARK}@db/x"
    assert redact("https://example.org/a@b") == "https://example.org/a@b"


_ENV = {
    "DEPLOY_PASSWORD": "correct horse battery",
    "MY_API_KEY": "k-123456789",
    "DATABASE_URL": "postgres://u:p4ssw0rdlong@h/d",
    "GIT_AUTHOR_NAME": "John Smith",
    "KEYBOARD": "us-international",
    "TOKENIZERS_PARALLELISM": "false",
    "SSH_AUTH_SOCK": "/run/agent.sock",
    "SHORT_TOKEN": "abc",
    "WORD_TOKEN": "assistant",
}


def test_values_of_secret_looking_variables_are_taken_out_and_no_others() -> None:
    text = " ".join(_ENV.values())
    assert redact(text, _ENV) == (
        f"{MARK} {MARK} {MARK} John Smith us-international false /run/agent.sock abc assistant"
    )
    assert redact("p4ssw0rdlong alone", _ENV) == f"{MARK} alone"


def test_the_scrubber_does_not_show_what_it_knows() -> None:
    assert "correct" not in repr(Scrubber(_ENV))


_TEXT = st.text(max_size=20)


@given(_TEXT, _TEXT, _TEXT)
def test_no_secret_of_the_environment_survives_in_decoded_json(part: str, before: str, after: str) -> None:
    secret = f"Secret#{part}#A1"
    value = {"x": [before + secret + after, {"y": secret}], secret: 1}
    scrubbed = Scrubber({"A_SECRET": secret}).value(value)
    assert all(secret not in text for text in [*scrubbed, scrubbed["x"][0], scrubbed["x"][1]["y"]])


@given(st.text(max_size=200))
def test_text_without_secrets_stays_as_it_is_or_gets_shorter_marks(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
