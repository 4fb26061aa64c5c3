"""Jobs that outlive the daemon, come back after failures, wait for each other, and tell their session."""

import os
import signal
from pathlib import Path

import pytest

from claude_code_mcp.features.jobs.models import JobState, Policy, Restart
from claude_code_mcp.features.jobs.rules.restarting import failures_after, pause_s
from claude_code_mcp.features.jobs.rules.states import ImpossibleStep, end_of, moved
from tests.features.jobs.test_output import everything
from tests.features.jobs.test_running import run, said
from tests.support.daemon import Terminal


def test_a_job_goes_on_while_the_daemon_is_dead_and_is_taken_up_whole(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo before; read x; echo got $x; exit 7")
    said(terminal, job["job_id"], "before")
    terminal.kill_daemon()
    assert Path(f"/proc/{job['pid']}").exists()
    found = terminal.call("jobs.status", job_id=job["job_id"])
    assert (found["state"], found["pid"]) == ("running", job["pid"])
    terminal.call("jobs.interact", job_id=job["job_id"], input="it", wait_s=0)
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["code"]) == ("failed", 7)
    assert everything(terminal, job["job_id"])["stdout"] == "before\ngot it\n"


def test_a_job_that_ends_while_the_daemon_is_dead_has_its_end_and_its_output(
    terminal: Terminal, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    job = terminal.call("jobs.execute", command=f"cat {gate}; echo last words; exit 5")
    terminal.kill_daemon()
    gate.write_text("through\n")
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert done["code"] == 5
    assert everything(terminal, job["job_id"])["stdout"] == "through\nlast words\n"


def test_a_kill_that_a_dying_daemon_began_is_carried_out_by_the_next(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="trap '' TERM; echo up; while :; do sleep 0.1; done")
    said(terminal, job["job_id"], "up")
    with pytest.MonkeyPatch.context():
        terminal._channel.sock.sendall(  # type: ignore[union-attr]  # a call whose answer is never read
            b'{"id":99,"op":"jobs.kill","args":{"job_id":"%s","grace_s":0.5}}\n' % job["job_id"].encode()
        )
    terminal.until_recorded("job.stopping")
    terminal.kill_daemon()
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert done["state"] == "killed"


def test_a_job_whose_supervisor_was_killed_is_lost_and_leaves_nothing(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo up; sleep 300")
    said(terminal, job["job_id"], "up")
    shim = int(Path(f"/proc/{job['pid']}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(shim, signal.SIGKILL)
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["status"]) == ("lost", "failed")
    assert "supervisor" in done["reason"]


def test_a_failing_job_is_started_again_and_again_until_it_may_not(terminal: Terminal) -> None:
    job = terminal.call(
        "jobs.execute",
        command="echo attempt; exit 1",
        restart="on-failure",
        restart_attempts=2,
        restart_pause_s=0.05,
        wait_s=0,
    )
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["attempt"]) == ("failed", 3)


def test_a_job_that_is_to_run_always_comes_back_after_a_good_end(terminal: Terminal, tmp_path: Path) -> None:
    count = tmp_path / "count"
    job = terminal.call(
        "jobs.execute",
        command=f"echo x >> {count}; test $(wc -l < {count}) -lt 3 || sleep 300",
        restart="always",
        restart_pause_s=0.05,
        ready_log="never",
    )
    said_up = terminal.call("jobs.wait", job_id=job["job_id"], until="ready", wait_s=0)
    assert not said_up["reached"]
    while terminal.call("jobs.status", job_id=job["job_id"])["attempt"] < 3:
        terminal.call("jobs.wait", job_id=job["job_id"], wait_s=0.05)
    ended = terminal.call("jobs.kill", job_id=job["job_id"])
    assert ended["job"]["state"] == "killed"
    assert terminal.call("jobs.status", job_id=job["job_id"])["next_at"] is None


def test_a_restart_on_wish_ends_the_old_process_and_runs_the_same_again(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo up $GIVEN; sleep 300", env={"GIVEN": "still"})
    said(terminal, job["job_id"], "up still")
    again = terminal.call("jobs.restart", job_id=job["job_id"])
    assert again["attempt"] == 2
    assert not Path(f"/proc/{job['pid']}").exists()
    said(terminal, job["job_id"], "up still")
    terminal.call("jobs.kill", job_id=job["job_id"])
    revived = terminal.call("jobs.restart", job_id=job["job_id"])
    assert revived["attempt"] == 3
    said(terminal, job["job_id"], "up still")


def test_a_job_is_ready_when_its_line_its_port_and_its_url_are_there(terminal: Terminal) -> None:
    server = (
        "import http.server, sys\n"
        "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
        "    def log_message(self, *_): pass\n"
        "server = http.server.HTTPServer(('127.0.0.1', 0), Quiet)\n"
        "print('listening on', server.server_port, flush=True)\n"
        "server.serve_forever()"
    )
    job = terminal.call("jobs.execute", argv=["python3", "-c", server], ready_log="listening on")
    assert job["ready"] is False
    assert terminal.call("jobs.wait", job_id=job["job_id"], until="ready", wait_s=30)["job"]["ready"] is True
    port = int(said(terminal, job["job_id"], "listening").split()[-1])
    assert terminal.call("jobs.wait", job_id=job["job_id"], port=port, wait_s=30)["reached"]
    watcher = terminal.call(
        "jobs.execute", command="sleep 300", ready_port=port, ready_http=f"http://127.0.0.1:{port}/"
    )
    assert terminal.call("jobs.wait", job_id=watcher["job_id"], until="ready", wait_s=30)["reached"]


def test_a_job_that_is_not_ready_in_time_says_so_and_goes_on(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="sleep 300", ready_log="never", ready_timeout_s=0.1)
    terminal.until_recorded("job.not_ready")
    assert terminal.call("jobs.status", job_id=job["job_id"])["state"] == "running"


def test_a_job_starts_when_what_it_depends_on_is_ready(terminal: Terminal) -> None:
    base = terminal.call("jobs.execute", command="read x; echo ready; sleep 300", ready_log="^ready")
    after = terminal.call("jobs.execute", command="echo started", depends_on=[base["job_id"]])
    assert (after["state"], after["waits_for"]) == ("waiting", [base["job_id"]])
    terminal.call("jobs.interact", job_id=base["job_id"], input="x", wait_s=0)
    assert terminal.call("jobs.wait", job_id=after["job_id"], wait_s=30)["job"]["state"] == "completed"


def test_a_job_fails_when_what_it_depends_on_will_never_be_ready(terminal: Terminal) -> None:
    base = terminal.call("jobs.execute", command="read x; exit 1")
    after = terminal.call("jobs.execute", command="echo started", depends_on=[base["job_id"]])
    terminal.call("jobs.interact", job_id=base["job_id"], input="x", wait_s=0)
    done = terminal.call("jobs.wait", job_id=after["job_id"], wait_s=30)["job"]
    assert (done["state"], done["attempt"]) == ("failed", 0)
    assert base["job_id"] in done["reason"]


def test_a_job_that_waits_is_called_off_and_a_dead_daemon_forgets_no_waiting_one(terminal: Terminal) -> None:
    base = terminal.call("jobs.execute", command="read x")
    first = terminal.call("jobs.execute", command="echo one", depends_on=[base["job_id"]])
    second = terminal.call("jobs.execute", command="echo two", depends_on=[base["job_id"]])
    terminal.kill_daemon()
    assert terminal.call("jobs.kill", job_id=first["job_id"])["job"]["state"] == "killed"
    terminal.call("jobs.interact", job_id=base["job_id"], input="x", wait_s=0)
    terminal.call("jobs.wait", job_id=second["job_id"], wait_s=30)
    assert terminal.call("jobs.output", job_id=second["job_id"])["stdout"] == "two\n" or (
        terminal.call("jobs.status", job_id=second["job_id"])["state"] == "failed"
    )


def test_lines_that_fit_become_events_once(terminal: Terminal) -> None:
    job = run(terminal, "echo a1; echo b; echo a2 >&2", match="^a[0-9]")
    terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    terminal.until_recorded("job.matched")
    waited = terminal.call("jobs.wait", job_id=job["job_id"], until="match", wait_s=10)
    assert waited["line"] == "a1"


@pytest.mark.parametrize(
    ("policy", "state", "failures", "pause"),
    [
        (Policy(), JobState.FAILED, 1, None),
        (Policy(when=Restart.ON_FAILURE), JobState.FAILED, 1, 1.0),
        (Policy(when=Restart.ON_FAILURE), JobState.FAILED, 4, 8.0),
        (Policy(when=Restart.ON_FAILURE), JobState.FAILED, 100, 60.0),
        (Policy(when=Restart.ON_FAILURE), JobState.COMPLETED, 0, None),
        (Policy(when=Restart.ALWAYS), JobState.COMPLETED, 1, 1.0),
        (Policy(when=Restart.ALWAYS), JobState.KILLED, 1, None),
        (Policy(when=Restart.ALWAYS), JobState.LOST, 1, None),
        (Policy(when=Restart.ALWAYS, after_reboot=True), JobState.LOST, 1, 1.0),
        (Policy(when=Restart.ALWAYS, attempts=2), JobState.FAILED, 3, None),
    ],
)
def test_when_a_job_is_started_again(policy: Policy, state: JobState, failures: int, pause: float | None) -> None:
    assert pause_s(policy, state, failures) == pause


def test_a_job_that_ran_well_for_a_while_is_forgiven_its_failures() -> None:
    assert failures_after(5, 3.0) == 6
    assert failures_after(5, 61.0) == 1


def test_the_states_follow_their_table() -> None:
    assert moved(JobState.RUNNING, JobState.COMPLETED) is JobState.COMPLETED
    with pytest.raises(ImpossibleStep):
        moved(JobState.COMPLETED, JobState.RUNNING)
    assert end_of(None, 0, lost=False) is JobState.COMPLETED
    assert end_of(None, None, lost=False) is JobState.FAILED
    assert end_of("killed", None, lost=True) is JobState.KILLED
    assert end_of(None, None, lost=True) is JobState.LOST
