"""Limits and sandboxes of jobs: what is promised holds for the whole tree, and the record says what was in force."""

import os
import sys
from pathlib import Path

import pytest

from claude_code_mcp.features.jobs.service.metering import over_limit
from claude_code_mcp.platform.procs import landlock, table
from claude_code_mcp.platform.procs.models import Usage
from tests.features.jobs.test_running import run, said
from tests.support.daemon import CallFailed, Json, Terminal

needs_landlock = pytest.mark.skipif(landlock.abi() == 0, reason="this kernel has no Landlock")
BURN = "import time\nwhile time.process_time() < 0.6: pass"


def python(code: str) -> str:
    return f"exec {sys.executable} -c '{code}'"


def runs_of(terminal: Terminal) -> list[str]:
    return [path.name for path in (terminal.state_dir / "jobs").iterdir() if path.is_dir()]


def carrying(terminal: Terminal) -> set[int]:
    rows = table.snapshot()
    found: set[int] = set()
    for tag in runs_of(terminal):
        found |= table.carrying(rows, f"{table.RUN_TAG}={tag}")
    return {pid for pid in found if rows[pid].state != "Z"}


def test_processor_time_is_limited_for_the_whole_tree(terminal: Terminal) -> None:
    # No single process reaches the limit, and each is young when the next begins.
    done = run(terminal, f"for i in 1 2 3 4 5 6 7 8; do {sys.executable} -c '{BURN}'; done; exit 0", cpu_s=1)
    assert (done["state"], done["status"]) == ("over_limit", "failed")
    assert "more than 1 s of processor time" in done["reason"]
    assert done["sandbox"]["cpu_s"] == "each process"
    assert carrying(terminal) == set()


def test_a_memory_hog_is_ended_and_the_reason_is_told(terminal: Terminal) -> None:
    hog = python('x = bytearray(600 << 20); print("never", len(x))')
    done = run(terminal, hog, memory_bytes=200 << 20)
    assert done["status"] == "failed"
    assert "never" not in done["stdout"]
    assert done["sandbox"]["memory_bytes"] in {"cgroup", "each process"}
    if done["sandbox"]["memory_bytes"] == "cgroup":
        assert "memory" in done["reason"]
    assert run(terminal, "echo fine")["stdout"] == "fine\n"


def test_a_fork_bomb_stays_within_its_number_of_processes(terminal: Terminal) -> None:
    bomb = "for i in $(seq 1 60); do sleep 300 & done; echo all; wait"
    job = terminal.call("jobs.execute", command=bomb, processes=20)
    terminal.call("jobs.wait", job_id=job["job_id"], pattern="fork|all", wait_s=10)
    assert len(carrying(terminal)) <= 25
    terminal.call("jobs.kill", job_id=job["job_id"], grace_s=0.2)
    assert carrying(terminal) == set()
    assert run(terminal, "echo fine")["stdout"] == "fine\n"


def test_a_file_larger_than_may_be_is_not_written(terminal: Terminal) -> None:
    done = run(terminal, "head -c 1000000 /dev/zero > big; wc -c < big", file_bytes=65_536)
    assert done["stdout"].strip() == "65536"
    assert (terminal.cwd / "big").stat().st_size == 65_536


def test_a_job_yields_as_much_as_it_is_told(terminal: Terminal) -> None:
    assert run(terminal, "nice", nice=7)["stdout"] == f"{min(19, os.nice(0) + 7)}\n"


@needs_landlock
def test_a_sandboxed_job_writes_where_it_may_only_and_reads_no_secrets(terminal: Terminal, home: Path) -> None:
    (home / ".ssh").mkdir()
    (home / ".ssh" / "id").write_text("canary-4711")
    outside = terminal.cwd.parent / "outside"
    outside.mkdir()
    script = (
        f"echo in > inside; echo out > {outside}/x; cat {home}/.ssh/id; cat {terminal.state_dir}/state.db;"
        "echo to-null > /dev/null; echo told >> /dev/stderr; cat inside"
    )
    done = run(terminal, script, sandbox="fs")
    assert done["stdout"] == "in\n"
    assert "told" in done["stderr"]
    assert done["stderr"].count("denied") == 3
    assert not (outside / "x").exists()
    assert (done["sandbox"]["sandbox"], done["sandbox"]["files"]) == ("fs", "landlock")
    wider = run(terminal, f"echo out > {outside}/x", sandbox="fs", writable=[str(outside)])
    assert wider["status"] == "completed"


