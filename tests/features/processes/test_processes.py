"""The tree of processes on a real machine, and the end of what is left over, and of nothing else."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.processes.models import ProcessKind
from claude_code_mcp.features.processes.rules import Known, Owner, flat, orphans, tree
from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.look import Seen
from tests.support.daemon import Json, Terminal

SESSION = "01234567-89ab-4def-8123-456789abcdef"


@pytest.fixture
def terminal(tmp_path: Path, home: Path, leftovers: None) -> Iterator[Terminal]:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    found = Terminal(state, {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8"}, tmp_path)
    yield found
    found.stop()


@contextmanager
def a_process(home: Path, **marks: str) -> Generator[subprocess.Popen[bytes]]:
    """Run something that carries these variables, outside of everything that we supervise."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), **marks}
    child = subprocess.Popen(["sleep", "300"], env=env, start_new_session=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def dead_pid() -> int:
    done = subprocess.Popen(["true"])
    done.wait()
    return done.pid


def reaped(terminal: Terminal, **wish: object) -> dict[int, Json]:
    return {one["pid"]: one for one in terminal.call("processes.reap", **wish)["orphans"]}


def test_a_job_is_shown_with_all_it_started_and_what_they_use(terminal: Terminal) -> None:
    code = (
        "import socket,time; s=socket.socket(); s.bind(('127.0.0.1',0)); s.listen();"
        "print(s.getsockname()[1], flush=True); time.sleep(300)"
    )
    job = terminal.call("jobs.execute", command=f'sleep 301 & exec python3 -c "{code}"')
    port = int(terminal.call("jobs.wait", job_id=job["job_id"], pattern=r"\d+", wait_s=30)["line"])
    shown = terminal.call("processes.list", sample_s=0.05)
    [root] = [one for one in shown["roots"] if one["job_id"] == job["job_id"]]
    assert (root["pid"], root["kind"], root["ours"], root["ports"]) == (job["pid"], "job", True, [port])
    assert root["memory_bytes"] > 1_000_000
    assert [child["command"] for child in root["children"]] == ["sleep 301"]
    assert f":{port}" in shown["_text"]
    assert terminal.call("processes.list", project_path="/nonexistent", sample_s=0)["roots"] == []
    with_shims = terminal.call("processes.list", sample_s=0, supervisors=True)["roots"]
    assert "supervisor" in {one["kind"] for one in with_shims}


def test_what_a_dead_claude_left_is_shown_first_and_ended_on_wish(terminal: Terminal, home: Path) -> None:
    with a_process(home, CLAUDE_CODE_SESSION_ID=SESSION, CLAUDE_PID=str(dead_pid())) as left:
        found = reaped(terminal)[left.pid]
        assert found["proven"]
        assert found["session_id"] == SESSION
        assert "is gone" in found["proof"]
        assert left.poll() is None
        assert reaped(terminal, apply=True, pids=[1]) == {}
        assert left.poll() is None
        done = reaped(terminal, apply=True, pids=[left.pid])[left.pid]
        assert done["ended"]
        assert left.wait(60) == -signal.SIGTERM
        terminal.until_recorded("process.reaped")


def test_what_a_claude_left_whose_registry_still_names_it_is_proven_too(terminal: Terminal, home: Path) -> None:
    folder = home / ".claude" / "sessions"
    folder.mkdir(parents=True)
    pid = dead_pid()
    entry = {"pid": pid, "sessionId": SESSION, "cwd": "/", "startedAt": int(time.time() * 1000), "procStart": "1"}
    (folder / f"{pid}.json").write_text(json.dumps(entry))
    with a_process(home, CLAUDE_CODE_SESSION_ID=SESSION) as left:
        found = reaped(terminal)[left.pid]
        assert found["proven"]
        assert "registry" in found["proof"]


def test_what_is_not_proven_is_never_ended(terminal: Terminal, home: Path) -> None:
    other = "11111111-89ab-4def-8123-456789abcdef"
    with (
        a_process(home, CLAUDE_CODE_SESSION_ID=SESSION, CLAUDE_PID=str(os.getpid())) as lives,
        a_process(home, CLAUDE_CODE_SESSION_ID=other) as unknown,
        a_process(home, **{table.RUN_TAG: other}) as foreign_run,
    ):
        found = reaped(terminal, apply=True)
        for child in (lives, unknown, foreign_run):
            assert child.poll() is None
            assert not found[child.pid]["proven"]
            assert found[child.pid]["ended"] is None


def test_what_outlived_its_job_is_proven_by_its_tag(terminal: Terminal, home: Path) -> None:
    job = terminal.call("jobs.execute", command="true", wait_s=30)
    assert job["completed"]
    [run] = [path.name for path in (terminal.state_dir / "jobs").iterdir()]
    with a_process(home, **{table.RUN_TAG: run}) as left:
        assert reaped(terminal)[left.pid]["proven"]
        assert reaped(terminal, apply=True)[left.pid]["ended"]
    running = terminal.call("jobs.execute", command="sleep 300")
    [run] = [path.name for path in (terminal.state_dir / "jobs").iterdir() if path.name != run]
    with a_process(home, **{table.RUN_TAG: run}) as not_left:
        assert not_left.pid not in reaped(terminal, apply=True)
        assert not_left.poll() is None
    assert terminal.call("jobs.status", job_id=running["job_id"])["state"] == "running"


def test_a_job_that_has_just_begun_is_never_taken_for_left_over(terminal: Terminal) -> None:
    for _ in range(10):
        job = terminal.call("jobs.execute", command="sleep 300")
        found = reaped(terminal, apply=True, grace_s=0)
        assert not [one for one in found.values() if one["proven"]]
        assert terminal.call("jobs.signal", job_id=job["job_id"], signal="CONT")["state"] == "running"
        terminal.call("jobs.kill", job_id=job["job_id"], grace_s=0)


def test_sessions_of_anybody_are_listed_with_their_processes(terminal: Terminal, home: Path) -> None:
    with a_process(home) as claude:
        start = table.row_of(claude.pid)
        assert start is not None
        folder = home / ".claude" / "sessions"
        folder.mkdir(parents=True)
        entry = {
            "pid": claude.pid,
            "sessionId": SESSION,
            "cwd": "/some/project",
            "startedAt": int(time.time() * 1000),
            "procStart": str(start.start),
            "status": "waiting",
            "waitingFor": "permission prompt",
        }
        (folder / f"{claude.pid}.json").write_text(json.dumps(entry))
        [found] = terminal.call("processes.sessions")["sessions"]
        assert (found["session_id"], found["pid"], found["project_path"]) == (SESSION, claude.pid, "/some/project")
        assert (found["status"], found["waiting_for"], found["ours"]) == ("waiting", "permission prompt", False)
        assert found["memory_bytes"] > 0
        [root] = terminal.call("processes.list", session_id=SESSION, sample_s=0)["roots"]
        assert (root["kind"], root["pid"]) == ("claude", claude.pid)


def test_what_a_job_uses_is_kept_over_time(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="sleep 300")
    assert terminal.call("processes.history", subject=job["job_id"])["samples"] == []
    deadline = time.monotonic() + 40
    while not (samples := terminal.call("processes.history", subject=job["job_id"])["samples"]):
        assert time.monotonic() < deadline
        terminal.call("jobs.wait", job_id=job["job_id"], wait_s=1)
    assert samples[0]["processes"] >= 1
    assert samples[0]["memory_bytes"] > 0


def seen(pid: int, parent: int, **more: object) -> Seen:
    plain = {
        "state": "sleeping",
        "start": pid,
        "started_s": float(pid),
        "name": "sleep",
        "command": f"sleep {pid}",
        "cwd": "/",
        "rss_bytes": 1,
        "cpu_s": 0.0,
        "cpu_percent": 0.0,
        "tty": False,
    }
    return Seen(pid=pid, parent=parent, **{**plain, **more})  # type: ignore[arg-type]  # the test's own words


def test_shells_and_servers_below_a_claude_are_told_apart() -> None:
    table_ = {
        10: seen(10, 1, name="claude"),
        11: seen(11, 10, name="bash"),
        12: seen(12, 11, name="node"),
        13: seen(13, 10, name="node", marks={"CLAUDE_CODE_MESSAGING_SOCKET": "/tmp/cc-socks/10.sock"}),
        14: seen(14, 11, name="claude"),
    }
    owners = (Owner(10, session_id="a"), Owner(14, session_id="b"))
    [root] = tree(table_, Known(owners=owners), 100.0)
    kinds = {node.pid: node.kind for node in flat([root])}
    assert kinds == {
        10: ProcessKind.CLAUDE,
        11: ProcessKind.SHELL,
        12: ProcessKind.OTHER,
        13: ProcessKind.MCP_SERVER,
        14: ProcessKind.CLAUDE,
    }
    assert {node.pid: node.session_id for node in flat([root])}[14] == "b"


def test_secrets_in_the_command_lines_of_others_are_not_shown() -> None:
    table_ = {10: seen(10, 1, command="mysql --password=hunter2 db"), 11: seen(11, 10, command="curl -u me:pw1 h")}
    shown = [node.command for node in flat(tree(table_, Known(owners=(Owner(10, session_id="a"),)), 100.0))]
    assert shown == ["mysql --password=[redacted] db", "curl -u me:[redacted] h"]


def test_a_process_with_a_terminal_is_never_proven() -> None:
    marks = {"CLAUDE_CODE_SESSION_ID": SESSION, "CLAUDE_PID": "77"}
    found = orphans({20: seen(20, 1, tty=True, marks=marks)}, Known(), 100.0)
    assert [(one.pid, one.proven) for one in found] == [(20, False)]
    assert "terminal" in found[0].proof


@given(
    st.dictionaries(st.integers(2, 30), st.integers(1, 30), max_size=25),
    st.sets(st.integers(2, 30), max_size=5),
)
def test_each_process_hangs_in_one_place_and_no_owned_one_is_left_over(
    parents: dict[int, int], owned: set[int]
) -> None:
    marks = {"CLAUDE_CODE_SESSION_ID": SESSION, "CLAUDE_PID": "99"}
    table_ = {pid: seen(pid, parent, marks=marks) for pid, parent in parents.items()}
    known = Known(owners=tuple(Owner(pid, session_id=str(pid)) for pid in sorted(owned)))
    shown = [node.pid for node in flat(tree(table_, known, 100.0))]
    assert len(shown) == len(set(shown))
    left = {one.pid for one in orphans(table_, known, 100.0)}
    assert not left & set(shown)


if sys.platform == "linux":

    def test_a_zombie_is_not_left_over() -> None:
        marks = {"CLAUDE_CODE_SESSION_ID": SESSION, "CLAUDE_PID": "77"}
        assert orphans({20: seen(20, 1, state="zombie", marks=marks)}, Known(), 100.0) == []
