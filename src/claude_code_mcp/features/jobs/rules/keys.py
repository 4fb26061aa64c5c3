"""Names of keys, and what a terminal sends for them (xterm, as ncurses' terminfo entry `xterm-256color` has it)."""

from collections.abc import Mapping, Sequence

from claude_code_mcp.features.jobs.errors import BadKeys

KEYS: Mapping[str, bytes] = {
    "enter": b"\r",
    "tab": b"\t",
    "escape": b"\x1b",
    "space": b" ",
    "backspace": b"\x7f",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "home": b"\x1b[H",
    "end": b"\x1b[F",
    "insert": b"\x1b[2~",
    "delete": b"\x1b[3~",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    **{f"f{n}": b"\x1bO" + bytes([ord("P") + n - 1]) for n in range(1, 5)},
    **{f"f{n}": b"\x1b[%d~" % code for n, code in zip(range(5, 13), (15, 17, 18, 19, 20, 21, 23, 24), strict=True)},
}


def sent(names: Sequence[str]) -> bytes:
    """Return the bytes of the keys: names as in `KEYS`, `ctrl-a` to `ctrl-z`, `alt-` before another, or one character.

    Raises:
        BadKeys: there is no such key.
    """
    return b"".join(_key(name) for name in names)


def _key(name: str) -> bytes:
    lowered = name.strip().lower() if len(name) > 1 else name
    if lowered in KEYS:
        return KEYS[lowered]
    if lowered.startswith("alt-") and len(name) > 4:
        return b"\x1b" + _key(name.strip()[4:])
    if lowered.startswith("ctrl-") and len(lowered) == 6 and lowered[5] in "abcdefghijklmnopqrstuvwxyz[\\]^_":
        return bytes([ord(lowered[5].upper()) & 0x1F])
    if len(name) == 1:
        return name.encode()
    raise BadKeys(
        f"There is no key {name[:40]!r}.", remedy=f"Keys: {', '.join(KEYS)}, ctrl-a to ctrl-z, alt-…, or one character."
    )
