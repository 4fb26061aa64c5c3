"""kill -9 of the daemon at any step of a job's life: it runs once, its output is whole, its exit status is kept.

More seeds: CLAUDE_CODE_MCP_SWEEP_SEEDS=200; some of them: CLAUDE_CODE_MCP_SWEEP_SEEDS=17-19.
"""

import contextlib
import os
import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.platform.procs import table
from tests.support.daemon import CallFailed, Json, Terminal
from tests.support.sweeping import TRIES, Fates, Undaunted, mortal

pytestmark = pytest.mark.e2e

KILLS = 10
LINES = 3000
START = (
    "after commit:1",  # there is no store yet
    "before mkfifo:1",  # accepted; the run's directory is half made
    "after mkfifo:1",
    "after rename:1",
    "after rename:2",
    "before spawn:1",  # of the process that starts runs
    "after spawn:1",
    "before write:3",
    "after write:3",
    "before commit:2",
    "after commit:2",
    "before commit:3",
    "after commit:3",
    "after commit:4",
)


def seeds() -> range:
    first, _, last = os.environ.get("CLAUDE_CODE_MCP_SWEEP_SEEDS", "4").rpartition("-")
    return range(int(first or 0), int(last) + (1 if first else 0))


def begin(client: Undaunted, command: str, name: str, **wish: object) -> str:
    """Start a job once, however often the daemon dies meanwhile; return its id."""
    for _ in range(TRIES):
        try:
            return str(client.call("jobs.execute", command=command, name=name, labels={"play": name}, **wish)["job_id"])
        except (ConnectionError, Refused) as exc:
            client.again(exc)
        found = client.insist("jobs.list", label=f"play={name}")["jobs"]
        if found:
            return str(found[0]["job_id"])
    raise AssertionError("the job was never accepted")


def told(client: Undaunted, job_id: str) -> Json:
    """Read a job to its end, and return it with what it said."""
    text = {"stdout": "", "stderr": ""}
    cursor, over = "", False
    while not over:
        page = client.insist("jobs.output", job_id=job_id, cursor=cursor, wait_s=0.5, limit_bytes=20_000)
        for stream in text:
            text[stream] += page[stream]
        cursor, over = page["cursor"], page["over"]
    return {**client.insist("jobs.status", job_id=job_id), **text}


@pytest.mark.parametrize("seed", seeds())
def test_kill_9_of_the_daemon_at_any_step_leaves_a_job_whole(terminal: Terminal, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    fates = Fates([int(2 ** chance.uniform(0, 6.5)) for _ in range(KILLS)], tmp_path / "fates")
    count, gate = tmp_path / "count", tmp_path / "gate"
    os.mkfifo(gate)
    command = f"echo start >> {count}; seq 1 {LINES}; seq 1 {LINES} >&2; cat {gate}; echo end; exit 7"
    with mortal(terminal, fates) as client:
        job_id = begin(client, command, "play-1", output_limit_bytes=1_000_000)
        client.insist("jobs.wait", job_id=job_id, pattern=f"^{LINES}", wait_s=5)
        fd = os.open(gate, os.O_WRONLY)
        os.write(fd, b"through\n")
        os.close(fd)
        done = told(client, job_id)
    assert sum("killed" in line for line in fates.told()) >= KILLS // 3, fates.told()
    assert (done["state"], done["code"]) == ("failed", 7), fates.told()
    numbers = "".join(f"{n}\n" for n in range(1, LINES + 1))
    assert done["stdout"] == f"{numbers}through\nend\n"
    assert done["stderr"] == numbers
    assert count.read_text() == "start\n"


def test_a_start_that_is_killed_at_each_of_its_steps_in_turn_runs_the_command_once(
    terminal: Terminal, tmp_path: Path
) -> None:
    fates = Fates(START, tmp_path / "fates")
    count = tmp_path / "count"
    with mortal(terminal, fates) as client:
        job_id = begin(client, f"echo start >> {count}; exit 5", "play-1")
        done = told(client, job_id)
    assert (done["state"], done["code"]) == ("failed", 5), fates.told()
    assert count.read_text() == "start\n", fates.told()
    assert sum("killed" in line for line in fates.told()) >= len(START) // 2, fates.told()


def test_a_kill_that_is_killed_at_each_of_its_steps_in_turn_leaves_nothing(terminal: Terminal, tmp_path: Path) -> None:
    job = terminal.call(
        "jobs.execute", command="trap '' TERM; echo up; (setsid sleep 300 &); while :; do sleep 1; done"
    )
    terminal.call("jobs.wait", job_id=job["job_id"], pattern="up", wait_s=30)
    terminal.kill_daemon()
    fates = Fates(range(4, 40, 3), tmp_path / "fates")
    with mortal(terminal, fates) as client:
        for _ in range(TRIES):
            try:
                client.call("jobs.kill", job_id=job["job_id"], grace_s=0.2)
                break
            except (ConnectionError, Refused) as exc:
                client.again(exc)
        done = client.insist("jobs.status", job_id=job["job_id"])
    assert done["state"] == "killed", fates.told()
    [run] = [path.name for path in (terminal.state_dir / "jobs").iterdir() if path.is_dir()]
    rows = table.snapshot()
    assert not {pid for pid in table.carrying(rows, f"{table.RUN_TAG}={run}") if rows[pid].state != "Z"}
    with closing(sqlite3.connect(terminal.state_dir / "state.db")) as db:
        (ends,) = db.execute("SELECT count(*) FROM event WHERE kind = 'job.ended'").fetchone()
    assert ends == 1


@pytest.mark.usefixtures("leftovers")
@pytest.mark.parametrize("moment", [0, 1, 5, 20, 50])
def test_kill_9_of_the_supervisor_at_any_moment_leaves_no_process_and_says_so(terminal: Terminal, moment: int) -> None:
    script = "(setsid sleep 300 &); for i in $(seq 1 1000); do echo line $i; done; sleep 300"
    job = terminal.call("jobs.execute", command=script)
    if moment:
        terminal.call("jobs.wait", job_id=job["job_id"], pattern=f"line {moment}", wait_s=30)
    status = Path(f"/proc/{job['pid']}/stat").read_text()
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["code"]) == ("lost", None)
    with contextlib.suppress(CallFailed):
        terminal.call("processes.reap", apply=True, grace_s=0.2)
    [run] = [path.name for path in (terminal.state_dir / "jobs").iterdir() if path.is_dir()]
    rows = table.snapshot()
    assert not {pid for pid in table.carrying(rows, f"{table.RUN_TAG}={run}") if rows[pid].state != "Z"}
