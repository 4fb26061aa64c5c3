"""A reader of one page: a home, a project, the real Claude Code and a model that knows the page's prompts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from claude_code_mcp.testing import load_script, scripted_model_thread
from tests.support.keyring import keyring_env

GREET = 'print("Hello!")\n'
TEST = "import greet\n"


@dataclass(frozen=True)
class Reader:
    """Where a reader works, and with which environment."""

    home: Path
    project: Path
    env: dict[str, str]


@pytest.fixture
def reader(home: Path, short_tmp: Path, claude_binary: Path) -> Iterator[Reader]:
    """Everything that a page takes for granted; at the end the reader's daemon is stopped with its sessions."""
    project = home / "code" / "app"
    project.mkdir(parents=True)
    git = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run(["git", "init", "-q", "-b", "main", project], check=True, env=git)
    (project / "greet.py").write_text(GREET)
    (project / "test_greet.py").write_text(TEST)
    subprocess.run(["git", "add", "."], check=True, env=git, cwd=project)
    who = ("-c", "user.name=you", "-c", "user.email=you@example.com")
    subprocess.run(["git", *who, "commit", "-q", "-m", "Greet"], check=True, env=git, cwd=project)
    local = home / ".local" / "bin"
    local.mkdir(parents=True)
    (local / "claude").symlink_to(claude_binary)
    with scripted_model_thread(load_script(Path(__file__).parent / "model.yaml")) as model:
        env = {
            "PATH": f"{local}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(short_tmp),
            "LANG": "C.UTF-8",
            "COLUMNS": "110",
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "dummy-key-for-the-scripted-model",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            **keyring_env(home / "keyring.json"),
        }
        yield Reader(home, project, env)
        subprocess.run(["claude-code-mcp", "daemon", "stop", "--sessions"], env=env, check=False, timeout=60)
