"""Checks and what they found."""

from enum import StrEnum

from claude_code_mcp.kernel.errors import Unavailable
from claude_code_mcp.kernel.operation import Reply, Request


class Verdict(StrEnum):
    """How a check ended: `warning` works for now, `problem` does not."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class RunChecks(Request):
    """Look at everything."""

    project_path: str | None = None
    """Project to look at as well; default: the client's folder."""


class Check(Reply):
    """One check."""

    name: str
    """What was looked at."""
    verdict: Verdict
    """How it is."""
    found: str
    """What was found."""
    fix: str | None = None
    """What to do, where it is not well."""

    def line(self) -> str:
        """Return the check as one or two lines."""
        mark = {"ok": "✓", "warning": "!", "problem": "✗"}[self.verdict.value]
        return f"{mark} {self.name}: {self.found}" + (f"\n    fix: {self.fix}" if self.fix else "")


class Diagnosis(Reply):
    """All checks."""

    well: bool
    """Nothing is a problem."""
    checks: list[Check]
    """One after the other."""

    @property
    def exit_code(self) -> int:
        """6 (unavailable) where something is a problem."""
        return 0 if self.well else Unavailable.exit_code

    def text(self) -> str:
        """Return a line for each check, and what it comes to."""
        problems = sum(check.verdict is Verdict.PROBLEM for check in self.checks)
        end = "Everything is well." if not problems else f"{problems} problem{'s' if problems > 1 else ''} found."
        return "\n".join([check.line() for check in self.checks] + [end])
