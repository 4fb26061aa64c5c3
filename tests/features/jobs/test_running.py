"""Jobs as a person or a model uses them: started, watched, talked to, ended; on a real daemon with real processes."""

import os
import signal
import time
from pathlib import Path

import pytest

from claude_code_mcp.platform.procs import table
from tests.support.daemon import CallFailed, Json, Terminal

AFTER_ITS_SHELL = "while kill -0 $$ 2>/dev/null; do sleep 0.02; done"


def run(terminal: Terminal, command: str, **wish: object) -> Json:
    """Run a command to its end and return the job with what it said."""
    return terminal.call("jobs.execute", command=command, wait_s=30, **wish)


def said(terminal: Terminal, job_id: str, pattern: str) -> str:
    """Wait for a line that fits, and return it."""
    found = terminal.call("jobs.wait", job_id=job_id, pattern=pattern, wait_s=30)
    assert found["reached"], terminal.call("jobs.tail", job_id=job_id)
    return str(found["line"])


def carrying(run_tag: str) -> set[int]:
    rows = table.snapshot()
    return {pid for pid in table.carrying(rows, f"{table.RUN_TAG}={run_tag}") if rows[pid].state != "Z"}


def test_a_command_is_run_as_a_person_types_it(terminal: Terminal) -> None:
    job = run(terminal, "echo one && echo two | tr a-z A-Z; echo three >&2; exit 4")
    assert (job["stdout"], job["stderr"]) == ("one\nTWO\n", "three\n")
    assert (job["status"], job["state"], job["code"]) == ("failed", "failed", 4)


def test_a_list_of_arguments_is_run_without_a_shell(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", argv=["printf", "%s|", "a b", "$HOME", "&&", "*"], wait_s=30)
    assert job["stdout"] == "a b|$HOME|&&|*|"
    assert job["status"] == "completed"


def test_a_job_is_started_at_once_and_its_end_is_waited_for(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="read line; echo got $line", name="reader")
    assert (job["status"], job["name"]) == ("running", "reader")
    assert job["pid"] > 1
    assert not terminal.call("jobs.wait", job_id=job["job_id"], wait_s=0)["reached"]
    answer = terminal.call("jobs.interact", job_id=job["job_id"], input="it", wait_s=10)
    assert answer["stdout"] == "got it\n"
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    assert done["reached"]
    assert done["job"]["status"] == "completed"


def test_it_runs_where_it_is_told_and_a_folder_that_is_none_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    strange = tmp_path / "a $(touch x) ☃"
    strange.mkdir()
    assert run(terminal, "pwd", project_path=str(strange))["stdout"] == f"{strange}\n"
    assert run(terminal, "pwd")["stdout"] == f"{terminal.cwd}\n"
    gone = tmp_path / "gone"
    with pytest.raises(CallFailed, match=r"no directory .*gone") as caught:
        run(terminal, "pwd", project_path=str(gone))
    assert caught.value.code == "bad_directory"
    (tmp_path / "file").touch()
    with pytest.raises(CallFailed, match="not a directory"):
        run(terminal, "pwd", project_path=str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"command": "echo a\0b"}, "bad_command"),
        ({"command": "echo " + "x" * 3_000_000}, "bad_command"),
        ({"command": "  "}, "bad_command"),
        ({}, "bad_command"),
        ({"command": "true", "argv": ["true"]}, "bad_command"),
        ({"argv": ["true", "a\0b"]}, "bad_command"),
        ({"command": "true", "env": {"A=B": "c"}}, "bad_command"),
        ({"command": "true", "match": "(" * 10}, "bad_pattern"),
        ({"command": "true", "depends_on": ["0197abcd"]}, "job_not_found"),
        ({"command": "true", "ready_http": "http://example.com/"}, "invalid"),
        ({"command": "true", "writable": ["relative"]}, "invalid"),
        ({"command": "true", "alerts": ["exit"]}, "invalid"),
        ({"command": "true", "alerts": ["exit"], "session_id": "01234567-89ab-4def-8123-456789abcdef"}, "invalid"),
        ({"command": "true", "session_id": "no session"}, "invalid"),
    ],
)
def test_what_cannot_be_run_is_refused_and_leaves_nothing(terminal: Terminal, wish: Json, code: str) -> None:
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.execute", **wish)
    assert caught.value.code == code
    assert terminal.call("jobs.list")["jobs"] == []
    assert list((terminal.state_dir / "job-vault").glob("*")) == []


