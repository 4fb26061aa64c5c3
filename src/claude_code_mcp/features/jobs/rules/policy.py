"""Which rule holds for a shell command, decided on what the command really runs.

Advice, not a guard: a program can do what its name does not say, and a script is not read. The sandbox is the guard.
The command is parsed (`platform.shell`); a rule is compared with each simple command in it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from claude_code_mcp.platform.shell import commands


class Verdict(StrEnum):
    """What a rule says; the strictest that fits wins."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


_ORDER = (Verdict.ALLOW, Verdict.ASK, Verdict.DENY)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern of words (`git push *`: `*` stands for any text) and what holds for commands that fit it."""

    pattern: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for a whole command: the verdict, the simple command that it hangs on, and the rule that fits."""

    verdict: Verdict
    command: str = ""
    rule: str = ""


def ruling(command: str, argv: Sequence[str], rules: Sequence[Rule]) -> Ruling:
    """Return what `rules` say about `command`, or about `argv` where there is no command."""
    found = list(commands(command)) if command else [tuple(argv)]
    worst = Ruling(Verdict.ALLOW)
    for words in found:
        text = " ".join(words)
        for rule in rules:
            if _fits(rule.pattern, text) and _ORDER.index(rule.verdict) > _ORDER.index(worst.verdict):
                worst = Ruling(rule.verdict, text[:500], rule.pattern)
    return worst


def _fits(pattern: str, text: str) -> bool:
    wanted = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", pattern.strip()))
    return (
        re.fullmatch(wanted.replace(r"\ .*", "(?: .*)?") if pattern.endswith(" *") else wanted, text, re.S) is not None
    )
