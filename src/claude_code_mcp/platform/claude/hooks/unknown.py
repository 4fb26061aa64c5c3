"""Hooks that this version does not know are kept as they came, as far as they are small."""

import msgspec

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.facts import LineGarbled, LineOversized, LineUnknown
from claude_code_mcp.platform.claude.hooks.hook import Hook
from claude_code_mcp.platform.claude.hooks.payload import LIMIT_BYTES


def unknown(hook: Hook) -> None:
    """Keep a hook whose name or fields say nothing to us."""
    try:
        text = msgspec.json.encode(hook.obj).decode()
    except (ValueError, RecursionError):
        text = ""
    raw, size = clip(text, NOTE_BYTES)
    hook.emit(LineUnknown(type="hook", subtype=hook.payload.event, raw=raw, raw_bytes=size), hook.session)


def unread(hook: Hook) -> None:
    """Keep the beginning of what is no hook at all."""
    size = hook.payload.size_bytes
    raw, _ = clip(hook.payload.garbage, NOTE_BYTES)
    if size > LIMIT_BYTES:
        hook.emit(LineOversized(raw=raw, line_bytes=size), "hook")
    elif raw:
        hook.emit(LineGarbled(raw=raw, raw_bytes=size), "hook")
