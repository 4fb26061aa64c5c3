"""What jobs leave behind over time: descriptors, processes, files; a reboot, a full disk, and clearing away."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs import table
from tests.features.jobs.test_output import everything
from tests.features.jobs.test_running import run, said
from tests.platform.procs.children import until_now
from tests.support.daemon import Json, Terminal


def again(terminal: Terminal, **env: str) -> None:
    """Kill the daemon; the next one has these variables."""
    terminal.kill_daemon()
    terminal.env.update(env)


def reboot(terminal: Terminal, job: Json) -> None:
    """Let everything look as it does after the machine was started anew: another boot, and no process left."""
    terminal.kill_daemon()
    row = table.row_of(job["pid"])
    assert row is not None
    os.kill(row.parent, signal.SIGKILL)
    until_now(lambda: not Path(f"/proc/{job['pid']}").exists())
    for path in (terminal.state_dir / "jobs").glob("*/procs.json"):
        record = json.loads(path.read_text())
        for who in ("shim", "child"):
            record[who]["boot"] = "00000000-another-boot"
        path.write_text(json.dumps(record))


def test_after_a_reboot_a_job_is_lost_or_starts_again_as_it_was_told(terminal: Terminal) -> None:
    plain = terminal.call("jobs.execute", command="echo up; sleep 300")
    said(terminal, plain["job_id"], "up")
    reboot(terminal, plain)
    lost = terminal.call("jobs.wait", job_id=plain["job_id"], wait_s=30)["job"]
    assert (lost["state"], lost["reason"]) == ("lost", "the machine was restarted")
    kept = terminal.call("jobs.execute", command="echo up; sleep 300", after_reboot=True, restart_pause_s=0.05)
    said(terminal, kept["job_id"], "up")
    reboot(terminal, kept)
    assert terminal.call("jobs.wait", job_id=kept["job_id"], wait_s=1)["reached"] is False
    until_now(lambda: terminal.call("jobs.status", job_id=kept["job_id"])["attempt"] == 2)
    said(terminal, kept["job_id"], "up")


def test_no_job_goes_on_when_the_disk_is_about_to_be_full(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo up; sleep 300")
    said(terminal, job["job_id"], "up")
    room = str(1 << 50)
    again(terminal, CLAUDE_CODE_MCP_DISK_LOW_BYTES=room, CLAUDE_CODE_MCP_DISK_CRITICAL_BYTES=room)
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["reason"]) == ("over_limit", "the disk is about to be full")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB; only who may mount has one."""
    path = tmp_path / "disk"
    path.mkdir()
    options = ["-t", "tmpfs", "-o", "size=48m,mode=0700", "tmpfs"]
    if subprocess.run(["mount", *options, str(path)], capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not allowed here")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


@pytest.mark.parametrize(
    ("command", "limit", "wait_s", "states"),
    [
        ("while :; do head -c 200000 /dev/zero; sleep 0.02; done", 1 << 40, 60, {"over_limit"}),
        ("cat /dev/zero; sleep 300", 65_536, 3, {"over_limit", "running", "failed"}),
    ],
)
def test_a_job_that_fills_the_disk_takes_nobody_along(
    terminal: Terminal, small_disk: Path, command: str, limit: int, wait_s: float, states: set[str]
) -> None:
    env = {
        **terminal.env,
        "CLAUDE_CODE_MCP_DISK_LOW_BYTES": "16000000",
        "CLAUDE_CODE_MCP_DISK_CRITICAL_BYTES": "8000000",
    }
    mine = Terminal(small_disk / "s", env, terminal.cwd)
    mine.state_dir.mkdir(mode=0o700)
    try:
        job = mine.call("jobs.execute", command=command, output_limit_bytes=limit)
        mine.call("jobs.wait", job_id=job["job_id"], wait_s=wait_s)
        shown = mine.call("jobs.status", job_id=job["job_id"])
        assert shown["state"] in states, shown
        mine.call("jobs.remove", job_id=job["job_id"], force=True)
        # How much room there is, is known a second late.
        until_now(lambda: mine.call("jobs.execute", command="echo fine", wait_s=30)["stdout"] == "fine\n")
    finally:
        mine.stop()


def test_a_job_is_killed_although_nothing_can_be_noted(terminal: Terminal, small_disk: Path) -> None:
    env = {**terminal.env, "CLAUDE_CODE_MCP_DISK_LOW_BYTES": "0", "CLAUDE_CODE_MCP_DISK_CRITICAL_BYTES": "0"}
    mine = Terminal(small_disk / "s", env, terminal.cwd)
    mine.state_dir.mkdir(mode=0o700)
    try:
        job = mine.call("jobs.execute", command="sleep 300", restart="always")
        filler = small_disk / "filler"
        with pytest.raises(OSError, match="No space left"):
            filler.write_bytes(bytes(64 << 20))
        killing = threading.Thread(target=lambda: mine.call("jobs.kill", job_id=job["job_id"], grace_s=1))
        killing.start()
        until_now(lambda: table.row_of(job["pid"]) is None)
        filler.unlink()
        killing.join(60)
        shown = mine.call("jobs.status", job_id=job["job_id"])
        assert (shown["state"], shown["attempt"]) == ("killed", 1)
    finally:
        mine.stop()


def test_zombies_are_taken_away_with_their_job(terminal: Terminal) -> None:
    code = (
        "import os, time\nfor _ in range(20):\n    if os.fork() == 0: os._exit(0)\n"
        "print('up', flush=True)\ntime.sleep(300)"
    )
    job = terminal.call("jobs.execute", argv=["python3", "-c", code])
    said(terminal, job["job_id"], "up")
    ended = terminal.call("jobs.kill", job_id=job["job_id"], grace_s=1)
    assert (ended["job"]["state"], ended["left"]) == ("killed", [])
    assert not [row for row in table.snapshot().values() if row.parent == job["pid"]]


def test_output_that_was_written_without_a_daemon_is_cut_to_its_limit_too(terminal: Terminal, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = terminal.call("jobs.execute", command=f"cat {gate}; seq 1 400000; echo end", output_limit_bytes=65_536)
    terminal.kill_daemon()
    gate.write_text("go\n")
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert done["cut_bytes"] > 2_000_000
    [out] = (terminal.state_dir / "jobs").glob("*/stdout")
    assert out.stat().st_blocks * 512 < 150_000
    found = everything(terminal, job["job_id"])["stdout"]
    assert found.startswith("go\n1\n2\n")
    assert found.endswith("400000\nend\n")


def test_a_single_line_cannot_break_the_limit(terminal: Terminal) -> None:
    done = run(terminal, "head -c 20000000 /dev/zero | tr '\\0' x", output_limit_bytes=65_536)
    assert done["stdout_bytes"] == 20_000_000
    [out] = (terminal.state_dir / "jobs").glob("*/stdout")
    assert out.stat().st_blocks * 512 < 150_000


def test_output_is_followed_from_attempt_to_attempt_and_an_earlier_one_is_read_by_its_number(
    terminal: Terminal, tmp_path: Path
) -> None:
    count = tmp_path / "count"
    job = terminal.call(
        "jobs.execute",
        command=f"echo x >> {count}; echo attempt $(wc -l < {count}); test $(wc -l < {count}) -ge 3",
        restart="on-failure",
        restart_pause_s=0.05,
    )
    terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    assert everything(terminal, job["job_id"])["stdout"] == "attempt 3\n"  # who comes late begins with the last
    first = terminal.call("jobs.output", job_id=job["job_id"], attempt=1)
    assert (first["stdout"], first["more"]) == ("attempt 1\n", False)
    assert terminal.call("jobs.tail", job_id=job["job_id"], attempt=2)["stdout"] == "attempt 2\n"
    text, cursor, over = "", "0:0@1", False
    while not over:
        page = terminal.call("jobs.output", job_id=job["job_id"], cursor=cursor, wait_s=10)
        text, cursor, over = text + page["stdout"], page["cursor"], page["over"]
    assert text == "attempt 1\nattempt 2\nattempt 3\n"


def test_ended_jobs_are_cleared_away_by_number_and_age_pinned_ones_never(terminal: Terminal) -> None:
    jobs = [run(terminal, f"echo {n}", pin=n == 0)["job_id"] for n in range(6)]
    again(terminal, CLAUDE_CODE_MCP_JOBS_KEEP="2", MCP_BG_CLEANUP_INTERVAL="1")
    wanted = [*reversed(jobs[4:]), jobs[0]]
    until_now(lambda: [job["job_id"] for job in terminal.call("jobs.list")["jobs"]] == wanted)
    again(terminal, CLAUDE_CODE_MCP_JOBS_KEEP_H="0")
    until_now(lambda: [job["job_id"] for job in terminal.call("jobs.list")["jobs"]] == [jobs[0]])
    assert terminal.call("jobs.output", job_id=jobs[0])["stdout"] == "0\n"
    until_now(lambda: len(list((terminal.state_dir / "jobs").iterdir())) == 1)
    assert [path.stem for path in (terminal.state_dir / "job-vault").iterdir()] == [jobs[0]]


def test_a_job_that_waits_for_its_next_attempt_is_not_cleared_away(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="exit 1", restart="always", restart_pause_s=600)
    until_now(lambda: terminal.call("jobs.status", job_id=job["job_id"])["state"] == "restarting")
    again(terminal, CLAUDE_CODE_MCP_JOBS_KEEP="0", CLAUDE_CODE_MCP_JOBS_KEEP_H="0", MCP_BG_CLEANUP_INTERVAL="1")
    other = run(terminal, "true")
    until_now(lambda: len(terminal.call("jobs.list")["jobs"]) < 2)
    assert terminal.call("jobs.list")["jobs"][0]["job_id"] == job["job_id"] != other["job_id"]


def test_the_limits_of_the_documents_server_hold(terminal: Terminal) -> None:
    terminal.hang_up()
    terminal.env.update(MCP_BG_JOB_TIMEOUT="1", MCP_BG_MAX_OUTPUT_SIZE="65536")
    timed_out = run(terminal, "sleep 300")
    assert (timed_out["state"], timed_out["status"]) == ("timed_out", "killed")
    assert run(terminal, "seq 1 200000")["cut_bytes"] > 0


@pytest.mark.e2e
def test_500_jobs_leave_no_descriptor_and_no_process(terminal: Terminal) -> None:
    terminal.hang_up()
    terminal.env["MCP_BG_MAX_JOBS"] = "100"
    run(terminal, "true")
    run(terminal, "read x; echo $x", stdin="x\n")

    def below() -> int:
        return len(table.below(table.snapshot(), {terminal.pid}, set()))

    def held() -> int:
        return len(list(Path(f"/proc/{terminal.pid}/fd").iterdir()))

    processes, descriptors = below(), held()
    for batch in range(50):
        jobs = [
            terminal.call("jobs.execute", command="read x; echo $x; (setsid sleep 300 &); echo up")["job_id"]
            for _ in range(10)
        ]
        for number, job_id in enumerate(jobs):
            if number % 3:
                terminal.call("jobs.kill", job_id=job_id, grace_s=1)
            else:
                terminal.call("jobs.interact", job_id=job_id, input="x", wait_s=0)
                assert terminal.call("jobs.wait", job_id=job_id, wait_s=30)["reached"]
        if batch % 10 == 0:
            terminal.call("jobs.remove", ended=True)
    until_now(lambda: below() <= processes and held() <= descriptors)
    rows = table.snapshot()
    tags = [path.name for path in (terminal.state_dir / "jobs").iterdir()]
    assert not [tag for tag in tags if table.carrying(rows, f"{table.RUN_TAG}={tag}")]
