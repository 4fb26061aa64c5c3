"""A host of the test's own, and a way to call the operations as the command line does."""

import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.features.installations.operations import OPERATIONS
from claude_code_mcp.features.installations.service import Installations
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Reply, Surface
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.clients.host import Host, System

Call = Callable[..., Awaitable[Any]]

SERVER = f"""#!{sys.executable}
import json, sys

ANSWERS = {{
    "server/discover": {{
        "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {{"tools": {{}}}},
        "serverInfo": {{"name": "stand-in", "version": "1"}}, "ttlMs": 0, "cacheScope": "private",
    }},
    "tools/list": {{"resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private"}},
    "initialize": {{
        "protocolVersion": "2025-11-25", "capabilities": {{"tools": {{}}}},
        "serverInfo": {{"name": "stand-in", "version": "1"}},
    }},
}}
for line in sys.stdin:
    asked = json.loads(line)
    if "id" in asked and asked.get("method") in ANSWERS:
        print(json.dumps({{"jsonrpc": "2.0", "id": asked["id"], "result": ANSWERS[asked["method"]]}}), flush=True)
"""


@dataclass
class Ctx:
    """What the operations are given."""

    installations: Installations
    caller: Caller


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An installed copy of this program: a stand-in that speaks as much MCP as a health check asks for."""
    path = tmp_path / "bin" / "claude-code-mcp"
    path.parent.mkdir()
    path.write_text(SERVER)
    path.chmod(0o755)
    return path


@pytest.fixture
def host(home: Path, program: Path) -> Host:
    return Host(home=home, system=System.LINUX, launcher=(str(program),))


@pytest.fixture
def call(host: Host, project: Path) -> Call:
    """Runs an operation by name: `await call("add", client="cursor")`; `host` and `caller` may be others."""
    catalog = Catalog.of(OPERATIONS)

    async def called(
        verb: str, *, on: Host = host, cwd: Path = project, caller_env: dict[str, str] | None = None, **raw: Any
    ) -> Reply:
        caller = replace(Caller(cwd=str(cwd), surface=Surface.CLI), env=caller_env or {})
        return await catalog[f"installations.{verb}"].call(Ctx(Installations(on, redact), caller), raw)

    return called
