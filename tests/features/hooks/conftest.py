"""A host of the test's own, and a way to call the operations as the command line does."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.hooks.operations import OPERATIONS
from claude_code_mcp.features.hooks.service import Hooks
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Reply, Surface
from claude_code_mcp.platform.claude.redaction import redact
from claude_code_mcp.platform.clients.host import Host, System
from claude_code_mcp.platform.db.database import Database

Call = Callable[..., Awaitable[Any]]
PORT = 45678
TOKEN = "cch_0123456789abcdef"


@dataclass
class Ctx:
    """What the operations are given."""

    hooks: Hooks
    caller: Caller


@pytest.fixture
async def hooks(home: Path, tmp_path: Path) -> AsyncIterator[Hooks]:
    state = tmp_path / "state dir"
    state.mkdir(mode=0o700)
    database = await Database.open(state / "state.db", migrations())
    host = Host(home=home, system=System.LINUX, launcher=("claude-code-mcp",))
    yield Hooks(host, state, lambda: PORT, lambda: TOKEN, database, redact)
    await database.close()


@pytest.fixture
def call(hooks: Hooks, project: Path) -> Call:
    """Runs an operation by name: `await call("install", scope="project")`."""
    catalog = Catalog.of(OPERATIONS)

    async def called(verb: str, *, caller_env: dict[str, str] | None = None, **raw: Any) -> Reply:
        caller = Caller(cwd=str(project), surface=Surface.CLI, env=caller_env or {})
        return await catalog[f"hooks.{verb}"].call(Ctx(hooks, caller), raw)

    return called
