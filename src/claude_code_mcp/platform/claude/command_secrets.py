"""Secrets taken out of command lines before they are shown: what has the shape of one, and what stands where one does.

The places are values of flags and variables whose names end in a word for a secret, authorization headers, and the
password of curl's `-u user:password`. A name that goes on (`--token-file`, `--max-tokens`) says something else.
"""

import re

from claude_code_mcp.platform.claude.redaction import MARK, redact

_WORDS = r"(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credentials?)"
_VALUE = r"(?:\"[^\"]*\"|'[^']*'|[^\s'\";|&]+)"
_PLACES = (
    re.compile(rf"(?i)(?<!\S)(--?(?:[a-z0-9]+[-_])*{_WORDS})(=|\s+)(?!-){_VALUE}"),
    re.compile(rf"(?i)\b((?:[a-z0-9]+_)*{_WORDS})(=){_VALUE}"),
    re.compile(r"(?i)(authorization:\s*(?:bearer|basic|token))(\s+)[^\s'\"]+"),
    re.compile(r"(?i)(x-api-key:)(\s*)[^\s'\"]+"),
    re.compile(r"(\bcurl\b[^|;&]*?\s(?:-u|--user)[=\s]?\s*['\"]?[^\s:'\"]+)(:)[^\s'\"]+"),
)


def command_shown(command: str) -> str:
    """Return a command line without its secrets; of any length, in time in proportion to it."""
    text = redact(command)
    for place in _PLACES:
        text = place.sub(rf"\1\2{MARK}", text)
    return text
