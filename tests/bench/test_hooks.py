"""The benchmarks of hooks run, with the real Claude Code and a real daemon. How fast it is, is no matter of tests."""

import json

import pytest

from tests.bench.test_bench import bench


@pytest.mark.e2e
def test_hooks_are_measured_from_the_sender_the_spool_and_a_real_tool_call() -> None:
    done = bench("ingest", "spool", "hooks", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert {finding["row"] for finding in report["findings"]} == {"ingest", "spool", "hooks"}
    assert [finding["what"] for finding in report["findings"] if finding["row"] == "hooks"] == [
        "added to each tool call, daemon up",
        "added to each tool call, daemon down",
    ]
