"""Where settings come from, and how the values of all places become one object."""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from claude_code_mcp.platform.files.editor import read_text
from claude_code_mcp.platform.files.errors import BrokenText, FileBroken
from claude_code_mcp.platform.files.toml_text import load_toml
from claude_code_mcp.platform.ipc.address import state_dir
from claude_code_mcp.platform.settings.client_env import config_path
from claude_code_mcp.platform.settings.errors import InvalidSetting, UnsafeConfig
from claude_code_mcp.platform.settings.model import About, Settings, about, all_settings, unknown


def load(env: Mapping[str, str], flags: Mapping[str, Any] | None = None, *, client_env: bool = True) -> Settings:
    """Return the settings: flags before `env` before `config.toml` before defaults; an empty variable is unset.

    A daemon passes `client_env=False`: it was started by one client, whose own choices must not become those of
    the others. They come back with each call, by `for_client`.

    Raises:
        InvalidSetting: a value does not fit; names it, its origin and its bounds.
        UnknownSetting: `config.toml` or `flags` name something that is no setting.
        UnsafeConfig: others can write `config.toml`.
        FileBroken, FileRefused: `config.toml` is not TOML, or cannot be read.
    """
    path = config_path(env, darwin=sys.platform == "darwin")
    values: dict[str, Any] = {"state_dir": state_dir(env)}
    origins: dict[str, str] = {}
    for name, value in read_config(path).items():
        values[name], origins[name] = value, f"file {path}"
    skipped = set() if client_env else {"client"}
    for found in all_settings():
        if found.scope not in skipped:
            _take_env(found, env, values, origins, "env")
    for name, value in (flags or {}).items():
        if name not in Settings.model_fields:
            raise unknown(name, " (a flag)")
        if value is not None:
            values[name], origins[name] = value, "flag"
    return _made(values, origins, env)


def for_client(settings: Settings, env: Mapping[str, str]) -> Settings:
    """Return `settings` as they are for the calls of a client whose environment is `env`.

    Raises:
        InvalidSetting: a value of the client does not fit.
    """
    overrides = client_overrides(env)
    if not overrides:
        return settings
    values: dict[str, Any] = {name: getattr(settings, name) for name in Settings.model_fields}
    origins = dict(settings.origins)
    for found in all_settings():
        if found.scope == "client":
            _take_env(found, env, values, origins, "client env")
    return _made(values, origins, env)


def client_overrides(env: Mapping[str, str]) -> dict[str, str]:
    """Return the settings that the environment of a client sets for its calls, as text, by the setting's name."""
    values: dict[str, Any] = {}
    for found in all_settings():
        if found.scope == "client":
            _take_env(found, env, values, {}, "")
    return values


def read_config(path: Path) -> dict[str, Any]:
    """Return what the configuration file at `path` sets; nothing where there is none.

    Raises:
        UnknownSetting, UnsafeConfig, FileBroken, FileRefused: as `load`.
    """
    text = read_text(path)
    if text is None:
        return {}
    _check_owner(path)
    try:
        values = load_toml(text)
    except BrokenText as exc:
        raise FileBroken(
            f"{path} is not valid TOML: {exc.problem}.", remedy="Correct it, then try again.", path=str(path)
        ) from None
    allowed = {found.name for found in all_settings() if found.scope != "home"}
    for name in values:
        if name not in Settings.model_fields:
            raise unknown(name, f" ({path})")
        if name not in allowed:
            raise InvalidSetting(
                f"{name} cannot be set in {path}.", remedy="Set CLAUDE_CODE_MCP_HOME in the environment.", name=name
            )
    return values


def parsed(name: str, value: Any, origin: str, env: Mapping[str, str]) -> Any:
    """Return `value` as the setting `name` has it.

    Raises:
        InvalidSetting: it does not fit.
        UnknownSetting: there is no such setting.
    """
    if name not in Settings.model_fields:
        raise unknown(name)
    values = {"state_dir": state_dir(env), name: value}
    if name == "disk_critical_bytes":
        values["disk_low_bytes"] = 2**50
    if name == "disk_low_bytes":
        values["disk_critical_bytes"] = 0
    return getattr(_made(values, {name: origin}, env), name)


def _take_env(found: About, env: Mapping[str, str], values: dict[str, Any], origins: dict[str, str], kind: str) -> None:
    for variable in found.env:
        if env.get(variable, "").strip():
            values[found.name], origins[found.name] = env[variable].strip(), f"{kind} {variable}"
            return


def _made(values: dict[str, Any], origins: dict[str, str], env: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values, context={"origins": origins, "env": env})
    except ValidationError as exc:
        problems = [
            _problem(str(error["loc"][0]) if error["loc"] else "", error["msg"], values, origins)
            for error in exc.errors(include_url=False, include_context=False, include_input=False)
        ]
    raise InvalidSetting(
        "; ".join(dict.fromkeys(problems)) + ".",
        remedy="`claude-code-mcp config show` tells where each value comes from.",
    ) from None


def _problem(name: str, message: str, values: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    reason = message.removeprefix("Value error, ").replace("Input should be", "it must be").split(", unable")[0]
    if not name:
        return reason
    bounds = about(name).bounds
    reason = f"it must be a number, {bounds}" if bounds else reason
    # A URL may hold a password.
    shown = "what was given" if "@" in str(values.get(name)) else repr(values.get(name))[:80]
    return f"{name} is {shown} ({origins.get(name, 'default')}): {reason}"


def _check_owner(path: Path) -> None:
    info = os.stat(path)
    if info.st_mode & stat.S_IWOTH or info.st_uid not in {os.geteuid(), 0}:
        raise UnsafeConfig(
            f"{path} can be written by other users, who could make us run their programs.",
            remedy=f"Check what it says, then run: chmod go-w {path}",
            path=str(path),
        )
