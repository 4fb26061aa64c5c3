"""The background-job server's tools by the official client: the document's names, and those of its published package.

With MCP_BACKGROUND_JOB_SERVER (its command) the published server plays the same scenario, and the differences are
those that the documentation lists.
"""

import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters

from tests.support.daemon import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.anyio]
DOCUMENT = {name: name for name in ("execute", "list", "status", "output", "tail", "interact", "kill")}
PUBLISHED = {
    "execute": "execute_command",
    "list": "list_jobs",
    "status": "get_job_status",
    "output": "get_job_output",
    "tail": "tail_job_output",
    "interact": "interact_with_job",
    "kill": "kill_job",
}
ECHO = "python3 -u -c \"import sys\nprint('up')\nfor l in sys.stdin: print('got', l.strip())\""


@pytest.fixture
def place(tmp_path: Path, home: Path) -> Iterator[Terminal]:
    state = tmp_path / "s"
    state.mkdir(mode=0o700)
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "CLAUDE_CODE_MCP_HOME": str(state)}
    found = Terminal(state, env, tmp_path)
    yield found
    found.stop()


@asynccontextmanager
async def ours(place: Terminal, profile: str) -> AsyncGenerator[Client]:
    args = ["-m", "claude_code_mcp", "serve", "--profile", profile]
    server = StdioServerParameters(command=sys.executable, args=args, env=place.env, cwd=str(place.cwd))
    async with Client(server) as found:
        yield found


async def play(client: Client, names: dict[str, str]) -> dict[str, Any]:
    """Go once through all seven tools; return what is common to all servers of this kind."""

    async def call(tool: str, **wish: Any) -> dict[str, Any]:
        result = await client.call_tool(names[tool], wish)
        assert not result.is_error, result.content
        found: dict[str, Any] | None = result.structured_content
        assert found is not None
        return found

    found: dict[str, Any] = {"tools": sorted(tool.name for tool in (await client.list_tools()).tools)}
    job_id = (await call("execute", command=ECHO))["job_id"]
    with anyio.fail_after(60):
        while "up" not in (await call("output", job_id=job_id))["stdout"]:
            await anyio.sleep(0.05)
    [listed] = [job for job in (await call("list"))["jobs"] if job["job_id"] == job_id]
    found["listed"] = {name: listed[name] for name in ("status", "command")}
    assert listed["started"].startswith("20")
    found["status"] = (await call("status", job_id=job_id))["status"]
    found["interact"] = (await call("interact", job_id=job_id, input="hello\n"))["stdout"].strip()
    found["tail"] = (await call("tail", job_id=job_id, lines=1))["stdout"].strip()
    output = await call("output", job_id=job_id)
    found["output"], found["stderr"] = output["stdout"].split(), output["stderr"]
    found["kill"] = (await call("kill", job_id=job_id))["status"]
    found["after"] = (await call("status", job_id=job_id))["status"]
    found["again"] = (await call("kill", job_id=job_id))["status"]
    unknown = await client.call_tool(names["status"], {"job_id": "00000000-0000-0000-0000-000000000000"})
    found["unknown is an error"] = unknown.is_error
    return found


EXPECTED = {
    "listed": {"status": "running", "command": ECHO.replace("\n", " ")},
    "status": "running",
    "interact": "got hello",
    "tail": "got hello",
    "output": ["up", "got", "hello"],
    "stderr": "",
    "kill": "killed",
    "after": "killed",
    "again": "already_terminated",
    "unknown is an error": True,
}


@pytest.mark.parametrize(("profile", "names"), [("background-job", DOCUMENT), ("mcp-background-job", PUBLISHED)])
async def test_the_profile_is_a_drop_in_under_both_sets_of_names(
    place: Terminal, profile: str, names: dict[str, str]
) -> None:
    async with ours(place, profile) as client:
        assert await play(client, names) == {"tools": sorted(names.values()), **EXPECTED}


async def test_a_job_goes_on_when_its_client_and_the_daemon_are_gone(place: Terminal) -> None:
    async with ours(place, "background-job") as client:
        started = await client.call_tool("execute", {"command": ECHO})
    assert started.structured_content is not None
    job_id = started.structured_content["job_id"]
    place.kill_daemon()
    async with ours(place, "background-job") as client:
        answer = await client.call_tool("interact", {"job_id": job_id, "input": "still there?"})
        assert answer.structured_content is not None
        assert answer.structured_content["stdout"] == "got still there?\n"


@pytest.mark.skipif(not os.environ.get("MCP_BACKGROUND_JOB_SERVER"), reason="MCP_BACKGROUND_JOB_SERVER names none")
async def test_the_published_server_plays_the_same(place: Terminal) -> None:
    command = shutil.which(os.environ["MCP_BACKGROUND_JOB_SERVER"])
    assert command is not None
    server = StdioServerParameters(command=command, args=[], env=place.env, cwd=str(place.cwd))
    async with Client(server) as client:
        theirs = await play(client, PUBLISHED)
    async with ours(place, "mcp-background-job") as client:
        mine = await play(client, PUBLISHED)
    theirs["listed"]["command"] = theirs["listed"]["command"].replace("\n", " ")
    assert json.dumps(theirs, sort_keys=True) == json.dumps(mine, sort_keys=True)
