import os
import signal
import subprocess
from dataclasses import replace

import psutil

from claude_code_mcp.platform.procs import table
from claude_code_mcp.platform.procs.identity import Identity, boot_id, identity_of, is_alive, send_signal
from tests.platform.procs.children import until_now


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "60"])


def test_a_living_process_is_known_by_pid_start_and_boot() -> None:
    me = identity_of(os.getpid())
    assert me == Identity(os.getpid(), me.start if me else 0, boot_id())
    assert me is not None
    assert is_alive(me)
    assert is_alive(Identity(me.pid, me.start, me.boot))


def test_another_start_or_another_boot_is_another_process_and_gets_no_signal() -> None:
    with sleeper() as process:
        found = identity_of(process.pid)
        assert found is not None
        for stranger in (replace(found, start=found.start - 1), replace(found, boot="another boot")):
            assert not is_alive(stranger)
            assert not send_signal(stranger, signal.SIGKILL)
        assert process.poll() is None
        assert send_signal(found, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL


def test_a_process_that_ended_and_was_not_reaped_is_not_alive() -> None:
    process = sleeper()
    found = identity_of(process.pid)
    assert found is not None
    process.kill()
    until_now(lambda: psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE)
    assert not is_alive(found)
    assert not send_signal(found, signal.SIGTERM)
    process.wait()
    assert not is_alive(found)
    assert identity_of(process.pid) is None


def test_nobody_has_a_pid_that_is_no_pid() -> None:
    assert identity_of(0) is None
    assert identity_of(-1) is None
    assert not send_signal(Identity(0, 0, boot_id()), signal.SIGTERM)


def test_the_process_table_agrees_with_ps() -> None:
    rows, listed = table.snapshot(), table.ps_snapshot()
    me = os.getpid()
    assert (listed[me].parent, listed[me].group) == (rows[me].parent, rows[me].group)
    assert abs(listed[me].rss_bytes - rows[me].rss_bytes) < 32 * 1024 * 1024
    assert rows[me].start == table.row_of(me).start  # type: ignore[union-attr]  # we live


def test_descendants_are_found_without_those_of_a_service() -> None:
    rows = {pid: table.Row(pid, parent, pid, "S") for pid, parent in {2: 1, 3: 2, 4: 3, 5: 4, 6: 2}.items()}
    assert table.below(rows, {2}, set()) == {3, 4, 5, 6}
    assert table.below(rows, {2}, {4}) == {3, 6}
    assert table.below(rows, {7}, set()) == set()


def test_a_name_with_spaces_and_brackets_does_not_confuse_the_table() -> None:
    with subprocess.Popen(["bash", "-c", "echo -n ') R 1 (' >/proc/$$/comm; read x"], stdin=subprocess.PIPE) as process:
        until_now(lambda: psutil.Process(process.pid).name() == ") R 1 (")
        row = table.row_of(process.pid)
        assert row is not None
        assert row.parent == os.getpid()


def test_processes_are_found_by_a_variable_of_their_environment() -> None:
    with subprocess.Popen(["sleep", "60"], env={"PATH": os.environ["PATH"], "MARK": "a=b"}) as process:
        found = until_now(lambda: table.carrying(table.snapshot(), "MARK=a=b"))
        assert found == {process.pid}
        assert not table.carrying(table.snapshot(), "MARK=a")
        process.kill()
