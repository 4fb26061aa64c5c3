"""The newest release: asked of the registry that the machine names, bounded, and never an exception."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from claude_code_mcp.platform.claude.releases import Latest, latest_version, newer, registry_url

pytestmark = pytest.mark.anyio


class _Registry(ThreadingHTTPServer):
    """Answers every GET with `status` and `body`, and remembers what was asked."""

    daemon_threads = True

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = status, body
        self.asked: list[str] = []
        self.stalled = threading.Event()
        self.stall = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Registry  # pyright: ignore[reportIncompatibleVariableOverride] - no other is ever asked

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.stall:
            self.server.stalled.wait(10)
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        del format, args


@contextmanager
def _registry(body: object, status: int = 200) -> Generator[_Registry]:
    server = _Registry(status, body if isinstance(body, bytes) else json.dumps(body).encode())
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.stalled.set()
        server.shutdown()
        thread.join()
        server.server_close()


async def test_the_newest_release_is_read_from_the_documented_endpoint() -> None:
    with _registry({"name": "@anthropic-ai/claude-code", "version": "2.1.400"}) as server:
        latest = await latest_version({}, registry=f"{server.url}/npm/")
        assert latest == Latest("2.1.400", f"{server.url}/npm/")
        assert server.asked == ["/npm/@anthropic-ai%2fclaude-code/latest"]


@pytest.mark.parametrize(
    ("body", "status", "problem"),
    [
        ({"version": "2.1.400"}, 404, "the registry answered with status 404"),
        ({"version": "2.1.400"}, 500, "the registry answered with status 500"),
        ({"version": 7}, 200, "the registry's answer names no version"),
        ({"version": "latest"}, 200, "the registry's answer names no version"),
        ([], 200, "the registry's answer names no version"),
        (b"<html>", 200, "the registry's answer names no version"),
        (b"[" * 100_000, 200, "the registry's answer names no version"),
        (b"x" * 5_000_000, 200, "the registry's answer is too long"),
    ],
)
async def test_a_strange_answer_is_a_reason_not_an_exception(body: object, status: int, problem: str) -> None:
    with _registry(body, status) as server:
        assert await latest_version({}, registry=server.url) == Latest(None, server.url, problem)


async def test_a_registry_that_does_not_answer_is_given_up_in_time() -> None:
    with _registry({"version": "1.0.0"}) as server:
        server.stall = True
        latest = await latest_version({}, registry=server.url, timeout_s=0.3)
        assert latest.version is None
        assert "within 0.3 s" in latest.problem or "cannot be reached" in latest.problem


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://nowhere.invalid", "file:///etc/passwd", "x", "http://["]
)
async def test_an_unreachable_or_wrong_address_is_a_reason(address: str) -> None:
    latest = await latest_version({}, registry=address, timeout_s=5)
    assert latest.version is None
    assert latest.problem


async def test_a_password_in_the_address_is_not_shown() -> None:
    latest = await latest_version({}, registry="http://me:canary123@127.0.0.1:1/")
    assert "canary123" not in latest.registry + latest.problem


async def test_the_registry_is_that_of_the_setting_the_environment_the_users_file_or_npm(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert await registry_url(env) is None
    npm = tmp_path / "bin/npm"
    npm.parent.mkdir()
    npm.write_text('#!/bin/sh\n[ "$*" = "config get registry" ] && echo http://of-npm.invalid/\n')
    npm.chmod(0o755)
    assert await registry_url(env) == "http://of-npm.invalid/"
    rc = tmp_path / ".npmrc"
    rc.write_text('; registry=http://comment.invalid\nregistry = "http://of-file.invalid"\n')
    assert await registry_url(env) == "http://of-file.invalid"
    rc.write_text("registry=http://of-file.invalid\n@anthropic-ai:registry=http://of-scope.invalid\n")
    assert await registry_url(env) == "http://of-scope.invalid"
    assert await registry_url({**env, "npm_config_registry": "http://of-env.invalid"}) == "http://of-env.invalid"


async def test_without_any_registry_nobody_is_asked(tmp_path: Path) -> None:
    latest = await latest_version({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    assert latest == Latest(None, "", "no npm registry is configured, and there is no npm to ask for one")


async def test_a_proxy_of_the_client_is_used_unless_the_host_is_excepted() -> None:
    with _registry({"version": "2.1.400"}) as proxy:
        env = {"http_proxy": proxy.url}
        assert (await latest_version(env, registry="http://registry.invalid")).version == "2.1.400"
        assert proxy.asked == ["http://registry.invalid/@anthropic-ai%2fclaude-code/latest"]
        excepted = {**env, "NO_PROXY": "localhost,.invalid"}
        assert (await latest_version(excepted, registry="http://registry.invalid")).version is None


def test_releases_compare_by_number() -> None:
    assert newer("2.1.1000", "2.1.328")
    assert not newer("2.1.328", "2.1.328")
    assert not newer("2.1.99", "2.1.328")
