"""Secrets taken out of text before it is logged, shown or stored: known values first, then known shapes.

The shapes are those of Anthropic, OpenAI-style, AWS, GitHub, GitLab, Slack, Google and npm tokens, JWTs, PEM
private keys and passwords in URLs. A quick look for the fixed part of each shape comes first, so that text
without secrets, nearly all of it, costs about a microsecond a kilobyte.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import re2  # type: ignore[import-untyped]  # it has no stubs

MARK = "[redacted]"
DEEPEST = 200

_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("sk-",), re.compile(r"\bsk-(?=[A-Za-z_-]*\d)(?:ant-|proj-|svcacct-|admin-)?[A-Za-z0-9_-]{16,}"), MARK),
    (("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), MARK),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"), MARK),
    (("github_pat_",), re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}"), MARK),
    (("glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}"), MARK),
    (("xox", "xapp-"), re.compile(r"\bx(?:ox[abceprs]|app)-[A-Za-z0-9-]{10,}"), MARK),
    (("AIza",), re.compile(r"\bAIza[A-Za-z0-9_-]{30,}"), MARK),
    (("npm_",), re.compile(r"\bnpm_[A-Za-z0-9]{30,}"), MARK),
    (("eyJ",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"), MARK),
    (
        ("PRIVATE KEY-----",),
        # The end may be missing where the text was cut; then everything after the head counts as key.
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.S
        ),
        MARK,
    ),
    (("://",), re.compile(r"(\b[a-z][a-z0-9+.-]{1,30}://[^\s/:@\"']{0,200}:)[^\s/@\"']{1,400}@"), rf"\1{MARK}@"),
    (
        ("aws_secret", "AWS_SECRET"),
        re.compile(r"(?i)(aws_secret_access_key[\"'\s:=]{1,6})[A-Za-z0-9/+=]{30,}"),
        rf"\1{MARK}",
    ),
)
_NEEDLES = tuple(needle.encode() for needles, _, _ in _SHAPES for needle in needles)
_NEEDLE_BYTES = 64
"""Of a long value its beginning is looked for: enough to tell that there may be one."""

_SECRET_WORDS = frozenset(
    [
        "KEY",
        "TOKEN",
        "TOKENS",
        "SECRET",
        "SECRETS",
        "PASS",
        "PAT",
        "AUTH",
        "COOKIE",
        "HEADERS",
        "CREDENTIAL",
        "CREDENTIALS",
    ]
)
_SECRET_ENDINGS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE")
_SHORTEST = 8
_NOT_SECRET = re.compile(r"(?:[a-z_-]{1,20}|[/~.][^\s:@]*|\d{1,8}|(?i:true|false|yes|no|none))\Z")
"""Values under a secret-looking name that are plain words, paths or switches; hiding them would hide ordinary text,
and the words of Claude Code's own lines."""
_URL_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")


class Scrubber:
    """Takes the secret values of one environment, and everything shaped like a secret, out of text.

    It holds the values in memory only; its `repr` does not show them.
    """

    __slots__ = ("_search", "_values")

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        values = {secret for name, value in (env or {}).items() for secret in _secrets(name, value)}
        # Longest first: one secret may be the beginning of another.
        self._values = tuple(sorted(values, key=lambda value: (-len(value), value)))
        inside_json = (
            json.dumps(value, ensure_ascii=ascii_)[1:-1] for value in self._values for ascii_ in (True, False)
        )
        self._search = _any_of((*_NEEDLES, *(text.encode(errors="surrogateescape") for text in inside_json)))

    def hits(self, line: bytes) -> bool:
        """Tell whether the JSON `line` may hold a secret; False is certain."""
        return self._search(line) is not None

    def text(self, text: str) -> str:
        """Return `text` with each secret replaced by `[redacted]`."""
        for value in self._values:
            if value in text:
                text = text.replace(value, MARK)
        for needles, shape, instead in _SHAPES:
            if any(needle in text for needle in needles):
                text = shape.sub(instead, text)
        return text

    def value(self, value: Any, depth: int = DEEPEST) -> Any:
        """Return a copy of decoded JSON with `text` applied to each string in it, keys too.

        What lies more than `depth` levels deep is not looked through but left out.
        """
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item, depth - 1) for item in value] if depth else MARK
        if isinstance(value, dict):
            return {self.text(key): self.value(item, depth - 1) for key, item in value.items()} if depth else MARK
        return value

    def __repr__(self) -> str:
        return f"Scrubber({len(self._values)} values)"


def _any_of(needles: Iterable[bytes]) -> Callable[[bytes], object | None]:
    """Return a search for any of `needles`: all of them in one pass, for every line of every session."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # what is looked through need not be text
    options.never_capture = True
    options.max_mem = 64 * 1024 * 1024  # a bound, not what is used: an environment may hold many values
    expression = b"|".join(re2.escape(needle[:_NEEDLE_BYTES]) for needle in needles)
    return cast("Callable[[bytes], object | None]", re2.compile(expression, options).search)


PLAIN = Scrubber()
"""Knows no values, only shapes."""


def redact(text: str, env: Mapping[str, str] | None = None) -> str:
    """Return `text` without the secrets of `env` and without anything shaped like a secret."""
    return (Scrubber(env) if env else PLAIN).text(text)


def _secrets(name: str, value: str) -> list[str]:
    password = _URL_PASSWORD.search(value)
    found = [password.group(1)] if password else []
    parts = name.upper().split("_")
    secret_name = any(part in _SECRET_WORDS or part.endswith(_SECRET_ENDINGS) for part in parts)
    if password or (secret_name and _NOT_SECRET.match(value) is None):
        found.append(value)
    return [secret for secret in found if len(secret) >= _SHORTEST]