def test_a_program_that_is_not_there_fails_with_its_reason(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", argv=["/no/such/program"], wait_s=30)
    assert job["state"] == "failed"
    assert "/no/such/program" in job["reason"]
    plain = terminal.cwd / "plain"
    plain.write_text("no program")
    assert "EACCES" in terminal.call("jobs.execute", argv=[str(plain)], wait_s=30)["reason"]


def test_it_sees_few_variables_of_its_client_and_those_that_are_given(terminal: Terminal) -> None:
    job = run(terminal, "env", env={"GIVEN": "yes", "API_KEY": "sk-ant-api03-abcdefghijklmnop1234"})
    names = {line.partition("=")[0] for line in job["stdout"].splitlines()}
    assert {"PATH", "HOME", "LANG", "GIVEN", "API_KEY"} <= names
    assert "SECRET_TOKEN" not in names
    for path in [terminal.state_dir / "state.db", *terminal.state_dir.glob("*.log"), *terminal.state_dir.glob("*-wal")]:
        assert b"sk-ant-api03-abcdefghijklmnop1234" not in path.read_bytes()


def test_secrets_in_a_command_are_not_shown_in_listings(terminal: Terminal) -> None:
    run(terminal, "echo sk-ant-api03-abcdefghijklmnop1234 > /dev/null")
    listed = terminal.call("jobs.list")
    assert "sk-ant" not in listed["_text"]
    assert "[redacted]" in listed["jobs"][0]["command"]


def test_text_for_its_input_ends_with_the_text(terminal: Terminal) -> None:
    text = "line\n" * 50_000 + "no newline"
    job = run(terminal, "cat | wc -c; cat", stdin=text)
    assert job["stdout"].split() == [str(len(text))]
    assert run(terminal, "cat; echo end", no_stdin=True)["stdout"] == "end\n"


def test_its_input_is_ended_on_wish(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="sort")
    for word in ("b", "a"):
        terminal.call("jobs.interact", job_id=job["job_id"], input=word, wait_s=0)
    terminal.call("jobs.interact", job_id=job["job_id"], eof=True, wait_s=0)
    terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)
    assert terminal.call("jobs.output", job_id=job["job_id"])["stdout"] == "a\nb\n"


def test_an_interpreter_on_a_terminal_is_talked_to(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", argv=["python3", "-q", "-i"], pty=True, rows=30, cols=100)
    said(terminal, job["job_id"], ">>>")
    answer = terminal.call("jobs.interact", job_id=job["job_id"], input="print(6 * 7)", wait_s=10)
    while "42" not in answer["stdout"].splitlines():  # its echo alone, where the interpreter takes its time
        more = terminal.call("jobs.output", job_id=job["job_id"], cursor=answer["cursor"], wait_s=30)
        assert more["stdout"], answer["stdout"]
        answer = {**more, "stdout": answer["stdout"] + more["stdout"]}
    terminal.call("jobs.interact", job_id=job["job_id"], input="import os; print(os.get_terminal_size())", wait_s=10)
    said(terminal, job["job_id"], r"columns=100, lines=30")
    terminal.call("jobs.interact", job_id=job["job_id"], rows=44, cols=90, wait_s=0)
    # The terminal is given its size by the job's supervisor, which takes signals up when it comes to it.
    deadline = time.monotonic() + 30
    while "columns=90, lines=44" not in terminal.call("jobs.tail", job_id=job["job_id"])["stdout"]:
        assert time.monotonic() < deadline
        terminal.call("jobs.interact", job_id=job["job_id"], input="print(os.get_terminal_size())", wait_s=1)
    terminal.call("jobs.interact", job_id=job["job_id"], keys=["ctrl-d"], wait_s=0)
    assert terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]["status"] == "completed"


def test_a_pager_is_driven_by_keys(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="seq 1 500 | less", pty=True, env={"LESS": "", "PAGER": "less"})
    said(terminal, job["job_id"], r"^:|\x1b\[")
    terminal.call("jobs.interact", job_id=job["job_id"], input="G", no_newline=True, wait_s=5)
    said(terminal, job["job_id"], "500")
    terminal.call("jobs.interact", job_id=job["job_id"], keys=["q"], wait_s=0)
    assert terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]["status"] == "completed"


def test_input_to_a_job_that_takes_none_is_a_conflict(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="read x; exit", no_stdin=True)
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.interact", job_id=job["job_id"], input="x")
    assert caught.value.code in {"job_takes_no_input", "job_over"}
    over = run(terminal, "true")
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.interact", job_id=over["job_id"], input="x")
    assert caught.value.code == "job_over"
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.interact", job_id=over["job_id"], keys=["nokey"])
    assert caught.value.code in {"job_over", "bad_keys"}


def test_a_kill_ends_the_whole_tree_escapees_included(terminal: Terminal) -> None:
    script = (
        "trap '' TERM; sleep 300 & (setsid sleep 301 &) ; "
        "python3 -c 'import os,time\nif os.fork()==0:\n os.setsid()\n if os.fork()==0: time.sleep(302)\n' & "
        "sleep 1000 & echo up; wait"
    )
    job = terminal.call("jobs.execute", command=script)
    said(terminal, job["job_id"], "up")
    shown = terminal.call("jobs.status", job_id=job["job_id"])
    assert shown["processes"] >= 3
    ended = terminal.call("jobs.kill", job_id=job["job_id"], grace_s=0.3)
    assert (ended["status"], ended["left"], ended["job"]["state"]) == ("killed", [], "killed")
    [run_dir] = (terminal.state_dir / "jobs").glob("0*")
    assert carrying(run_dir.name) == set()
    assert terminal.call("jobs.kill", job_id=job["job_id"])["status"] == "already_terminated"


