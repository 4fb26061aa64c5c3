import ast
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs
import pytest
from pydantic import ValidationError

from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.errors import FileBroken, FileRefused
from claude_code_mcp.platform.settings import client_env, config_file, sources
from claude_code_mcp.platform.settings.errors import InvalidSetting, UnknownSetting, UnsafeConfig
from claude_code_mcp.platform.settings.model import Settings, all_settings

Load = Callable[..., Settings]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path)}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = client_env.config_path({"HOME": str(tmp_path)})
    path.parent.mkdir(parents=True)
    return path


def test_nothing_set_gives_the_defaults(env: dict[str, str], tmp_path: Path) -> None:
    settings = sources.load(env)
    assert settings.state_dir == tmp_path / ".local/state/claude-code-mcp"
    assert (settings.max_concurrent_sessions, settings.session_timeout_ms) == (100, 86_400_000)
    assert (settings.idle_exit_s, settings.session_idle_s, settings.wait_default_s) == (1800, 600, 45)
    assert settings.max_starts >= 1
    assert settings.approval_timeout_s is None
    assert {settings.origin(found.name) for found in all_settings()} == {"default"}


def test_a_flag_is_before_the_environment_before_the_file(env: dict[str, str], config: Path) -> None:
    config.write_text("max_starts = 2\nwait_default_s = 2\nsession_idle_s = 2\n")
    env |= {"CLAUDE_CODE_MCP_MAX_STARTS": "3", "CLAUDE_CODE_MCP_WAIT_DEFAULT_S": "3"}
    settings = sources.load(env, {"max_starts": 4, "log_files": None})
    assert (settings.max_starts, settings.wait_default_s, settings.session_idle_s) == (4, 3, 2)
    assert settings.origin("max_starts") == "flag"
    assert settings.origin("wait_default_s") == "env CLAUDE_CODE_MCP_WAIT_DEFAULT_S"
    assert settings.origin("session_idle_s") == f"file {config}"
    assert settings.origin("log_files") == "default"


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("CLAUDE_CODE_BINARY", "/opt/claude", "claude_binary", Path("/opt/claude")),
        ("CLAUDE_CODE_BINARY", "claude", "claude_binary", Path("claude")),
        ("CLAUDE_DEFAULT_MODEL", "opus", "default_model", "opus"),
        ("CLAUDE_MCP_DEBUG", "true", "debug", True),
        ("DEFAULT_WORKING_DIRECTORY", "/workspace", "default_working_directory", Path("/workspace")),
        ("DEFAULT_ALLOWED_TOOLS", "Read,Write,Edit", "default_allowed_tools", ("Read", "Write", "Edit")),
        ("DEFAULT_ALLOWED_TOOLS", "Bash(a:*, b:*) Read", "default_allowed_tools", ("Bash(a:*, b:*)", "Read")),
        ("MAX_CONCURRENT_SESSIONS", "7", "max_concurrent_sessions", 7),
        ("SESSION_TIMEOUT_MS", "3600000", "session_timeout_ms", 3_600_000),
        ("LOG_LEVEL", "WARN", "log_level", "warning"),
        ("CLAUDE_CODE_MCP_HOME", "/x", "state_dir", Path("/x")),
        ("CLAUDE_CODE_MCP_LINE_LIMIT_BYTES", "1 MiB", "line_limit_bytes", 2**20),
        ("CLAUDE_CODE_MCP_APPROVAL_TIMEOUT_S", "none", "approval_timeout_s", None),
        ("CLAUDE_CODE_MCP_EXTRA_ENV", "FOO, BAR_*", "extra_env", ("FOO", "BAR_*")),
        ("CLAUDE_CODE_MCP_NPM_REGISTRY", "http://127.0.0.1:1/", "npm_registry", "http://127.0.0.1:1"),
    ],
)
def test_names_in_the_environment_are_honoured(
    env: dict[str, str], variable: str, text: str, name: str, value: object
) -> None:
    settings = sources.load(env | {variable: text})
    assert getattr(settings, name) == value
    assert settings.origin(name) == f"env {variable}"


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_is_unset(env: dict[str, str], empty: str) -> None:
    settings = sources.load(env | {"MAX_CONCURRENT_SESSIONS": empty, "CLAUDE_MCP_DEBUG": empty})
    assert (settings.max_concurrent_sessions, settings.debug) == (100, False)


