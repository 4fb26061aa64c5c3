"""Whether the user trusts a project, by Claude Code's own record, and how Claude Code runs in one that is not trusted.

Headless Claude Code asks nobody: it runs a fresh clone's hooks and MCP servers and takes its variables (measured on
2.1.197 to 2.1.328). What prevents that is `--setting-sources=user` with `--strict-mcp-config`: then it loads no
settings, servers, agents, commands, skills or CLAUDE.md of the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.platform.claude.executable_config import ExecutableConfig
from claude_code_mcp.platform.claude.fields import dict_of
from claude_code_mcp.platform.claude.global_config import project_key
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.instructions import project_instructions

_GLOBAL_BYTES = 256 * 1024 * 1024
_NAMES: Mapping[str, str] = {"agents": "agent", "commands": "command", "skills": "skill"}


@dataclass(frozen=True, slots=True)
class Distrust:
    """How a run goes without a project's own configuration.

    `setting_sources`, `strict_mcp_config`, `mcp_config`: launch options; the servers are the user's own, which strict
    would leave out too. `append_system_prompt`: the project's instructions as text, "" where there are none.
    `left_out`: what the run goes without, in words.
    """

    setting_sources: tuple[str, ...] = ("user",)
    strict_mcp_config: bool = True
    mcp_config: Mapping[str, Any] | None = field(default=None, repr=False)
    append_system_prompt: str = ""
    left_out: tuple[str, ...] = ()


def trusted_by_claude(home: ClaudeHome, project: Path) -> bool:
    """Tell whether the user accepted Claude Code's trust dialog for `project`.

    The record is by the root of the git repository (of the main one for a linked worktree), or by the real path
    outside of git; trust in a directory above does not count. A record that cannot be read says no.
    """
    projects = dict_of(_global(home), "projects")
    return dict_of(projects, project_key(project)).get("hasTrustDialogAccepted") is True


def distrust(home: ClaudeHome, project: Path, config: ExecutableConfig) -> Distrust:
    """Return how to run in `project`, whose `config` is not trusted."""
    instructions = project_instructions(project)
    parts = [f"{part.path} ({', '.join(part.does)})" for part in config.parts]
    words = [f"{count} {_NAMES[kind]}{'s' * (count > 1)}" for kind, count in config.others.items()]
    servers = dict_of(_global(home), "mcpServers")
    return Distrust(
        mcp_config={"mcpServers": servers} if servers else None,
        append_system_prompt=instructions.text,
        left_out=(*parts, *words, *instructions.left_out),
    )


def _global(home: ClaudeHome) -> dict[str, Any]:
    try:
        with home.global_file.open("rb") as file:
            value = msgspec.json.decode(file.read(_GLOBAL_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
