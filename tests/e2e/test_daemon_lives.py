"""How daemons come and go: one per directory, whatever lies around there, and whoever comes when."""

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

import claude_code_mcp
from claude_code_mcp.platform.ipc import connect
from claude_code_mcp.platform.ipc.address import LOCK, SOCKET
from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import Terminal
from tests.support.processes import is_alive, running, until

pytestmark = pytest.mark.e2e

CLIENT = """
import os, pathlib, sys
from claude_code_mcp.platform.ipc.connect import open_channel
sys.stdin.read()  # until all are there
channel = open_channel(pathlib.Path(os.environ["CLAUDE_CODE_MCP_HOME"]), "rpc", {})
print(channel.daemon["pid"])
"""
CLIENTS = 20
NEWER = "99.0.0"


def daemons(home: Path) -> list[int]:
    """Return the daemons that run for a test."""
    return [process.pid for process in running(home, "--ready-fd")]


def beginnings(terminal: Terminal) -> int:
    """Return how many daemons have ever been ready."""
    return (terminal.state_dir / "daemon.log").read_text().count(" is ready, pid ")


def test_twenty_clients_that_come_at_the_same_instant_start_one_daemon(terminal: Terminal, home: Path) -> None:
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", CLIENT],
            env=terminal.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(CLIENTS)
    ]
    for client in clients:
        assert client.stdin is not None
        client.stdin.close()
    said = [client.stdout.read().strip() if client.stdout else "" for client in clients]
    for client in clients:
        if client.stdout:
            client.stdout.close()
        assert client.wait(60) == 0
    assert set(said) == {str(terminal.pid)}
    assert (beginnings(terminal), daemons(home)) == (1, [terminal.pid])


def test_what_a_dead_daemon_left_is_in_nobodys_way(terminal: Terminal) -> None:
    terminal.state_dir.mkdir(mode=0o700)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(terminal.state_dir / SOCKET))
    stale.close()
    (terminal.state_dir / LOCK).write_text(json.dumps({"pid": os.getpid(), "host": "somewhere"}))
    assert terminal.call("daemon.status")["pid"] == json.loads((terminal.state_dir / LOCK).read_text())["pid"]


@pytest.mark.parametrize("gone", [(SOCKET,), (SOCKET, LOCK)], ids=["socket", "socket and lock"])
def test_a_daemon_whose_files_are_deleted_is_found_again(
    terminal: Terminal, model: ScriptedModel, gone: tuple[str, ...]
) -> None:
    handle = terminal.call("sessions.start", prompt="[s:held:gate]")
    model.gate("gate").reached().result(60)
    before = terminal.pid
    terminal.hang_up()
    for name in gone:
        (terminal.state_dir / name).unlink()
    model.gate("gate").open()
    assert terminal.finish(handle["session_id"])["outcome"]["ok"]
    assert (terminal.pid, beginnings(terminal)) == (before, 1)


def test_a_foreign_file_in_place_of_the_socket_gives_way(terminal: Terminal) -> None:
    before = terminal.pid
    terminal.hang_up()
    (terminal.state_dir / SOCKET).unlink()
    (terminal.state_dir / SOCKET).write_text("not a socket")
    assert terminal.pid == before


def test_without_its_directory_a_daemon_ends_its_sessions_and_leaves(
    terminal: Terminal, model: ScriptedModel, home: Path
) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:never]")
    model.gate("never").reached().result(60)
    claude = psutil.Process(terminal.call("sessions.status", session_id=handle["session_id"])["pid"])
    old = psutil.Process(terminal.pid)
    terminal.hang_up()
    shutil.rmtree(terminal.state_dir)
    assert terminal.call("sessions.list")["items"] == []
    assert terminal.pid != old.pid
    until(lambda: not is_alive(old) and not is_alive(claude), 60)
    assert daemons(home) == [terminal.pid]
    terminal.hang_up()
    assert terminal.call("sessions.list")["items"] == [], "the old daemon took the new one's socket along"


