"""A machine to watch: a real daemon, the real Claude Code and a scripted model; ours and somebody else's sessions."""

import contextlib
import os
import subprocess
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.testing import ScriptedModel, load_script, scripted_model_thread
from tests.support.daemon import Json, Terminal

STORY = Path(__file__).parent / "story.yaml"
_FILES = {
    "app": {
        "test_login.py": "import login\n",
        "login.py": "def login(token):\n    return token.id\n",
        "slow_tests.py": "import time\ntime.sleep(0.8)\nprint('4 passed')\n",
    },
    "shop": {"api.py": "URL = 'v1'\n"},
    "handbook": {"handbook.md": "# Welcome\n"},
}


@dataclass(frozen=True)
class Machine:
    """Where things are. `asks` waits for an answer, `builds` for a file; `other` was not started by us."""

    client: Terminal
    env: dict[str, str]
    code: Path
    model: ScriptedModel
    asks: str
    builds: str
    other: "subprocess.Popen[bytes]"

    @property
    def project(self) -> Path:
        """The project of the session that asks."""
        return self.code / "app"


@contextlib.contextmanager
def machine(base: Path, home: Path, tmp: Path, binary: Path) -> Generator[Machine]:
    """Set all of it up below `base`, and take everything down again."""
    code = base / "code"
    for project, files in _FILES.items():
        (code / project).mkdir(parents=True)
        for name, text in files.items():
            (code / project / name).write_text(text)
    with scripted_model_thread(load_script(STORY)) as model:
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(tmp),
            "LANG": "C.UTF-8",
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "dummy-key-for-the-scripted-model",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_BINARY": str(binary),
            "CLAUDE_CODE_MCP_HOME": str(base / "state"),
        }
        client = Terminal(base / "state", env, code / "app")
        other = subprocess.Popen(
            [str(binary), "-p", "Translate the handbook"],
            env=env,
            cwd=code / "handbook",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            asks, builds = _ours(client, code)
            _all_is_known(client, asks)
            yield Machine(client, env, code, model, asks, builds, other)
        finally:
            model.gate("translated").open()
            (code / "shop" / "go").touch()
            client.stop()
            other.terminate()
            other.wait(60)


def _ours(client: Terminal, code: Path) -> tuple[str, str]:
    builds = client.call(
        "sessions.start",
        prompt="Move the shop to the new API",
        project_path=str(code / "shop"),
        permission_mode="acceptEdits",
    )
    asks = client.call(
        "sessions.start",
        prompt="Fix the login test",
        project_path=str(code / "app"),
        permission_mode="acceptEdits",
        allowed_tools=["Bash(python3 slow_tests.py)"],
    )
    client.finish(asks["session_id"])
    return asks["session_id"], builds["session_id"]


def _all_is_known(client: Terminal, asks: str) -> None:
    """Wait for what is read from the files of Claude Code: the other's session, and what the subagent of ours did."""
    cursor, projects = None, set[str]()
    while not projects >= {*_FILES}:
        rows = client.call("activity.sessions", scope="live", cursor=cursor, wait_s=20)
        cursor, projects = rows["cursor"], {Path(row["project_path"]).name for row in rows["items"] if row["root_task"]}
    cursor, agents = None, list[Json]()
    while [(one["status"], len(one["children"])) for one in agents] != [("completed", 3)]:
        reply = client.call("activity.tree", session_id=asks, cursor=cursor, wait_s=20)
        cursor, agents = reply["cursor"], list(_agents(reply["activity_tree"]["root_task"]))


def _agents(node: Json) -> Iterator[Json]:
    if node["type"] == "subagent":
        yield node
    for child in node["children"]:
        yield from _agents(child)
