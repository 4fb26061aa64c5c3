"""A command line of our own, with the fixture catalog behind a real socket."""

import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from claude_code_mcp.surfaces.cli.main import run
from tests.surfaces.cli.fixture_catalog import fixture_catalog
from tests.surfaces.cli.rpc_server import RpcServer, answering, serving


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Cli = Callable[..., Ran]


def no_daemon(_directory: Path, _ready_fd: int | None) -> int:
    raise AssertionError("no daemon is to run here")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    directory.mkdir(mode=0o700)
    return directory


@pytest.fixture
def server(state: Path) -> Iterator[RpcServer]:
    with serving(state, answering(fixture_catalog())) as running:
        yield running


@pytest.fixture
def cli(state: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in this process; the daemon is whatever listens in `state`."""

    def call(*argv: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        env = {"HOME": str(state), "CLAUDE_CODE_MCP_HOME": str(state), "ANTHROPIC_API_KEY": "k", "SECRET": "s"}
        code = run(argv, load=fixture_catalog, daemon=no_daemon, env=env)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return call
