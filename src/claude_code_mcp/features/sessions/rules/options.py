"""A session's kept wishes as launch options of Claude Code."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from claude_code_mcp.features.sessions.models import Session
from claude_code_mcp.platform.claude.launch import LaunchOptions, session_hooks

Kept = Mapping[str, Any]


def options(session: Session, private: Kept, conversation: Kept, distrust: Kept) -> LaunchOptions:
    """Return how the next process of `session` is to run.

    `private` are the parts of the wish that are kept apart (settings, hooks, mcp_config), `conversation` says which
    history it goes on with, `distrust` what an untrusted project takes away.

    Raises:
        OptionInvalid: an option has a form that Claude Code does not take.
    """
    launch = session.launch
    settings = dict(private.get("settings") or {})
    if private.get("hooks"):
        hooks = session_hooks(private["hooks"])
        merged = dict(settings.get("hooks") or {})
        for event, entries in hooks.items():
            merged[event] = [*merged.get(event, []), *entries]
        settings["hooks"] = merged
    fallback = launch.get("fallback_model")
    append = "\n\n".join(part for part in (launch.get("append_system_prompt"), distrust.get("append")) if part)
    chosen: dict[str, Any] = {
        **conversation,
        "model": launch.get("model"),
        "fallback_models": (fallback,) if fallback else (),
        "permission_mode": launch.get("permission_mode"),
        "allowed_tools": tuple(launch.get("allowed_tools") or ()),
        "disallowed_tools": tuple(launch.get("disallowed_tools") or ()),
        "tools": tuple(launch["tools"]) if launch.get("tools") is not None else None,
        "agent": launch.get("agent"),
        "agents": launch.get("agents"),
        "system_prompt": launch.get("system_prompt"),
        "append_system_prompt": append or None,
        "effort": launch.get("effort"),
        "thinking": launch.get("thinking_level"),
        "max_turns": launch.get("max_turns"),
        "max_budget_microusd": budget(launch.get("max_budget_usd")),
        "json_schema": launch.get("json_schema"),
        "add_dirs": tuple(launch.get("add_dirs") or ()),
        "settings": settings or None,
        "mcp_config": servers(private.get("mcp_config"), distrust.get("mcp_config")),
        "strict_mcp_config": bool(launch.get("strict_mcp_config") or distrust.get("strict_mcp_config")),
        "setting_sources": distrust.get("setting_sources"),
        "worktree": launch.get("worktree"),
        "title": session.title,
        "partial_messages": bool(launch.get("partial")),
    }
    return LaunchOptions(**chosen)


def servers(wished: Kept | None, users: Kept | None) -> dict[str, Any] | None:
    """Return the MCP servers of a run: the user's own, where strictness would leave them out, and the wished ones."""
    if not wished and not users:
        return None
    named = {**((users or {}).get("mcpServers") or {}), **((wished or {}).get("mcpServers") or {})}
    return {**(wished or {}), "mcpServers": named}


def budget(dollars: object) -> int | None:
    """Return US dollars as whole micro-dollars, exactly."""
    return None if dollars is None else int(Decimal(str(dollars)) * 1_000_000)
