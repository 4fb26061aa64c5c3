"""git's glob patterns as regular expressions for RE2, which no pattern can make slow."""

import string
from collections.abc import Callable, Mapping

_SLASH = ord("/")
_BACKSLASH = ord("\\")
_ANY_BUT_SLASH = rb"[^/]"

_CLASSES: Mapping[bytes, Callable[[int], bool]] = {
    b"alnum": lambda byte: chr(byte) in string.ascii_letters + string.digits,
    b"alpha": lambda byte: chr(byte) in string.ascii_letters,
    b"blank": lambda byte: byte in b" \t",
    b"cntrl": lambda byte: byte < 0x20 or byte == 0x7F,
    b"digit": lambda byte: chr(byte) in string.digits,
    b"graph": lambda byte: 0x21 <= byte <= 0x7E,
    b"lower": lambda byte: chr(byte) in string.ascii_lowercase,
    b"print": lambda byte: 0x20 <= byte <= 0x7E,
    b"punct": lambda byte: chr(byte) in string.punctuation,
    b"space": lambda byte: byte in b" \t\n\r",
    b"upper": lambda byte: chr(byte) in string.ascii_uppercase,
    b"xdigit": lambda byte: chr(byte) in string.hexdigits,
}
"""As git understands them: ASCII only, and no vertical tab or form feed among the spaces."""


class NeverMatches(ValueError):
    """The pattern is malformed in a way that git takes for a pattern which matches nothing."""


def translate(glob: bytes, *, pathname: bool, fold: bool = False) -> bytes:
    """Return a regular expression (of bytes, for a full match) that accepts what git's `wildmatch` accepts.

    `pathname`: `*`, `?` and brackets do not match a slash, and `**` between slashes matches any number of folders.
    `fold`: letters match in either case.

    Raises:
        NeverMatches: nothing can match.
    """
    return _Translation(glob, pathname=pathname, fold=fold).run()


class _Translation:
    def __init__(self, glob: bytes, *, pathname: bool, fold: bool) -> None:
        self._glob = glob
        self._pathname = pathname
        self._fold = fold
        self._at = 0

    def run(self) -> bytes:
        parts = []
        while self._at < len(self._glob):
            parts.append(self._next())
        return b"".join(parts)

    def _next(self) -> bytes:
        byte = self._glob[self._at]
        if byte == ord("*"):
            return self._stars()
        self._at += 1
        if byte == ord("?"):
            return _ANY_BUT_SLASH if self._pathname else b"."
        if byte == ord("["):
            return _one_of(self._bracket())
        if byte == _BACKSLASH:
            if self._at >= len(self._glob):
                raise NeverMatches
            byte = self._glob[self._at]
            self._at += 1
            return _one_of({text for text in range(1, 256) if self._seen(text) == byte})
        return _one_of({text for text in range(1, 256) if self._seen(text) == self._seen(byte)})

    def _seen(self, byte: int) -> int:
        return byte + 32 if self._fold and 0x41 <= byte <= 0x5A else byte

    def _stars(self) -> bytes:
        first = self._at
        while self._at < len(self._glob) and self._glob[self._at] == ord("*"):
            self._at += 1
        if not self._pathname:
            return b".*"
        rest = self._glob[self._at :]
        opens = first == 0 or self._glob[first - 1] == _SLASH
        closes = not rest or rest.startswith((b"/", b"\\/"))
        if self._at - first < 2 or not (opens and closes):
            return _ANY_BUT_SLASH + b"*"
        if rest.startswith(b"/"):
            self._at += 1
            return b"(?:.*/)?"
        return b".*"

    def _bracket(self) -> set[int]:
        negated = self._peek() in (ord("!"), ord("^"))
        self._at += negated
        found: set[int] = set()
        before = 0
        first = True
        while first or self._peek() != ord("]"):
            first = False
            before = self._member(found, before)
        self._at += 1
        # Only now: git folds the text, never the members of a class.
        matched = {text for text in range(1, 256) if self._in(text, found)}
        if negated:
            matched = set(range(1, 256)) - matched
        return matched - {_SLASH} if self._pathname else matched

    def _in(self, text: int, found: set[int]) -> bool:
        seen = self._seen(text)
        # 256 and above: ranges and [:upper:], in which a folded text also counts by its capital letter.
        return seen in found or (self._fold and 0x61 <= seen <= 0x7A and seen - 32 + 256 in found)

    def _member(self, found: set[int], before: int) -> int:
        """Read one member of a bracket into `found`; return what a following `-` would begin its range with."""
        byte = self._take()
        if byte == _BACKSLASH:
            byte = self._take()
            found.add(byte)
            return byte
        if byte == ord("-") and before and self._at < len(self._glob) and self._glob[self._at] != ord("]"):
            end = self._take()
            if end == _BACKSLASH:
                end = self._take()
            _add(found, range(before, end + 1))
            return 0
        if byte == ord("[") and self._at < len(self._glob) and self._glob[self._at] == ord(":"):
            end = self._glob.find(b"]", self._at + 1)
            if end < 0:
                raise NeverMatches
            name = self._glob[self._at + 1 : end - 1]
            if end - 1 > self._at and self._glob[end - 1] == ord(":"):
                self._at = end + 1
                _add_class(found, name)
                return 0
        found.add(byte)
        return byte

    def _peek(self) -> int:
        if self._at >= len(self._glob):
            raise NeverMatches
        return self._glob[self._at]

    def _take(self) -> int:
        byte = self._peek()
        self._at += 1
        return byte


def _add(found: set[int], members: range) -> None:
    found.update(members)
    found.update(byte + 256 for byte in members)


def _add_class(found: set[int], name: bytes) -> None:
    accepts = _CLASSES.get(name)
    if accepts is None:
        raise NeverMatches
    found.update(byte for byte in range(1, 256) if accepts(byte))
    if name == b"upper":
        found.update(byte + 256 for byte in range(1, 256) if accepts(byte))


def _one_of(accepted: set[int]) -> bytes:
    if not accepted:
        raise NeverMatches
    if len(accepted) == 1:
        (byte,) = accepted
        return b"%c" % byte if chr(byte).isalnum() and byte < 128 else rb"\x%02x" % byte
    ranges, start = [], None
    for byte in range(1, 257):
        if byte in accepted and start is None:
            start = byte
        elif byte not in accepted and start is not None:
            ranges.append(rb"\x%02x-\x%02x" % (start, byte - 1))
            start = None
    return b"[" + b"".join(ranges) + b"]"
