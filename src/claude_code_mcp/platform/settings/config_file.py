"""Changes `config.toml` one setting at a time; comments and order stay."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.toml_text import set_key, unset_key
from claude_code_mcp.platform.settings.errors import InvalidSetting
from claude_code_mcp.platform.settings.model import about
from claude_code_mcp.platform.settings.sources import parsed


def plan_set(path: Path, name: str, value: str, env: Mapping[str, str]) -> editor.Plan:
    """Return what setting `name` to `value` (as text) would change in the file at `path`.

    Raises:
        UnknownSetting: there is no such setting.
        InvalidSetting: `value` does not fit, or `name` cannot be set in the file.
        FileBroken, FileRefused: the file cannot be edited.
    """
    _settable(name)
    written = _toml(parsed(name, value, "config set", env))
    return editor.plan(path, partial(set_key, key=name, value=written))


def plan_unset(path: Path, name: str) -> editor.Plan:
    """Return what taking `name` out of the file at `path` would change; a name that no longer exists may go too.

    Raises:
        FileBroken, FileRefused: the file cannot be edited.
    """
    return editor.plan(path, partial(unset_key, key=name))


def _settable(name: str) -> None:
    if about(name).scope == "home":
        raise InvalidSetting(
            f"{name} cannot be set in the configuration file.",
            remedy="Set CLAUDE_CODE_MCP_HOME in the environment.",
            name=name,
        )


def _toml(value: Any) -> bool | float | str | list[str]:
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [str(item) for item in value]
    return "none" if value is None else str(value)
