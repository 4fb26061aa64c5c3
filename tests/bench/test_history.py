"""The first look at a history is measured with a daemon of its own."""

import json

from tests.bench.test_bench import bench


def test_the_row_of_the_history_runs_and_has_all_its_figures() -> None:
    done = bench("history", "--quick", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert len(report["findings"]) == 5