def test_our_own_name_is_before_that_of_the_documents(env: dict[str, str]) -> None:
    settings = sources.load(env | {"LOG_LEVEL": "error", "CLAUDE_CODE_MCP_LOG_LEVEL": "debug"})
    assert settings.log_level == "debug"


def test_debug_wins_over_the_log_level(env: dict[str, str]) -> None:
    assert sources.load(env | {"LOG_LEVEL": "error", "CLAUDE_MCP_DEBUG": "1"}).effective_log_level == "debug"
    assert sources.load(env | {"LOG_LEVEL": "error"}).effective_log_level == "error"


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        (
            "MAX_CONCURRENT_SESSIONS",
            "0",
            ["max_concurrent_sessions", "'0'", "env MAX_CONCURRENT", "at least 1 and at most"],
        ),
        ("SESSION_TIMEOUT_MS", "soon", ["session_timeout_ms", "'soon'", "at least 1000"]),
        ("LOG_LEVEL", "loud", ["'loud'", "'debug', 'info', 'warning' or 'error'"]),
        ("CLAUDE_MCP_DEBUG", "perhaps", ["debug", "'perhaps'", "boolean"]),
        ("DEFAULT_WORKING_DIRECTORY", "here/there", ["default_working_directory", "absolute path"]),
        ("CLAUDE_CODE_MCP_HOME", "state", ["state_dir", "absolute path"]),
        ("CLAUDE_CODE_MCP_DISK_LOW_BYTES", "1KiB", ["disk_critical_bytes (209715200)", "disk_low_bytes (1024)"]),
        ("CLAUDE_CODE_MCP_EXTRA_ENV", "*", ["extra_env", "not a variable's name"]),
        ("CLAUDE_CODE_MCP_EXTRA_ENV", "A=B", ["extra_env", "not a variable's name"]),
        ("CLAUDE_CODE_MCP_IDLE_EXIT_S", "nan", ["idle_exit_s", "a number, at least 0"]),
        ("CLAUDE_CODE_MCP_IDLE_EXIT_S", "-1", ["idle_exit_s", "a number, at least 0"]),
        ("CLAUDE_CODE_MCP_APPROVAL_ON_TIMEOUT", "allow", ["approval_on_timeout", "'deny' or 'wait'"]),
    ],
)
def test_a_bad_value_is_named_with_its_origin_and_its_bounds(
    env: dict[str, str], variable: str, text: str, words: list[str]
) -> None:
    with pytest.raises(InvalidSetting) as caught:
        sources.load(env | {variable: text})
    assert [word for word in words if word not in caught.value.message] == []
    assert caught.value.remedy


def test_all_bad_values_are_told_at_once(env: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting, match=r"log_level.*; .*max_starts|max_starts.*; .*log_level"):
        sources.load(env | {"LOG_LEVEL": "x", "CLAUDE_CODE_MCP_MAX_STARTS": "x"})


def test_a_password_in_a_bad_url_is_not_repeated(env: dict[str, str]) -> None:
    with pytest.raises(InvalidSetting) as caught:
        sources.load(env | {"CLAUDE_CODE_MCP_NPM_REGISTRY": "ftp://me:hunter22@host"})
    assert "hunter22" not in str(caught.value)


def test_an_unknown_key_in_the_file_names_the_nearest(env: dict[str, str], config: Path) -> None:
    config.write_text("max_concurent_sessions = 3\n")
    with pytest.raises(UnknownSetting) as caught:
        sources.load(env)
    assert str(config) in caught.value.message
    assert "`max_concurrent_sessions`" in caught.value.remedy


