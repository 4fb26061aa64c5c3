"""Checkpoints, jobs and processes over HTTP, as another program drives them: a real daemon, real files, real shells."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.daemon import BOUND_S, Terminal

NOBODYS = "0197f3c0-0000-7000-8000-000000000000"
SLEEPS = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


@pytest.fixture
def env(home: Path, tmp_path: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CODE_MCP_HOME": str(tmp_path / "state")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory that the requests are made from."""
    path = tmp_path / "work"
    path.mkdir()
    (path / "a.txt").write_text("one\n")
    return path


@pytest.fixture
def client(env: dict[str, str], folder: Path, tmp_path: Path) -> Iterator[httpx2.Client]:
    """A program that has read where the daemon is, and its token."""
    daemon = Terminal(tmp_path / "state", env, folder)
    try:
        found = daemon.call("daemon.http")
        headers = {"Authorization": f"Bearer {found['token']}", "X-Claude-Code-Mcp-Cwd": str(folder)}
        with httpx2.Client(base_url=found["url"], headers=headers, timeout=BOUND_S) as opened:
            yield opened
    finally:
        daemon.stop()


def said(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["reply"])


def post(client: httpx2.Client, path: str, **args: Any) -> dict[str, Any]:
    return said(client.post(f"/api/{path}", json=args))


def get(client: httpx2.Client, path: str, **args: str) -> dict[str, Any]:
    return said(client.get(f"/api/{path}", params=args))


def test_a_checkpoint_is_taken_listed_compared_and_restored(client: httpx2.Client, folder: Path) -> None:
    made = post(client, "checkpoints/create", message="before", label="first")
    assert (made["project_path"], made["file_count"]) == (str(folder), 1)
    (folder / "a.txt").write_text("two\n")
    (folder / "b.txt").write_text("new\n")
    (listed,) = get(client, "checkpoints/list")["items"]
    assert (listed["id"], listed["label"], listed["current"]) == (made["id"], "first", True)
    diff = get(client, "checkpoints/diff", checkpoint_id=made["id"], format="unified")
    assert [(item["path"], item["change"]) for item in diff["items"]] == [("a.txt", "changed"), ("b.txt", "added")]
    assert {"-one", "+two", "+new"} <= set(diff["diff"].splitlines())

    planned = post(client, "checkpoints/restore", checkpoint_id=made["id"], dry_run=True)
    assert (planned["dry_run"], planned["backup_id"]) == (True, None)
    assert (folder / "a.txt").read_text() == "two\n"
    assert len(get(client, "checkpoints/list")["items"]) == 1

    done = post(client, "checkpoints/restore", checkpoint_id=made["id"])
    assert done["changes"] == planned["changes"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "one\n"}
    assert done["backup_id"] in {item["id"] for item in get(client, "checkpoints/list")["items"]}
    post(client, "checkpoints/redo")
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "two\n", "b.txt": "new\n"}


def test_a_job_is_started_read_shown_among_all_processes_and_killed(client: httpx2.Client, folder: Path) -> None:
    job = post(client, "jobs/execute", argv=SLEEPS, name="sleeper")
    job_id = job["job_id"]
    output = get(client, "jobs/output", job_id=job_id, wait_s="30")
    assert (output["stdout"], output["over"]) == ("up\n", False)
    (node,) = [one for one in every(get(client, "processes/list", sample_s="0")["roots"]) if one["job_id"] == job_id]
    assert (node["kind"], node["ours"], node["cwd"]) == ("job", True, str(folder))

    killed = post(client, "jobs/kill", job_id=job_id, grace_s=0)
    assert (killed["left"], killed["job"]["signal"]) == ([], "SIGKILL")
    assert get(client, "jobs/output", job_id=job_id)["over"]
    left = every(get(client, "processes/list", sample_s="0")["roots"])
    assert node["pid"] not in {one["pid"] for one in left}


def every(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for node in nodes for found in (node, *every(node["children"]))]


@pytest.mark.parametrize(
    ("path", "args", "status", "code"),
    [
        ("checkpoints/restore", {"checkpoint_id": NOBODYS}, 404, "checkpoint_not_found"),
        ("checkpoints/restore", {}, 422, "invalid"),
        ("checkpoints/create", {"project_path": "/no/such/place"}, 404, "project_not_found"),
        ("checkpoints/redo", {}, 409, "nothing_to_redo"),
        ("jobs/output", {"job_id": NOBODYS}, 404, "job_not_found"),
        ("jobs/kill", {"job_id": NOBODYS}, 404, "job_not_found"),
        ("jobs/execute", {}, 422, "bad_command"),
        ("jobs/execute", {"command": "true", "wait_s": -1}, 422, "invalid"),
    ],
)
def test_what_cannot_be_done_has_the_right_status(
    client: httpx2.Client, path: str, args: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(f"/api/{path}", json=args)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize("path", ["checkpoints/create", "checkpoints/restore", "jobs/execute", "jobs/kill"])
def test_what_changes_something_needs_the_token_and_a_post(client: httpx2.Client, path: str) -> None:
    assert client.get(f"/api/{path}").status_code == 405
    with httpx2.Client(base_url=client.base_url) as stranger:
        assert stranger.post(f"/api/{path}", json={}).status_code == 401
