"""From options to a command line: complete, and proof against any words in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude import patterns
from claude_code_mcp.platform.claude.errors import OptionInvalid
from claude_code_mcp.platform.claude.launch import FIXED, LaunchOptions, plan, session_hooks

_DIR = Path("/run/dir")
_A = "aaaaaaaa-1111-4111-8111-111111111111"
_B = "bbbbbbbb-1111-4111-8111-111111111111"

_BARE_FLAGS = {
    "--print", "--verbose", "--replay-user-messages", "--fork-session", "--strict-mcp-config", "--worktree", "--bare",
    "--include-partial-messages", "--include-hook-events", "--forward-subagent-text",
    "--allow-dangerously-skip-permissions",
}  # fmt: skip
_VALUE_FLAGS = {
    "--input-format", "--output-format", "--permission-prompt-tool", "--resume", "--resume-session-at", "--session-id",
    "--name", "--model", "--fallback-model", "--effort", "--thinking", "--agent", "--permission-mode", "--allowedTools",
    "--disallowedTools", "--tools", "--max-turns", "--max-budget-usd", "--json-schema", "--setting-sources",
    "--add-dir", "--plugin-dir", "--worktree", "--system-prompt-file", "--append-system-prompt-file", "--agents",
    "--settings", "--mcp-config",
}  # fmt: skip
_REPEATED = {"--add-dir", "--plugin-dir"}


def _parse(argv: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Read a command line as the CLI's parser (commander) does: no word may stand alone, none may be unknown."""
    for word in argv:
        flag, separator, value = word.partition("=")
        assert flag in (_VALUE_FLAGS if separator else _BARE_FLAGS), f"{word!r} would be read as something else"
        yield flag, value if separator else None


def _flags(options: LaunchOptions) -> dict[str, str | None]:
    parsed = list(_parse(plan(options, _DIR).argv))
    names = [name for name, _ in parsed if name not in _REPEATED]
    assert len(names) == len(set(names))
    return dict(parsed)


def test_a_plain_session_has_the_fixed_flags_only() -> None:
    assert plan(LaunchOptions(), _DIR).argv == FIXED
    assert plan(LaunchOptions(), _DIR).files == {}


_ALL = LaunchOptions(
    resume=_A,
    fork=True,
    resume_at=_B,
    session_id=_B,
    title="a title",
    model="opus",
    fallback_models=("sonnet", "haiku"),
    thinking="think-hard",
    agent="reviewer",
    permission_mode="plan",
    bypass_possible=True,
    allowed_tools=("Read", "Bash(git *, echo (a))"),
    disallowed_tools=("mcp__t__*",),
    tools=(),
    max_turns=3,
    max_budget_microusd=1_500_001,
    json_schema={"type": "object"},
    setting_sources=("user",),
    add_dirs=("/a", "/b,c d"),
    plugin_dirs=("/p",),
    strict_mcp_config=True,
    worktree="wt-1",
    partial_messages=True,
    hook_events=True,
    forward_subagent_text=True,
    bare=True,
    system_prompt="SP",
    append_system_prompt="AP",
    agents={"x": {"prompt": "p"}},
    settings={"model": "haiku"},
    mcp_config={"mcpServers": {}},
)
_ALL_ARGV = (
    *FIXED,
    f"--resume={_A}",
    "--fork-session",
    f"--resume-session-at={_B}",
    f"--session-id={_B}",
    "--name=a title",
    "--model=opus",
    "--fallback-model=sonnet,haiku",
    "--effort=high",
    "--agent=reviewer",
    "--permission-mode=plan",
    "--allow-dangerously-skip-permissions",
    "--allowedTools=Read,Bash(git *, echo (a))",
    "--disallowedTools=mcp__t__*",
    "--tools=",
    "--max-turns=3",
    "--max-budget-usd=1.500001",
    '--json-schema={"type":"object"}',
    "--setting-sources=user",
    "--add-dir=/a",
    "--add-dir=/b,c d",
    "--plugin-dir=/p",
    "--strict-mcp-config",
    "--worktree=wt-1",
    "--include-partial-messages",
    "--include-hook-events",
    "--forward-subagent-text",
    "--bare",
    "--system-prompt-file=/run/dir/system-prompt.txt",
    "--append-system-prompt-file=/run/dir/append-system-prompt.txt",
    "--agents=/run/dir/agents.json",
    "--settings=/run/dir/settings.json",
    "--mcp-config=/run/dir/mcp.json",
)
_ALL_FILES = {
    _DIR / "system-prompt.txt": b"SP",
    _DIR / "append-system-prompt.txt": b"AP",
    _DIR / "agents.json": b'{"x":{"prompt":"p"}}',
    _DIR / "settings.json": b'{"model":"haiku"}',
    _DIR / "mcp.json": b'{"mcpServers":{}}',
}