def test_a_stopped_job_is_ended_all_the_same(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="echo up; sleep 300")
    said(terminal, job["job_id"], "up")
    terminal.call("jobs.signal", job_id=job["job_id"], signal="STOP")
    ended = terminal.call("jobs.kill", job_id=job["job_id"], grace_s=1)
    assert ended["job"]["state"] == "killed"
    assert ended["left"] == []


def test_a_signal_reaches_the_main_process(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="trap 'echo usr1; exit 9' USR1; echo up; while :; do sleep 0.05; done")
    said(terminal, job["job_id"], "up")
    terminal.call("jobs.signal", job_id=job["job_id"], signal="SIGUSR1")
    assert terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]["code"] == 9
    with pytest.raises(CallFailed, match="no signal"):
        terminal.call("jobs.signal", job_id=job["job_id"], signal="NOPE")


def test_what_a_command_leaves_behind_ends_with_it_unless_it_is_kept(terminal: Terminal) -> None:
    job = run(terminal, "sleep 300 & echo $!")
    assert job["status"] == "completed"
    assert not Path(f"/proc/{job['stdout'].strip()}").exists()
    kept = terminal.call(
        "jobs.execute", command=f"({AFTER_ITS_SHELL}; echo later) & echo now", keep_rest=True, wait_s=30
    )
    assert kept["stdout"] == "now\nlater\n"


def test_a_job_that_takes_too_long_is_ended(terminal: Terminal) -> None:
    job = run(terminal, "sleep 300", timeout_s=0.2)
    assert (job["state"], job["status"]) == ("timed_out", "killed")
    assert "0.2 s" in job["reason"]


def test_jobs_are_listed_by_session_and_label_and_found_by_the_beginning_of_their_id(terminal: Terminal) -> None:
    session = "01234567-89ab-4def-8123-456789abcdef"
    first = run(terminal, "true", labels={"team": "blue"}, session_id=session)
    second = run(terminal, "true", labels={"team": "red"})
    listed = terminal.call("jobs.list")["jobs"]
    assert [job["job_id"] for job in listed] == [second["job_id"], first["job_id"]]
    assert [job["job_id"] for job in terminal.call("jobs.list", session_id=session)["jobs"]] == [first["job_id"]]
    assert [job["job_id"] for job in terminal.call("jobs.list", label="team=red")["jobs"]] == [second["job_id"]]
    assert len(terminal.call("jobs.list", label="team")["jobs"]) == 2
    assert terminal.call("jobs.status", job_id=second["job_id"][:24])["job_id"] == second["job_id"]
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.status", job_id="01234567-89ab-7def-8123-456789abcdef")
    assert caught.value.code == "job_not_found"
    assert terminal.call("jobs.list", all=False)["jobs"] == []


def test_no_more_run_at_once_than_may(terminal: Terminal, env: dict[str, str]) -> None:
    terminal.hang_up()
    terminal.env["MCP_BG_MAX_JOBS"] = "2"
    for _ in range(2):
        terminal.call("jobs.execute", command="sleep 300")
    with pytest.raises(CallFailed, match="2 jobs run already") as caught:
        terminal.call("jobs.execute", command="true")
    assert caught.value.code == "too_many_jobs"
    victim = terminal.call("jobs.list")["jobs"][0]["job_id"]
    terminal.call("jobs.kill", job_id=victim)
    assert run(terminal, "echo again")["stdout"] == "again\n"


def test_ended_jobs_are_removed_and_running_ones_only_by_force(terminal: Terminal) -> None:
    done = run(terminal, "true")
    pinned = run(terminal, "true", pin=True)
    live = terminal.call("jobs.execute", command="sleep 300")
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.remove", job_id=live["job_id"])
    assert caught.value.code == "job_alive"
    assert terminal.call("jobs.remove", ended=True)["removed"] == [done["job_id"]]
    terminal.call("jobs.remove", job_id=live["job_id"], force=True)
    assert [job["job_id"] for job in terminal.call("jobs.list")["jobs"]] == [pinned["job_id"]]
    terminal.call("jobs.pin", job_id=pinned["job_id"], off=True)
    assert terminal.call("jobs.remove", ended=True)["removed"] == [pinned["job_id"]]
    assert list((terminal.state_dir / "jobs").iterdir()) == []
    assert list((terminal.state_dir / "job-vault").iterdir()) == []


def test_the_daemon_takes_its_jobs_along_when_all_is_to_end(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="sleep 300")
    terminal.stop()
    assert not Path(f"/proc/{job['pid']}").exists()
    assert terminal.call("jobs.status", job_id=job["job_id"])["state"] == "killed"


def test_a_job_of_the_command_line_is_gone_when_it_was_interrupted(terminal: Terminal) -> None:
    job = terminal.call("jobs.execute", command="sleep 300")
    os.kill(job["pid"], signal.SIGKILL)
    done = terminal.call("jobs.wait", job_id=job["job_id"], wait_s=30)["job"]
    assert (done["state"], done["signal"]) == ("failed", "SIGKILL")
