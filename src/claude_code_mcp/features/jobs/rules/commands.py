"""From what a person types to what the system runs."""

import re
from collections.abc import Mapping, Sequence

from claude_code_mcp.features.jobs.errors import BadCommand, BadPattern
from claude_code_mcp.platform.procs.patterns import NoPattern, Pattern, compiled

LONGEST_BYTES = 128 * 1024 - 1
"""Linux takes no longer single argument (MAX_ARG_STRLEN), whatever `ulimit -s` says."""
WHOLE_BYTES = 2 * 1024 * 1024
_NAMES = frozenset(
    [
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "LANG", "TZ", "TMPDIR"),
        *("NODE_EXTRA_CA_CERTS", "NPM_CONFIG_REGISTRY", "npm_config_registry", "EDITOR", "PAGER"),
    ]
)
_PREFIXES = ("LC_", "XDG_", "SSL_CERT_")
_SUFFIXES = ("_PROXY", "_proxy")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PATTERN_LENGTH = 2000


def argv(command: str | None, words: Sequence[str], shell: str) -> tuple[str, ...]:
    """Return what to run: `command` through `shell`, or `words` as they are.

    Raises:
        BadCommand: neither or both are given, there is a NUL in it, or it is longer than a system takes.
    """
    if bool(command and command.strip()) == bool(words):
        raise BadCommand("A job needs a command, or a list of arguments.", remedy="Give `command` or `argv`, not both.")
    found = (shell, "-c", command) if command and not words else tuple(words)
    for word in found:
        if "\0" in word:
            raise BadCommand("The command holds a NUL character.", remedy="No program can be given one; leave it out.")
        size = len(word.encode("utf-8", "surrogateescape"))
        if size > LONGEST_BYTES:
            raise BadCommand(
                f"The command is {size:,} bytes long; a system takes {LONGEST_BYTES:,} at most.",
                remedy="Write it to a file and run that, or give the data on standard input.",
                size_bytes=size,
            )
    if sum(len(word) for word in found) > WHOLE_BYTES or not found[0]:
        raise BadCommand("The arguments are too long, or the program has no name.", remedy="Shorten them.")
    return found


def environment(client: Mapping[str, str], given: Mapping[str, str], extra: Sequence[str]) -> dict[str, str]:
    """Return what a job runs with: the allowed names of its client, those of `extra` (`NAME` or `PREFIX*`), and
    everything that was given.

    Raises:
        BadCommand: a name is not one.
    """
    bad = [name for name, value in given.items() if not _VARIABLE.match(name) or "\0" in value]
    if bad:
        raise BadCommand(f"{bad[0][:60]!r} cannot be a variable.", remedy="Names hold letters, digits and _.")
    return {name: value for name, value in client.items() if _allowed(name, extra)} | dict(given)


def _allowed(name: str, extra: Sequence[str]) -> bool:
    if name in _NAMES or name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
        return True
    return any(name.startswith(word[:-1]) if word.endswith("*") else name == word for word in extra)


def pattern(text: str) -> Pattern:
    """Return `text` as a regular expression over bytes of output, line by line.

    Raises:
        BadPattern: it is none, or is too long.
    """
    if len(text) > _PATTERN_LENGTH:
        raise BadPattern(f"The pattern is longer than {_PATTERN_LENGTH} characters.", remedy="Shorten it.")
    try:
        return compiled(text)
    except NoPattern as exc:
        raise BadPattern(
            f"{text[:80]!r} is no regular expression: {exc}.",
            remedy="The syntax is RE2's: no back references, no looking around.",
        ) from exc