def test_every_option_becomes_its_flag() -> None:
    made = plan(_ALL, _DIR)
    assert made.argv == _ALL_ARGV
    assert made.files == _ALL_FILES
    assert list(_parse(made.argv))


@pytest.mark.parametrize(
    ("level", "flags"),
    [
        ("none", {"--thinking": "disabled", "--effort": "low"}),
        ("think", {"--effort": "medium"}),
        ("think-hard", {"--effort": "high"}),
        ("think-harder", {"--effort": "xhigh"}),
        ("ultrathink", {"--effort": "max"}),
    ],
)
def test_a_thinking_level_is_an_effort(level: str, flags: dict[str, str]) -> None:
    made = _flags(LaunchOptions(thinking=level))
    assert {name: made.get(name) for name in ("--thinking", "--effort") if name in made} == flags


def test_an_effort_wins_over_a_thinking_level() -> None:
    assert _flags(LaunchOptions(thinking="ultrathink", effort="low"))["--effort"] == "low"


@given(st.integers(1, 10**12))
def test_a_budget_is_written_exactly(amount: int) -> None:
    text = _flags(LaunchOptions(max_budget_microusd=amount))["--max-budget-usd"]
    assert text is not None
    whole, _, part = text.partition(".")
    assert int(whole) * 1_000_000 + int(part) == amount


_HOSTILE = st.text() | st.sampled_from(
    [
        "--version",
        "-h",
        "-c",
        "--dangerously-skip-permissions",
        "--mcp-config=/x",
        '--settings={"hooks":{"SessionStart":[{"hooks":[{"type":"command","command":"touch X"}]}]}}',
        "a --version",
        "a\n--version",
        "opus; rm -rf /",
        "$(id)",
        "`id`",
        "../../x",
        "a\0b",
        "\ud800",
        "Bash(git *) Edit",
        "Bash(",
        "Bash(a)b)",
        "Bash,Edit",
        "x" * 200_000,
        "",
    ]
)
_ONE = _HOSTILE
_MANY = st.lists(_HOSTILE, min_size=1, max_size=3).map(tuple)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "session_id": _ONE,
    "resume": _ONE,
    "model": _ONE,
    "fallback_models": _MANY,
    "permission_mode": _ONE,
    "allowed_tools": _MANY,
    "disallowed_tools": _MANY,
    "tools": _MANY,
    "agent": _ONE,
    "agents": st.dictionaries(_HOSTILE, _HOSTILE, max_size=2),
    "system_prompt": _ONE,
    "append_system_prompt": _ONE,
    "effort": _ONE,
    "thinking": _ONE,
    "json_schema": st.dictionaries(_HOSTILE, _HOSTILE, max_size=2),
    "add_dirs": _MANY,
    "plugin_dirs": _MANY,
    "settings": st.dictionaries(_HOSTILE, _HOSTILE, max_size=2),
    "setting_sources": _MANY,
    "mcp_config": st.dictionaries(_HOSTILE, _HOSTILE, max_size=2),
    "worktree": _ONE,
    "title": _ONE,
}


@given(st.sampled_from(sorted(_FIELDS)), st.data())
@example("model", None)
def test_no_value_can_become_a_flag_or_another_argument(name: str, data: Any) -> None:
    value: Any = "--version" if data is None else data.draw(_FIELDS[name])
    wish: dict[str, Any] = {name: value}
    try:
        made = plan(LaunchOptions(**wish), _DIR)
    except OptionInvalid:
        return
    parsed = list(_parse(made.argv))
    added = parsed[len(FIXED) :]
    wanted = len(value) if name in ("add_dirs", "plugin_dirs") else 1
    assert len(added) in ((0, 1, 2) if name == "thinking" else (0, wanted))
    assert [f"{flag}={text}" if text is not None else flag for flag, text in parsed[: len(FIXED)]] == list(FIXED)
    for word in made.argv:
        assert "\0" not in word
        assert len(word.encode()) <= 100_000
    assert set(made.files) <= {_DIR / name for name in _FILE_NAMES}


