"""A real Claude session that runs background jobs through MCP, and is told what becomes of them."""

import json
import sqlite3
import sys
from contextlib import closing

import pytest

from claude_code_mcp.testing import ScriptedModel, to_script
from tests.support.daemon import CallFailed, Json, Terminal

pytestmark = pytest.mark.e2e

SERVER = (
    "import http.server;"
    "s = http.server.HTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler);"
    "print('listening on', s.server_port, flush=True);"
    "s.handle_request(); print('request served', flush=True); raise SystemExit(3)"
)
SCRIPT = {
    "scenarios": {
        "serve": {
            "steps": [
                {
                    "tools": [
                        {
                            "name": "mcp__jobs__execute",
                            "input": {
                                "command": f'{sys.executable} -c "{SERVER}"',
                                "name": "web",
                                "ready_log": "listening on",
                                "alerts": ["ready", "exit"],
                            },
                        }
                    ]
                },
                "Started: ${result}",
            ]
        },
        "told-ready": {"match": "web is ready", "steps": ["It is up."]},
        "told-ended": {"match": "web ended: failed", "steps": ["It fell over."]},
    }
}


def session_with_jobs(terminal: Terminal) -> str:
    """Start a session that has our drop-in profile as an MCP server, and let it start a dev server."""
    entry = {
        "command": sys.executable,
        "args": ["-m", "claude_code_mcp", "serve", "--profile", "background-job"],
        "env": {"CLAUDE_CODE_MCP_HOME": str(terminal.state_dir)},
    }
    started = terminal.call(
        "sessions.start",
        prompt="[s:serve]",
        mcp_config={"mcpServers": {"jobs": entry}},
        allowed_tools=["mcp__jobs__execute"],
        env={"ENABLE_TOOL_SEARCH": "false", "MCP_CONNECTION_NONBLOCKING": "0"},
    )
    return str(started["session_id"])


def the_job(terminal: Terminal) -> Json:
    while True:
        jobs = terminal.call("jobs.list")["jobs"]
        if jobs:
            job: Json = jobs[0]
            return job


def ask_the_server(terminal: Terminal, job: Json) -> None:
    """Make one request, after which the server of the job fails."""
    line = terminal.call("jobs.wait", job_id=job["job_id"], pattern="listening on", wait_s=60)["line"]
    code = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{line.split()[-1]}/').read()"
    terminal.call("jobs.execute", argv=[sys.executable, "-c", code], wait_s=30)


def said(terminal: Terminal, session_id: str, text: str) -> None:
    """Wait until the session has said this."""
    cursor = 0
    while True:
        page = terminal.call(
            "sessions.wait", session_id=session_id, cursor=cursor, until="event", wait_s=20, detail="full", limit=1000
        )
        cursor = page["cursor"]
        if any(text in json.dumps(event) for event in page["events"] if event["kind"] == "message.said"):
            return


def prompts(model: ScriptedModel, scenario: str) -> int:
    return sum(one.scenario == scenario and one.step == 1 for one in model.seen())


def test_a_session_starts_a_dev_server_and_is_told_when_it_is_ready_and_when_it_fails(
    terminal: Terminal, model: ScriptedModel
) -> None:
    model.add(to_script(SCRIPT, name="jobs"))
    session_id = session_with_jobs(terminal)
    said(terminal, session_id, "It is up.")
    job = the_job(terminal)
    assert (job["name"], job["session_id"], job["ready"]) == ("web", session_id, True)
    ask_the_server(terminal, job)
    said(terminal, session_id, "It fell over.")
    done = terminal.call("jobs.status", job_id=job["job_id"])
    assert (done["state"], done["code"]) == ("failed", 3)
    assert (prompts(model, "told-ready"), prompts(model, "told-ended")) == (1, 1)


def test_what_happened_while_the_daemon_was_dead_is_told_exactly_once(terminal: Terminal, model: ScriptedModel) -> None:
    model.add(to_script(SCRIPT, name="jobs"))
    session_id = session_with_jobs(terminal)
    said(terminal, session_id, "It is up.")
    job = the_job(terminal)
    ask_the_server(terminal, job)
    terminal.until_recorded("job.ended")
    terminal.kill_daemon()
    said(terminal, session_id, "It fell over.")
    for _ in range(2):
        terminal.kill_daemon()
        terminal.call("sessions.wait", session_id=session_id, until="idle", wait_s=30)
    with closing(sqlite3.connect(terminal.state_dir / "state.db")) as db:
        told = [json.loads(row[0])["about"] for row in db.execute("SELECT payload FROM event WHERE kind = 'job.told'")]
    assert told.count("exit") == 1
    assert prompts(model, "told-ended") == 1


def test_background_tasks_of_claude_code_and_jobs_are_managed_by_one_door(terminal: Terminal) -> None:
    session_id = terminal.call("sessions.ask", prompt="[s:background-long]", wait_s=60)["session_id"]
    terminal.until_event(session_id, "background.changed")
    job = terminal.call("jobs.execute", command="echo hello; read x", name="reader")
    terminal.call("jobs.wait", job_id=job["job_id"], pattern="hello", wait_s=30)

    def listed() -> dict[str, Json]:
        return {task["kind"]: task for task in terminal.call("jobs.manage", action="list")["tasks"]}

    tasks = listed()
    assert (tasks["job"]["task_id"], tasks["job"]["description"]) == (job["job_id"], "reader")
    assert (tasks["shell"]["session_id"], tasks["shell"]["status"]) == (session_id, "running")
    logs = terminal.call("jobs.manage", action="logs", task_id=job["job_id"], lines=5)
    assert logs["logs"] == "hello\n"
    assert terminal.call("jobs.manage", action="logs", task_id=tasks["shell"]["task_id"])["logs"] == ""
    with pytest.raises(CallFailed) as caught:
        terminal.call("jobs.manage", action="restart", task_id=tasks["shell"]["task_id"])
    assert caught.value.code == "task_not_restartable"
    [stopped] = terminal.call("jobs.manage", action="stop", task_id=tasks["shell"]["task_id"])["tasks"]
    assert stopped["status"] == "killed"
    terminal.finish(session_id)
    assert "shell" not in listed()
    [again] = terminal.call("jobs.manage", action="restart", task_id=job["job_id"])["tasks"]
    assert (again["task_id"], again["status"]) == (job["job_id"], "running")
    [ended] = terminal.call("jobs.manage", action="stop", task_id=job["job_id"])["tasks"]
    assert ended["status"] == "killed"