@needs_landlock
def test_a_job_without_network_reaches_nobody(terminal: Terminal) -> None:
    listen = (
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen();'
        "print(s.getsockname()[1], flush=True); s.accept()"
    )
    server = terminal.call("jobs.execute", command=python(listen))
    port = said(terminal, server["job_id"], r"\d+")
    connect = python(f'import socket; socket.create_connection(("127.0.0.1", {port}), 5); print("reached")')
    cut_off = run(terminal, connect, sandbox="fs+net")
    assert cut_off["status"] == "failed"
    assert cut_off["sandbox"]["network"] in {"namespace", "landlock, TCP only"}
    assert run(terminal, connect, sandbox="fs")["stdout"] == "reached\n"


def test_what_this_system_can_do_is_told(terminal: Terminal) -> None:
    found = terminal.call("jobs.capabilities")
    assert set(found["limits"]) == {"memory_bytes", "processes", "cpu_s", "file_bytes", "nice"}
    assert set(found["sandboxes"]) == {"limits", "fs", "fs+net"}


def test_a_working_directory_that_is_gone_is_a_clear_failure(terminal: Terminal) -> None:
    gone = terminal.cwd / "gone"
    gone.mkdir()
    job = terminal.call("jobs.execute", command="echo up", project_path=str(gone), wait_s=30)
    gone.rmdir()
    again = terminal.call("jobs.restart", job_id=job["job_id"])
    done = terminal.call("jobs.wait", job_id=again["job_id"], wait_s=30)["job"]
    assert done["state"] == "failed"
    assert "gone" in done["reason"]


def test_a_job_that_cannot_be_started_is_tried_again_as_its_policy_says(terminal: Terminal) -> None:
    job = terminal.call(
        "jobs.execute", argv=["/no/such/program"], restart="on-failure", restart_attempts=2, restart_pause_s=0.05
    )
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["attempt"]) == ("failed", 3)


class Slow:
    """A run that uses what it is told to."""

    def __init__(self, *uses: Json) -> None:
        self._uses = list(uses)

    async def usage(self) -> object:
        return Usage(**self._uses.pop(0))


@pytest.mark.anyio
async def test_the_first_limit_that_is_passed_is_named() -> None:
    fine = {"processes": 1, "rss_bytes": 100, "cpu_s": 0.5}
    for over, word in (({"cpu_s": 2.5}, "2 s"), ({"rss_bytes": 5000}, "memory"), ({"processes": 9}, "9 processes")):
        told = await over_limit(
            Slow(fine, {**fine, **over}),  # type: ignore[arg-type]  # all that is asked of a run
            {"cpu_s": 2, "memory_bytes": 1000, "processes": 5},
        )
        assert word in told


def test_no_pattern_holds_up_the_daemon(terminal: Terminal) -> None:
    job = run(terminal, "printf 'a%.0s' $(seq 1 20000); echo b", match="(a+)+$")
    found = terminal.call("jobs.search", job_id=job["job_id"], pattern="(a|aa)+$")
    assert found["matches"] == []
    with pytest.raises(CallFailed, match="RE2"):
        terminal.call("jobs.search", job_id=job["job_id"], pattern="(?<=a)b")


def test_secrets_of_a_job_are_in_no_listing_and_no_log(terminal: Terminal) -> None:
    canary = "canary-0815-not-shown"
    job = run(terminal, "echo fine", env={"DB_PASSWORD": canary}, stdin=canary)
    for op, wish in (("jobs.status", {"job_id": job["job_id"]}), ("jobs.list", {}), ("processes.list", {})):
        assert canary not in str(terminal.call(op, **wish))
    files = [terminal.state_dir / "state.db", *terminal.state_dir.glob("*.log"), *terminal.state_dir.glob("*-wal")]
    assert not [path for path in files if canary.encode() in path.read_bytes()]
    [kept] = (terminal.state_dir / "job-vault").iterdir()
    assert oct(os.stat(kept).st_mode & 0o777) == "0o600"
