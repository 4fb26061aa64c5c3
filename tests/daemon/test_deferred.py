"""What the daemon does not need is not imported, and is whole for whoever asks for it all the same."""

import subprocess
import sys

import pytest


def run(code: str) -> str:
    """Run `code` in an interpreter of its own, since imports cannot be taken back; return what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SURFACE = """
import sys
from claude_code_mcp.daemon.deferred import absent, built_late, defer
defer("mcp", "mcp.server")
with built_late(), absent("uvicorn.main"):
    import claude_code_mcp.surfaces.mcp.surface
"""


@pytest.fixture(scope="module")
def imported() -> frozenset[str]:
    """What the surface imports."""
    return frozenset(run(f"{SURFACE}print(*sys.modules)").split())


@pytest.mark.parametrize("module", ["mcp.client", "mcp.server.mcpserver", "httpx2", "cryptography", "uvicorn.config"])
def test_the_mcp_surface_imports_nothing_that_a_server_on_a_socket_does_not_use(
    imported: frozenset[str], module: str
) -> None:
    assert "claude_code_mcp.surfaces.mcp.surface" in imported
    assert module not in imported


def test_a_deferred_package_is_whole_when_a_name_in_it_is_asked_for() -> None:
    code = """
from mcp import Client, stdio_client
from mcp.server import MCPServer, Server
import mcp.client.client
print(Client is mcp.client.client.Client, Server is mcp.server.lowlevel.Server, type(mcp).__name__)
"""
    assert run(SURFACE + code) == "True True module"


def test_a_name_that_a_deferred_package_does_not_have_is_missed_as_ever() -> None:
    assert run(f"{SURFACE}import mcp\nprint(hasattr(mcp, 'nonsense'), mcp.__name__)") == "False mcp"


def test_what_is_imported_already_is_left_alone() -> None:
    code = """
import mcp
whole = mcp.Client
from claude_code_mcp.daemon.deferred import defer
defer("mcp", "mcp.server", "no_such_package")
import mcp as again
print(again is mcp, again.Client is whole)
"""
    assert run(code) == "True True"


def test_what_was_absent_can_be_imported_after() -> None:
    assert run(f"{SURFACE}from uvicorn.main import Server\nprint(Server.__name__)") == "Server"


def test_models_built_late_are_built_by_their_first_use_and_no_others_are_late() -> None:
    code = """
from pydantic import BaseModel, TypeAdapter
import mcp_types
from mcp_types import CallToolRequestParams, Tool
class Own(BaseModel):
    name: str
print(Own.__pydantic_complete__, Tool.__pydantic_complete__)
print(CallToolRequestParams.model_validate({"name": "a"}).name, TypeAdapter(list[Own]).validate_python([{"name": "b"}]))
request = {"method": "tools/call", "params": {"name": "a"}}
print(type(mcp_types.client_request_adapter.validate_python(request)).__name__)
"""
    said = run(SURFACE + code).splitlines()
    assert said == ["True False", "a [Own(name='b')]", "CallToolRequest"]


@pytest.mark.parametrize(
    "module", ["importlib.metadata", "mcp", "multiprocessing", "starlette", "tree_sitter", "uvicorn"]
)
def test_a_daemon_that_nobody_asked_yet_imports_nothing_that_it_does_not_use(module: str) -> None:
    code = """
import os, sys
from claude_code_mcp.daemon import main
from claude_code_mcp.platform.settings.sources import load
load({"HOME": "/nowhere"}, {"state_dir": "/nowhere"}, client_env=False)
"""
    assert run(f"{code}print({module!r} in sys.modules)") == "False"


def test_what_the_daemon_defers_is_whole_for_who_asks() -> None:
    code = """
import claude_code_mcp.daemon
import watchfiles
print(watchfiles.run_process.__module__)
"""
    assert run(code) == "watchfiles.run"