def test_the_state_directory_does_not_come_from_the_file(env: dict[str, str], config: Path) -> None:
    config.write_text('state_dir = "/x"\n')
    with pytest.raises(InvalidSetting, match="cannot be set"):
        sources.load(env)
    with pytest.raises(InvalidSetting, match="cannot be set"):
        config_file.plan_set(config, "state_dir", "/x", env)


def test_an_unknown_flag_is_our_own_mistake_and_says_so(env: dict[str, str]) -> None:
    with pytest.raises(UnknownSetting):
        sources.load(env, {"nonsense": 1})


@pytest.mark.parametrize(("text", "error"), [("a = ", FileBroken), ("log_level = 3", InvalidSetting)])
def test_a_broken_file_is_told(env: dict[str, str], config: Path, text: str, error: type[Invalid]) -> None:
    config.write_text(text)
    with pytest.raises(error, match=r"config\.toml"):
        sources.load(env)


def test_a_file_that_others_can_write_is_refused(env: dict[str, str], config: Path) -> None:
    config.write_text("")
    config.chmod(0o666)
    with pytest.raises(UnsafeConfig):
        sources.load(env)


def test_a_fifo_as_configuration_does_not_hang(env: dict[str, str], config: Path) -> None:
    os.mkfifo(config)
    with pytest.raises(FileRefused):
        sources.load(env)


def test_settings_cannot_be_changed(env: dict[str, str]) -> None:
    settings = sources.load(env)
    with pytest.raises(ValidationError):
        settings.max_starts = 3
    with pytest.raises(UnknownSetting):
        settings.origin("nonsense")


def test_a_daemon_does_not_take_the_choices_of_the_client_that_started_it(env: dict[str, str]) -> None:
    first = env | {"CLAUDE_DEFAULT_MODEL": "opus", "SESSION_TIMEOUT_MS": "5000", "LOG_LEVEL": "error"}
    daemon = sources.load(first, client_env=False)
    assert (daemon.default_model, daemon.session_timeout_ms, daemon.log_level) == (None, 86_400_000, "error")
    assert sources.for_client(daemon, first).default_model == "opus"
    assert sources.for_client(daemon, env) is daemon


def test_a_client_sets_values_for_its_own_calls(env: dict[str, str], config: Path) -> None:
    config.write_text('default_model = "haiku"\ndefault_allowed_tools = ["Read"]\n')
    daemon = sources.load(env)
    client = {"CLAUDE_DEFAULT_MODEL": "opus", "MAX_CONCURRENT_SESSIONS": "1", "DEFAULT_ALLOWED_TOOLS": ""}
    assert sources.client_overrides(client) == {"default_model": "opus"}
    settings = sources.for_client(daemon, client)
    assert (settings.default_model, settings.default_allowed_tools) == ("opus", ("Read",))
    assert settings.max_concurrent_sessions == 100
    assert settings.origin("default_model") == "client env CLAUDE_DEFAULT_MODEL"
    assert settings.origin("default_allowed_tools") == f"file {config}"
    with pytest.raises(InvalidSetting, match="client env SESSION_TIMEOUT_MS"):
        sources.for_client(daemon, {"SESSION_TIMEOUT_MS": "x"})


def test_setting_and_unsetting_keep_comments(env: dict[str, str], config: Path) -> None:
    config.write_text("# mine\nmax_starts = 2 # two\n")
    config.chmod(0o600)
    editor.apply(config_file.plan_set(config, "max_starts", "3", env))
    editor.apply(config_file.plan_set(config, "disk_low_bytes", "2GiB", env))
    editor.apply(config_file.plan_set(config, "default_allowed_tools", "Read,Edit", env))
    editor.apply(config_file.plan_set(config, "debug", "yes", env))
    editor.apply(config_file.plan_set(config, "approval_timeout_s", "none", env))
    assert config.read_text() == (
        '# mine\nmax_starts = 3 # two\ndisk_low_bytes = 2147483648\ndefault_allowed_tools = ["Read", "Edit"]\n'
        'debug = true\napproval_timeout_s = "none"\n'
    )
    assert sources.load(env).disk_low_bytes == 2**31
    editor.apply(config_file.plan_unset(config, "max_starts"))
    assert "max_starts" not in config.read_text()


