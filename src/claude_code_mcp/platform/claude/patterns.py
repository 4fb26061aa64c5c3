"""Forms of the words that reach a command line or a path. The one place that knows them.

A value that fits is no flag, no path and no shell text, whatever it says; anything else is refused before a
process is started.
"""

import re
from collections.abc import Sequence

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.kernel.ids import is_uuid
from claude_code_mcp.platform.claude.errors import OptionInvalid

MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,199}(?:\[[A-Za-z0-9]{1,8}\])?\Z")
"""An alias (`opus`, `sonnet[1m]`), a full id, a Bedrock ARN (`arn:aws:…`) or a Vertex name (`…@20250929`)."""
AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:@-]{0,127}\Z")
"""An agent's name; one of a plugin is `plugin:agent`."""
WORKTREE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,63}\Z")
TOOL_RULE = re.compile(r"[A-Za-z_*][A-Za-z0-9_.*:-]{0,199}(?:\((?P<specifier>.{0,2000})\))?\Z")
"""A tool's name, or a name with what it is about: `Bash(git *)`. The CLI splits lists at commas and blanks that
stand outside of brackets, so neither may be in the name."""

PERMISSION_MODES = ("default", "manual", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions")
EFFORTS = ("low", "medium", "high", "xhigh", "max")
SETTING_SOURCES = ("user", "project", "local")


def matched(what: str, value: str, pattern: re.Pattern[str], remedy: str) -> str:
    """Return `value` if it has the form of `pattern`.

    Raises:
        OptionInvalid: it has not; `what` and `remedy` go into the message.
    """
    if pattern.match(value) is None:
        raise OptionInvalid(f"{one_line(value, 60)!r} cannot be {what}.", remedy=remedy)
    return value


def one_of(what: str, value: str, words: Sequence[str]) -> str:
    """Return `value` if it is one of `words`.

    Raises:
        OptionInvalid: it is none of them.
    """
    if value not in words:
        raise OptionInvalid(f"{one_line(value, 60)!r} is no {what}.", remedy=f"Use one of: {', '.join(words)}.")
    return value


def model(value: str) -> str:
    """Return `value` if it can be a model's name.

    Raises:
        OptionInvalid: it cannot.
    """
    return matched("a model", value, MODEL, "Give an alias such as opus or sonnet, or a full model id.")


def uuid(what: str, value: str) -> str:
    """Return `value` if it is a UUID as Claude Code writes it.

    Raises:
        OptionInvalid: it is none.
    """
    if not is_uuid(value):
        raise OptionInvalid(f"{one_line(value, 60)!r} is no {what}.", remedy=f"A {what} is a lower-case UUID.")
    return value


def tool_rule(value: str) -> str:
    """Return `value` if it can be one entry of a list of tools.

    Raises:
        OptionInvalid: it cannot, or its brackets would run into the next entry.
    """
    remedy = "Give a tool's name, or a rule such as Bash(git *)."
    found = TOOL_RULE.match(value)
    if found is None or not value.isprintable() or not _balanced(found["specifier"] or ""):
        raise OptionInvalid(f"{one_line(value, 60)!r} is no tool rule.", remedy=remedy)
    return value


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0
