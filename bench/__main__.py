"""`python -m bench [ROW …]`: measure, print the table, and say where a goal is missed."""

import argparse
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from bench.findings import Finding
from bench.machine import machine
from bench.place import scripted_model
from bench.report import Report
from bench.rows import ROWS
from bench.setting import Setting

TERMINATED = 128 + signal.SIGTERM


def parser() -> argparse.ArgumentParser:
    """Return the command line's words."""
    about = "Measure claude-code-mcp beside its peers. Rows: " + ", ".join(ROWS) + "."
    words = argparse.ArgumentParser(prog="python -m bench", description=about)
    words.add_argument("rows", nargs="*", metavar="ROW", help="what to measure (default: all rows)")
    words.add_argument("--quick", action="store_true", help="one small round of each: tries that they run")
    words.add_argument("--json", action="store_true", help="print everything as JSON, samples included")
    words.add_argument("--write", type=Path, metavar="FILE", help="write the table as a Markdown page, too")
    words.add_argument("--date", default=None, help="the date on the page (default: today)")
    words.add_argument("--seed", type=int, default=1, help="orders the rounds (default: 1)")
    return words


def main(argv: Sequence[str]) -> int:
    """Run what `argv` asks for; return 0 when all rows could be measured, whether or not goals are met."""
    asked = parser().parse_args(argv)
    unknown = [name for name in asked.rows if name not in ROWS]
    if unknown:
        sys.stderr.write(f"there is no row {unknown[0]!r}; rows: {', '.join(ROWS)}\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # or what was started would be left running
    began, load = time.monotonic(), os.getloadavg()[0]
    findings: list[Finding] = []
    failures: list[str] = []
    with scripted_model() as url:
        for name in asked.rows or ROWS:
            setting = Setting(asked.quick, Random(f"{asked.seed} {name}"), url)
            try:
                findings += _row(name, setting)
            except Exception as exc:  # noqa: BLE001 - one row that fails must not cost the others
                failures.append(f"{name}: {type(exc).__name__}: {exc}")
                traceback.print_exc()
    report = Report(
        command=" ".join(["python -m bench", *argv]),
        date=asked.date or datetime.now(UTC).date().isoformat(),
        machine=machine(),
        findings=findings,
        seconds=time.monotonic() - began,
        load=(load, os.getloadavg()[0]),
        failures=failures,
    )
    print(json.dumps(report.as_json(), indent=1) if asked.json else report.text())
    if asked.write is not None:
        asked.write.write_text(report.markdown(), encoding="utf-8")
    return 1 if failures else 0


def _row(name: str, setting: Setting) -> list[Finding]:
    began = time.monotonic()
    sys.stderr.write(f"{name} ... ")
    sys.stderr.flush()
    try:
        return ROWS[name](setting)
    finally:
        sys.stderr.write(f"{time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