def test_a_store_of_a_newer_version_is_refused_and_left_as_it_is(terminal: Terminal) -> None:
    daemon = psutil.Process(terminal.pid)
    terminal.stop()
    until(lambda: not is_alive(daemon))
    with contextlib.closing(sqlite3.connect(terminal.state_dir / "state.db")) as db, db:
        db.execute("INSERT INTO migration VALUES ('sessions/9999_from_the_future', '', '')")
    before = (terminal.state_dir / "state.db").read_bytes()
    with pytest.raises(Refused) as refused:
        terminal.call("daemon.status")
    assert (refused.value.code, "sessions/9999_from_the_future" in str(refused.value)) == ("store_too_new", True)
    assert (terminal.state_dir / "state.db").read_bytes() == before


def test_newer_clients_that_come_at_once_take_an_older_daemon_over_once(
    terminal: Terminal, model: ScriptedModel, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = terminal.call("sessions.start", prompt="[s:midway:gate]")
    model.gate("gate").reached().result(60)
    claude = terminal.call("sessions.status", session_id=handle["session_id"])["pid"]
    old = psutil.Process(terminal.pid)
    terminal.hang_up()
    monkeypatch.chdir(terminal.cwd)
    monkeypatch.setattr(connect, "__version__", NEWER)  # this process is the newer program now
    terminal.env["PYTHONPATH"] = str(newer_program(tmp_path / "newer"))
    clients = [Terminal(terminal.state_dir, terminal.env, terminal.cwd) for _ in range(4)]
    with ThreadPoolExecutor(len(clients)) as pool:
        found = list(pool.map(lambda client: client.call("sessions.status", **session(handle)), clients))
    for client in clients:
        client.hang_up()
    until(lambda: not is_alive(old))
    assert {one["pid"] for one in found} <= {claude, None}
    assert beginnings(terminal) == 2
    model.gate("gate").open()
    assert terminal.finish(handle["session_id"])["outcome"]["ok"]
    assert (terminal.call("daemon.status")["version"], daemons(home)) == (NEWER, [terminal.pid])
    assert len(terminal.events(handle["session_id"], "run.started")) == 1


def newer_program(directory: Path) -> Path:
    """Return where a copy of this program lies that calls itself newer."""
    package = directory / "claude_code_mcp"
    shutil.copytree(Path(claude_code_mcp.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    text = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(f'"{claude_code_mcp.__version__}"', f'"{NEWER}"'))
    return directory


def session(handle: dict[str, str]) -> dict[str, str]:
    return {"session_id": handle["session_id"]}


def test_a_pid_that_now_is_somebody_elses_and_a_reboot_lose_the_run_and_signal_nobody(terminal: Terminal) -> None:
    reused = str(terminal.call("sessions.ask", prompt="[s:chat]", wait_s=60)["session_id"])
    rebooted = str(terminal.call("sessions.ask", prompt="[s:chat]", wait_s=60)["session_id"])
    claudes = {
        one: psutil.Process(terminal.call("sessions.status", session_id=one)["pid"]) for one in (reused, rebooted)
    }
    terminal.kill_daemon()
    for claude in claudes.values():
        shim = claude.parent()
        assert shim is not None
        shim.kill()
    until(lambda: not any(is_alive(claude) for claude in claudes.values()))
    with subprocess.Popen(["sleep", "600"]) as bystander:
        try:
            start = psutil.Process(bystander.pid)
            for number, record in enumerate(sorted((terminal.state_dir / "runs").glob("*/procs.json"))):
                who = json.loads(record.read_text())
                for name in ("shim", "child"):
                    who[name]["pid"] = bystander.pid
                    if number:  # the second one was of another boot, where pid and start may be the same
                        who[name] |= {"boot": "another", "start": started(bystander.pid)}
                record.write_text(json.dumps(who))
            for one in (reused, rebooted):
                terminal.until_event(one, "run.exited")
                again = terminal.call("sessions.resume", session_id=one, prompt="And now?", wait_s=60)
                assert again["outcome"]["answer"] == "Second answer."
            assert start.is_running()
            assert bystander.poll() is None
        finally:
            bystander.kill()


def started(pid: int) -> int:
    """Return when a process started, in ticks since boot (proc(5), field 22)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