_FILE_NAMES = ("system-prompt.txt", "append-system-prompt.txt", "agents.json", "settings.json", "mcp.json")


@given(st.lists(_HOSTILE, min_size=1, max_size=4).map(tuple))
def test_a_list_of_tools_is_read_back_as_it_was(rules: tuple[str, ...]) -> None:
    """The CLI splits at commas and blanks outside of brackets; an entry must come out whole or be refused."""
    try:
        text = _flags(LaunchOptions(allowed_tools=rules))["--allowedTools"]
    except OptionInvalid:
        return
    assert text is not None
    assert tuple(_split(text)) == rules


@given(st.from_regex(patterns.TOOL_RULE, fullmatch=True))
def test_a_rule_that_fits_the_pattern_stays_whole(rule: str) -> None:
    try:
        patterns.tool_rule(rule)
    except OptionInvalid:
        assume(False)
    assert list(_split(rule)) == [rule]


def _split(text: str) -> Iterator[str]:
    depth, entry = 0, ""
    for char in text:
        depth += (char == "(") - (char == ")")
        if char in ", " and depth == 0:
            if entry:
                yield entry
            entry = ""
        else:
            entry += char
    if entry:
        yield entry


@pytest.mark.parametrize(
    "options",
    [
        LaunchOptions(fork=True),
        LaunchOptions(resume_at=_B),
        LaunchOptions(resume=_A, session_id=_B),
        LaunchOptions(resume="../../x"),
        LaunchOptions(resume=_A.upper()),
        LaunchOptions(resume=_A, fork=True, resume_at="--settings=.."),
        LaunchOptions(session_id="a" * 10_000),
        LaunchOptions(max_turns=0),
        LaunchOptions(max_budget_microusd=0),
        LaunchOptions(add_dirs=("relative",)),
        LaunchOptions(add_dirs=("-x",)),
        LaunchOptions(worktree="a..b"),
        LaunchOptions(worktree="a/b"),
        LaunchOptions(json_schema={"a": "x" * 200_000}),
        LaunchOptions(setting_sources=("user", "everything")),
        LaunchOptions(effort="extreme"),
    ],
)
def test_what_claude_code_would_refuse_or_misread_is_refused_before_anything_starts(options: LaunchOptions) -> None:
    with pytest.raises(OptionInvalid) as caught:
        plan(options, _DIR)
    assert caught.value.remedy


@pytest.mark.parametrize(
    "name",
    ["opus", "opusplan", "sonnet[1m]", "claude-opus-5-5", "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
     "claude-opus-4@20250514", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"],
)  # fmt: skip
def test_all_forms_of_model_names_pass(name: str) -> None:
    assert _flags(LaunchOptions(model=name))["--model"] == name


def test_secrets_in_settings_and_servers_do_not_reach_the_command_line() -> None:
    secret = "sk-ant-api03-secretsecretsecret"
    options = LaunchOptions(
        settings={"env": {"ANTHROPIC_API_KEY": secret}},
        mcp_config={"mcpServers": {"a": {"env": {"KEY": secret}}}},
        agents={"a": {"prompt": secret}},
        system_prompt=secret,
        append_system_prompt=secret,
    )
    made = plan(options, _DIR)
    assert secret not in " ".join(made.argv)
    assert secret not in repr(made)
    assert all(secret.encode() in content for content in made.files.values())


def test_hooks_in_the_spelling_of_the_documents_become_settings() -> None:
    hooks = session_hooks({"preToolUse": "echo a", "onError": "echo b", "Stop": "echo c"})
    assert json.loads(json.dumps(hooks)) == {
        "PreToolUse": [{"hooks": [{"type": "command", "command": "echo a"}]}],
        "PostToolUseFailure": [{"hooks": [{"type": "command", "command": "echo b"}]}],
        "Stop": [{"hooks": [{"type": "command", "command": "echo c"}]}],
    }
    with pytest.raises(OptionInvalid):
        session_hooks({"onSomething": "echo"})