@pytest.mark.parametrize(("name", "value"), [("max_starts", "0"), ("max_start", "1"), ("log_level", "loud")])
def test_a_bad_value_never_reaches_the_file(env: dict[str, str], config: Path, name: str, value: str) -> None:
    with pytest.raises(Invalid):
        config_file.plan_set(config, name, value, env)


def test_every_setting_can_be_set_to_its_default(env: dict[str, str], config: Path) -> None:
    for found in all_settings():
        if found.scope == "home":
            continue
        text = ",".join(found.default) if isinstance(found.default, tuple) else str(found.default).lower()
        if found.default is None and found.name in {"claude_binary", "default_model", "default_working_directory"}:
            continue
        editor.apply(config_file.plan_set(config, found.name, text, env))
    settings = sources.load(env)
    plain = sources.load({**env, "CLAUDE_CODE_MCP_CONFIG": "/nowhere/config.toml"})
    assert settings.model_dump() == plain.model_dump()


def test_each_setting_says_what_it_is() -> None:
    names = [variable for found in all_settings() for variable in found.env]
    assert len(names) == len(set(names))
    for found in all_settings():
        assert found.description.endswith("."), found.name
        assert found.name.endswith("_ms") == (found.unit == "milliseconds"), found.name
        assert found.name.endswith("_bytes") == (found.unit == "bytes"), found.name
        assert found.name.endswith("_s") == (found.unit == "seconds"), found.name


def test_the_names_of_clients_are_those_of_the_model() -> None:
    names = [variable for found in all_settings() if found.scope == "client" for variable in found.env]
    assert sorted(client_env.CLIENT_NAMES) == sorted(names)


def test_the_relay_passes_what_clients_and_users_named(env: dict[str, str], config: Path) -> None:
    assert client_env.relay_names(env) == client_env.CLIENT_NAMES
    config.write_text('extra_env = ["FOO", "BAR_*"]\n')
    assert client_env.relay_names(env) == (*client_env.CLIENT_NAMES, "FOO", "BAR_*")
    assert client_env.relay_names(env | {client_env.EXTRA_NAME: "BAZ"}) == (*client_env.CLIENT_NAMES, "BAZ")
    config.write_text("broken")
    assert client_env.relay_names(env) == client_env.CLIENT_NAMES


@pytest.mark.parametrize("xdg", [None, "/somewhere", "relative", ""])
def test_the_configuration_is_where_platformdirs_says(monkeypatch: pytest.MonkeyPatch, xdg: str | None) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if xdg is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", xdg)
    found = client_env.config_path(os.environ, darwin=sys.platform == "darwin")
    assert found == Path(platformdirs.user_config_dir("claude-code-mcp")) / "config.toml"


def test_the_configuration_can_be_named() -> None:
    named: Mapping[str, str] = {"HOME": "/h", "CLAUDE_CODE_MCP_CONFIG": "~/c.toml"}
    assert client_env.config_path(named) == Path("/h/c.toml")
    assert client_env.config_path({"HOME": "/h"}, darwin=True).is_relative_to("/h/Library/Application Support")


def test_the_relay_part_needs_only_the_standard_library() -> None:
    tree = ast.parse(Path(client_env.__file__).read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names) | {"collections.abc"}


def test_reading_settings_does_not_pay_for_the_editor() -> None:
    code = (
        "import sys; from claude_code_mcp.platform.settings.sources import load; load({'HOME': '/nowhere'});"
        "print({'tomlkit', 'anyio', 'mcp', 'rich', 'asyncio'} & set(sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    assert shown.stdout.strip() == "set()"
