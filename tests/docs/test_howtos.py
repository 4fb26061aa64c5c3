"""Every page of how-to is carried out as it stands, with the real Claude Code and a scripted model."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import Reader
from tests.docs.expecting import Names
from tests.docs.pages import DOCS, Block, Command, blocks, commands
from tests.docs.terminal import Terminal

pytestmark = pytest.mark.e2e
PAGES = [*sorted((DOCS / "how-to").glob("*.md")), DOCS.parent / "README.md"]
SHOWN_HOME = "/home/you"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_page_works_as_it_stands(
    page: Path, reader: Reader, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if page.stem == "find-and-end-leftovers":
        request.getfixturevalue("leftovers")
    terminal = Terminal(reader.env, reader.project, tmp_path)
    names = Names()
    try:
        for block, following in pairwise([*blocks(page), Block("", "", 0)]):
            where = f"{page.name}:{block.line}"
            if block.language == "console":
                for command in commands(block):
                    _type(terminal, names, command, page, reader)
            elif block.language == "python":
                _run(block, following if following.language == "text" else None, reader, where)
            elif block.language == "json":
                _start_servers(json.loads(block.text), reader, where)
    finally:
        terminal.close()


def _type(terminal: Terminal, names: Names, command: Command, page: Path, reader: Reader) -> None:
    typed = names.put_in(command.typed).replace(SHOWN_HOME, str(reader.home))
    if typed.endswith("&"):
        output, code = terminal.start(typed, command.expected.count("\n") + 1), 0
    else:
        output, code = terminal.run(typed)
    said = output.replace(str(reader.home), SHOWN_HOME)
    shown = f"{page.name}:{command.line}: $ {command.typed}\n{said}"
    assert code == 0, f"{shown}\nexit code {code}"
    assert names.fits(command.expected, said), f"{shown}\n--- the page shows:\n{command.expected}"


def _run(block: Block, output: Block | None, reader: Reader, where: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        env=reader.env,
        cwd=reader.project,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"
    if output is not None:
        assert Names().fits(output.text, done.stdout), f"{where}: {done.stdout}\n--- the page shows:\n{output.text}"


def _start_servers(config: dict[str, Any], reader: Reader, where: str) -> None:
    """Start every MCP server that a client's configuration names, and see that it serves."""
    for server in _servers(config):
        env = {**reader.env, **server.get("env", {})}
        ask = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": _HELLO}
        argv = [server["command"], *server.get("args", [])]
        with subprocess.Popen(argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(ask).encode() + b"\n")
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            process.stdin.close()
            assert process.wait(30) == 0, where
        assert answer["result"]["serverInfo"]["name"] == "claude-code-mcp", where


def _servers(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("mcpServers", "servers"):
        yield from config.get(key, {}).values()


_HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "a how-to page", "version": "1"},
}
