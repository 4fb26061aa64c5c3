"""A place of its own for one measurement: HOME, project, state directory, daemon; and nothing of it stays."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from tests.support.processes import end_all

from bench.rpc import Rpc

ROOT = Path(__file__).parents[1]
STOP_S = 30.0


def claude_binary() -> Path:
    """Return the Claude Code that is bundled with claude-agent-sdk."""
    package = find_spec("claude_agent_sdk")
    if package is None or package.origin is None:
        raise RuntimeError("claude-agent-sdk is not installed: it bundles the Claude Code that is measured")
    return Path(package.origin).parent / "_bundled" / "claude"


@dataclass(frozen=True, slots=True)
class Place:
    """Directories and environment of one measurement; `env` is all that a client of it has."""

    base: Path
    env: Mapping[str, str] = field(repr=False)

    @property
    def state(self) -> Path:
        """The daemon's state directory."""
        return self.base / "state"

    @property
    def project(self) -> Path:
        """The project that sessions work in."""
        return self.base / "project"

    def rpc(self) -> Rpc:
        """Connect to the daemon, starting it where none runs."""
        return Rpc(self.state, self.env)

    def python(self, *words: str) -> list[str]:
        """Return the command line of a Python process with our packages."""
        return [sys.executable, *words]

    def relay(self, profile: str = "full") -> list[str]:
        """Return the command line of the MCP server, as clients start it."""
        return self.python("-m", "claude_code_mcp", "serve", "--profile", profile)


@contextmanager
def place(model_url: str = "http://127.0.0.1:9") -> Generator[Place]:
    """Make a place, and take everything away again: the daemon, its sessions, what they left, the files."""
    base = Path(tempfile.mkdtemp(prefix="ccb-"))
    for name in ("home", "project", "tmp"):
        (base / name).mkdir()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(base / "home"),
        "TMPDIR": str(base / "tmp"),
        "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": model_url,
        "ANTHROPIC_API_KEY": "dummy-key-for-the-scripted-model",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_BINARY": str(claude_binary()),
        "CLAUDE_CODE_MCP_HOME": str(base / "state"),
        **{name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ},  # to measure another tree
    }
    try:
        yield Place(base, env)
    finally:
        stop_daemon(base / "state", env)
        end_all(base / "home")
        shutil.rmtree(base, ignore_errors=True)


def stop_daemon(state: Path, env: Mapping[str, str]) -> None:
    """Stop the daemon of `state` and its sessions, where one runs."""
    with contextlib.suppress(Exception):  # whatever it is, what is left is found by its HOME and killed
        rpc = Rpc(state, env, start=False)
        with contextlib.closing(rpc):
            rpc.call("daemon.stop", sessions=True)
            rpc.until_gone(STOP_S)


@contextmanager
def scripted_model() -> Generator[str]:
    """Run the scripted model in a process of its own, whose work burdens nobody's interpreter; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.peers.scripted"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
    )
    with process:
        try:
            if process.stdout is None or process.stdin is None:
                raise RuntimeError("the model's process has no pipes")
            yield process.stdout.readline().decode().strip()
        finally:
            process.terminate()
