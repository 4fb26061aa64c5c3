"""The benchmarks can be run, and their table says what was measured. How fast it is, is no matter of tests."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from bench.__main__ import TERMINATED
from bench.findings import Finding, Goal
from bench.machine import Machine
from bench.report import Report
from bench.rows import ROWS

from tests.platform.procs.children import until_now
from tests.support.processes import running_in

ROOT = Path(__file__).parents[2]
MACHINE = Machine("a CPU", 2, 8.0, "Linux 6", "3.11.7", "2.1.327", {"mcp": "2.3.0"})


def bench(*words: str) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"]}
    argv = [sys.executable, "-m", "bench", *words]
    return subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)


def test_two_rows_run_and_give_a_table_as_json_and_as_a_page(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    done = bench("relay", "progress", "--quick", "--json", "--date", "2026-11-20", "--write", str(page))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert {finding["row"] for finding in report["findings"]} == {"relay", "progress"}
    assert all(finding["ours"] > 0 for finding in report["findings"])
    text = page.read_text(encoding="utf-8")
    assert "2026-11-20" in text
    assert "| relay | start to first answer, daemon up |" in text


@pytest.mark.e2e
def test_a_run_that_is_terminated_leaves_nothing_behind(short_tmp: Path) -> None:
    env = {"PATH": os.environ["PATH"], "TMPDIR": str(short_tmp)}
    argv = [sys.executable, "-m", "bench", "turn"]
    with subprocess.Popen(argv, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until_now(lambda: [*short_tmp.glob("ccb-*/state/runs/*/procs.json")], 30)
        (place,) = short_tmp.glob("ccb-*")
        assert running_in(place / "home")
        run.send_signal(signal.SIGTERM)
        assert run.wait(30) == TERMINATED
    assert running_in(place / "home") == []
    assert [*short_tmp.glob("ccb-*")] == []


def test_checkpoints_are_measured_without_the_peers_that_are_not_there(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "git").symlink_to(git)
    env = {"PATH": str(tmp_path), "BENCH_TMP": str(tmp_path)}
    argv = [sys.executable, "-m", "bench", "checkpoints", "checkpoint_restore", "--quick", "--json"]
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    findings = json.loads(done.stdout)["findings"]
    assert {finding["against"] for finding in findings if "(process)" in finding["what"]} == {"git"}
    assert "not installed, so not measured: restic, borg" in {finding["note"] for finding in findings}
    assert [*tmp_path.glob("ccb-*")] == []


def test_a_row_that_there_is_not_is_refused_with_the_names_of_those_there_are() -> None:
    done = bench("nonsense")
    assert done.returncode == 2
    assert all(name in done.stderr for name in ROWS)


@pytest.mark.parametrize(
    ("finding", "met"),
    [
        (Finding("r", "w", "ms", [3, 1, 2], "peer", [1, 1, 1], Goal(2)), True),
        (Finding("r", "w", "ms", [3, 1, 3], "peer", [1, 1, 1], Goal(2)), False),
        (Finding("r", "w", "/s", [9, 9, 9], "peer", [3, 3, 3], Goal(3, at_least=True)), True),
        (Finding("r", "w", "MB", [81], goal=Goal(80)), False),
        (Finding("r", "w", "MB", [81]), None),
    ],
)
def test_a_goal_is_met_by_the_median_of_the_rounds_ratios_or_by_our_own_figure(
    finding: Finding, met: bool | None
) -> None:
    assert finding.met is met


def test_the_ratio_is_that_of_rounds_and_not_of_medians() -> None:
    finding = Finding("r", "w", "ms", [1, 20, 3], "peer", [1, 10, 1])
    assert finding.ratio == 2


def test_a_row_that_failed_is_named_beside_the_others() -> None:
    findings = [Finding("relay", "start", "ms", [21.4], "echo", [12.6], Goal(2.5), note="a note")]
    report = Report("python -m bench", "2026-11-20", MACHINE, findings, 3.0, (0.1, 0.2), ["turn: it broke"])
    for shown in (report.text(), report.markdown()):
        assert "turn: it broke" in shown
        assert "a note" in shown
    assert "1.7x" in report.text()
