"""What tests of checkpoints and sessions share: a script for the model, and the words for asking and looking."""

import time
from pathlib import Path
from typing import Any

from claude_code_mcp.platform.seal.keepers import KeyFile
from claude_code_mcp.platform.seal.keys import SealKeys
from claude_code_mcp.testing import ScriptedModel
from tests.support.daemon import BOUND_S, Terminal

Json = dict[str, Any]
SCRIPT = """
scenarios:
  say: {arg: "", steps: ["${arg}"]}
  bash:
    arg: "true"
    steps:
      - {tools: {Bash: {command: "${arg}", description: go on}}}
      - done
  chain:
    steps:
      - {tools: {Bash: echo made > made.txt}}
      - {tools: {Bash: rm made.txt; echo other > other.txt}}
      - done
  bash-then-rm:
    steps:
      - {tools: {Write: {file_path: "${cwd}/made.txt", content: made}}}
      - {tools: {Bash: rm made.txt}}
      - done
  long:
    steps:
      - {tools: {Bash: "until [ -e go ]; do sleep 0.05; done"}}
      - done
"""


def file_keys(state: Path) -> SealKeys:
    """Return keys that lie in a file of the test's own, never in anybody's keyring."""
    return SealKeys(state / "seal-keys.json", KeyFile(state / "sealing.key"))


def checkpoints(terminal: Terminal, project: Path) -> list[Json]:
    """Return the checkpoints of a project, the oldest first."""
    items = terminal.call("checkpoints.list", project_path=str(project), limit=200)["items"]
    return list(reversed(items))


def until(terminal: Terminal, project: Path, count: int) -> list[Json]:
    """Wait until a project has so many checkpoints whose points are known, and return them, the oldest first."""
    deadline = time.monotonic() + BOUND_S
    while True:
        found = checkpoints(terminal, project)
        if len(found) >= count:
            return found
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


def strategy(terminal: Terminal, project: Path, name: str, **more: object) -> None:
    terminal.call("checkpoints.settings", project_path=str(project), strategy=name, **more)


def ask(terminal: Terminal, prompt: str, **more: object) -> Json:
    return terminal.call("sessions.ask", prompt=prompt, allowed_tools=["Bash"], wait_s=60, **more)


def heard(model: ScriptedModel) -> list[str]:
    """Return what the model was sent last, text by text: prompts, its own words and commands, results."""
    found: list[str] = []
    for message in model.seen()[-1].messages:
        content = message["content"]
        blocks: list[Json] = [{"text": content}] if isinstance(content, str) else content
        for block in blocks:
            if block.get("type") == "tool_use":
                text = f"bash {block['input'].get('command')}"
            elif block.get("type") == "tool_result":
                text = "ran" if "no output" in str(block["content"]) else str(block["content"])
            else:
                text = block.get("text", "")
            if message["role"] != "system" and not text.startswith("<system-reminder>"):
                found.append(text.strip())
    return found


def tree(project: Path) -> dict[str, str]:
    """Return the files of a project with what they say."""
    return {
        str(path.relative_to(project)): path.read_text()
        for path in sorted(project.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(project).parts
    }
