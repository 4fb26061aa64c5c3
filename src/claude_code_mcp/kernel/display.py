"""Text that somebody else wrote, made fit for a screen: nothing acts, nothing hides, nothing runs backwards."""

import re

_ACTS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 without tab and line feed, DEL, C1: move the cursor, set titles, ring
    "\u2028\u2029"  # line and paragraph separator: some terminals break the line here, some do not
)
_TURNS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi: the line reads otherwise than it runs
_HIDES = (
    "\u00ad\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # the last: tags, a whole hidden alphabet
)
_BROKEN = "\ud800-\udfff"  # halves of characters: no encoder takes them
_UNFIT = re.compile(f"[{_ACTS}{_TURNS}{_HIDES}{_BROKEN}]")
_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """Return `text` with everything that a terminal would obey, reorder or swallow shown as a sign instead.

    C0 and DEL become their control pictures (`ESC` is `␛`), halves of surrogate pairs the replacement
    character, all others `<U+202E>`. Line feed and tab stay; a carriage return before a line feed goes. The
    joiners U+200C and U+200D stay, because writing systems and emoji need them. Applying it twice changes
    nothing more.
    """
    return _UNFIT.sub(_sign, text.replace("\r\n", "\n"))


def one_line(text: str, limit: int) -> str:
    """Return `text` visible, its white space run together, cut to `limit` characters with an ellipsis.

    Only as much of a long text is looked at as can be shown.
    """
    head = text[: limit * 4 + 64]
    line = _SPACE.sub(" ", visible(head)).strip()
    if len(line) <= limit and len(head) == len(text):
        return line
    return line[: max(0, limit - 1)].rstrip() + "…"


def escaped_json(text: str) -> str:
    """Return the JSON document `text` with every unfit character in it written as a JSON escape.

    Such characters can only stand inside strings, where `\\uXXXX` means the same, so programs read the same
    values and a screen obeys nothing.
    """
    return _UNFIT.sub(lambda match: _json_escape(match.group()), text)


def _sign(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    return f"<U+{code:04X}>"


def _json_escape(char: str) -> str:
    code = ord(char)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"
