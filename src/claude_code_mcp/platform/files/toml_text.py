"""Pure edits of TOML texts: comments, order and spacing of everything else stay."""

import tomllib
from typing import Any

from claude_code_mcp.platform.files.errors import BrokenText


def load_toml(text: str) -> dict[str, Any]:
    """Return what `text` says.

    Raises:
        BrokenText: it is not valid TOML 1.0; the problem names the position.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as exc:
        raise BrokenText(str(exc)) from None


def set_key(text: str, key: str, value: bool | float | str | list[str]) -> str:
    """Return `text` with the top-level `key` set to `value`; an equal value leaves `text` as it is.

    A new key goes before the first table, since behind it it would be a key of that table.

    Raises:
        BrokenText: `text` is not valid.
    """
    known = load_toml(text)
    if key in known and known[key] == value and type(known[key]) is type(value):
        return text
    import tomlkit  # noqa: PLC0415  (reading settings must not pay for the editor)

    document = tomlkit.parse(text)
    item = tomlkit.item(value)
    if "\r\n" in text:
        item.trivia.trail = "\r\n"
    document[key] = item
    return _checked(tomlkit.dumps(document), known | {key: value})


def unset_key(text: str, key: str) -> str:
    """Return `text` without the top-level `key`; where there is none it comes back as it is.

    Raises:
        BrokenText: `text` is not valid.
    """
    known = load_toml(text)
    if key not in known:
        return text
    import tomlkit  # noqa: PLC0415  (as above)

    document = tomlkit.parse(text)
    del document[key]
    del known[key]
    return _checked(tomlkit.dumps(document), known)


def _checked(text: str, expected: dict[str, Any]) -> str:
    if load_toml(text) != expected:
        raise AssertionError("the edit changed more than it should")
    return text
