"""Our hooks in the text of a settings file: put in, taken out, looked for. Every other byte stays as it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claude_code_mcp.platform.claude.hooks.block import is_ours
from claude_code_mcp.platform.files.json_array import append_item, remove_item
from claude_code_mcp.platform.files.json_document import MISSING
from claude_code_mcp.platform.files.json_text import get_value, remove_value, set_value

Entries = Mapping[str, Mapping[str, Any]]
_HOOKS = "hooks"


@dataclass(frozen=True, slots=True)
class Found:
    """What a settings file holds of ours: how many events, whether exactly what is wanted, and what switches it off."""

    events: int
    current: bool
    switched_off_by: str = ""


def installed(text: str, wanted: Entries) -> str:
    """Return `text` with the `wanted` entries as the only ones of ours; where they are, it comes back as it is.

    Raises:
        BrokenText: it is no JSON, or its hooks are not as Claude Code has them.
    """
    if look(text, wanted).current:
        return text
    text = uninstalled(text)
    if get_value(text, (_HOOKS,)) is MISSING:
        return set_value(text, (_HOOKS,), {event: [entry] for event, entry in wanted.items()})
    for event, entry in wanted.items():
        if get_value(text, (_HOOKS, event)) is MISSING:
            text = set_value(text, (_HOOKS, event), [entry])
        else:
            text = append_item(text, (_HOOKS, event), entry)
    return text


def uninstalled(text: str) -> str:
    """Return `text` without our entries, and without what only they had filled.

    Raises:
        BrokenText: it is no JSON, or has a key twice on the way.
    """
    hooks = get_value(text, (_HOOKS,))
    emptied = False
    for event, entries in _lists(hooks):
        left = len(entries)
        for place, entry in reversed(list(enumerate(entries))):
            handlers = entry.get(_HOOKS) if isinstance(entry, Mapping) else None
            ours = [i for i, handler in enumerate(handlers) if is_ours(handler)] if isinstance(handlers, list) else []
            if handlers and ours and len(ours) == len(handlers):
                text, left = remove_item(text, (_HOOKS, event), place), left - 1
            else:
                for i in reversed(ours):
                    text = remove_item(text, (_HOOKS, event, place, _HOOKS), i)
        if entries and not left:
            text, emptied = remove_value(text, (_HOOKS, event)), True
    if emptied and get_value(text, (_HOOKS,)) == {}:
        text = remove_value(text, (_HOOKS,))
    return text


def look(text: str, wanted: Entries) -> Found:
    """Return what `text` holds of ours.

    Raises:
        BrokenText: it is no JSON.
    """
    hooks = get_value(text, (_HOOKS,))
    ours: dict[str, list[Any]] = {}
    for event, entries in _lists(hooks):
        mine = [entry for entry in entries if any(is_ours(handler) for handler in _handlers(entry))]
        if mine:
            ours[event] = mine
    return Found(len(ours), ours == {event: [entry] for event, entry in wanted.items()}, _switched_off(text))


def _switched_off(text: str) -> str:
    """Return the setting in `text` that keeps hooks like ours from running, "" where there is none."""
    if get_value(text, ("disableAllHooks",)) is True:
        return "disableAllHooks"
    allowed = get_value(text, ("allowedHttpHookUrls",))
    if isinstance(allowed, list) and not any(str(url).startswith(("http://127.0.0.1", "*")) for url in allowed):
        return "allowedHttpHookUrls"
    return ""


def _lists(hooks: Any) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(hooks, Mapping):
        yield from ((event, entries) for event, entries in hooks.items() if isinstance(entries, list))


def _handlers(entry: Any) -> list[Any]:
    handlers = entry.get(_HOOKS) if isinstance(entry, Mapping) else None
    return handlers if isinstance(handlers, list) else []
