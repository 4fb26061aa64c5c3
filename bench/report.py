"""The table as text, as Markdown and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.findings import Finding
from bench.machine import Machine

HEAD = ("row", "what", "ours", "against", "ratio", "goal", "met?")


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the benchmarks."""

    command: str
    date: str
    machine: Machine
    findings: Sequence[Finding]
    seconds: float
    load: tuple[float, float]
    failures: Sequence[str] = field(default_factory=tuple)

    def text(self) -> str:
        """Return the table for a terminal, and what stood around it."""
        rows = [HEAD, *(finding.cells() for finding in self.findings)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join([*lines, "", *self._notes(), *(f"FAILED {failure}" for failure in self.failures)])

    def markdown(self) -> str:
        """Return the page `docs/benchmarks.md`."""
        rows = [HEAD, tuple("---" for _ in HEAD), *(finding.cells() for finding in self.findings)]
        table = [f"| {' | '.join(cell.replace('|', ' ') for cell in row)} |" for row in rows]
        about = [f"- {line}" for line in (f"Command: `{self.command}`, {self.date}", *self._around())]
        notes = [f"- {note}" for note in self._footnotes()]
        failed = [f"- FAILED: {failure}" for failure in self.failures]
        return "\n".join([INTRODUCTION, *table, "", *about, "", *notes, *failed, ""])

    def as_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "command": self.command,
            "date": self.date,
            "machine": self.machine.as_json(),
            "seconds": round(self.seconds, 1),
            "load_average": {"before": self.load[0], "after": self.load[1]},
            "findings": [finding.as_json() for finding in self.findings],
            "failures": list(self.failures),
        }

    def _around(self) -> list[str]:
        return [
            self.machine.text(),
            f"Load average {self.load[0]:.1f} before and {self.load[1]:.1f} after, {self.seconds:.0f} s in all.",
        ]

    def _footnotes(self) -> list[str]:
        return [f"{finding.row}, {finding.what}: {finding.note}" for finding in self.findings if finding.note]

    def _notes(self) -> list[str]:
        return [*self._footnotes(), "", *self._around()]


INTRODUCTION = """\
# Benchmarks

Written by `make bench ARGS="--write docs/benchmarks.md"`; do not edit. Each figure is a median; each ratio is the
median of the ratios of rounds in which both sides ran, in changing order, so that a busy machine disturbs both.
Sessions run the real Claude Code against the scripted model on loopback.
"""
