"""Who may speak to the daemon, and what is said first."""

import asyncio
import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from claude_code_mcp import __version__
from claude_code_mcp.platform.ipc.address import SOCKET, reachable, state_dir
from claude_code_mcp.platform.ipc.connect import daemon_env, open_channel
from claude_code_mcp.platform.ipc.hello import Refused, greeting, older
from claude_code_mcp.platform.ipc.listener import Listener, NotYours, Peer, read_hello, refuse_strangers
from claude_code_mcp.platform.ipc.lock import DaemonRunning, DirectoryLock

pytestmark = pytest.mark.anyio


async def echo(peer: Peer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(json.dumps({"env": dict(peer.env), "cwd": peer.cwd, "options": dict(peer.options)}).encode() + b"\n")
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()


async def listening(directory: Path) -> Listener:
    listener = Listener(directory, {"echo": echo}, 1 << 20)
    await listener.open()
    return listener


async def exchange(directory: Path, first: bytes) -> dict[str, object]:
    name, fd = reachable(directory, SOCKET)
    reader, writer = await asyncio.open_unix_connection(name)
    if fd is not None:
        os.close(fd)
    writer.write(first)
    answer = json.loads(await asyncio.wait_for(reader.readline(), 60))
    writer.close()
    with contextlib.suppress(ConnectionError):  # what it refused to read is thrown back at us
        await writer.wait_closed()
    assert isinstance(answer, dict)
    return answer


async def test_a_client_is_greeted_and_handed_to_its_kind(tmp_path: Path) -> None:
    listener = await listening(tmp_path)

    def talk() -> tuple[dict[str, object], dict[str, object]]:
        channel = open_channel(tmp_path, "echo", {"A": "1"}, {"profile": "core"}, start=False)
        with channel.sock, channel.sock.makefile("rb") as file:
            said = json.loads(channel.rest or file.readline())
        return channel.daemon, said

    daemon, said = await asyncio.to_thread(talk)
    assert (daemon["version"], daemon["pid"]) == (__version__, os.getpid())
    assert said == {"env": {"A": "1"}, "cwd": str(Path.cwd()), "options": {"profile": "core"}}
    await listener.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "first",
    [b"\n", b"GET / HTTP/1.1\r\n", b'{"hello":2}\n', b"[]\n", b'"x"\n', b"\xff\xfe\n"],
    ids=["blank", "http", "other protocol", "list", "string", "not utf-8"],
)
async def test_what_is_no_hello_gets_one_clear_error(tmp_path: Path, first: bytes) -> None:
    listener = await listening(tmp_path)
    answer = await exchange(tmp_path, first)
    assert answer["error"]["code"] == "bad_hello"  # type: ignore[index]  # JSON of a known shape
    await listener.close()


async def test_an_unknown_kind_and_an_endless_first_line_are_refused(tmp_path: Path) -> None:
    listener = await listening(tmp_path)
    assert "no kind" in str(await exchange(tmp_path, greeting("nonsense", "1", {}, {})))
    assert "too long" in str(await exchange(tmp_path, b"x" * (1 << 21)))
    await listener.close()


async def test_the_socket_is_private_and_a_stale_one_is_replaced(tmp_path: Path) -> None:
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(tmp_path / SOCKET))
    stale.close()
    old = os.umask(0)
    try:
        listener = await listening(tmp_path)
    finally:
        os.umask(old)
    assert (tmp_path / SOCKET).stat().st_mode & 0o777 == 0o600
    assert (await exchange(tmp_path, greeting("echo", __version__, {}, {})))["welcome"] == 1
    await listener.close()


async def test_a_very_long_state_directory_works(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    listener = await listening(deep)
    assert (await exchange(deep, greeting("echo", __version__, {}, {})))["welcome"] == 1
    await listener.close()


def test_another_user_is_refused() -> None:
    class Foreign:
        def getsockopt(self, *_: object) -> bytes:
            return (1).to_bytes(4, "little") + (os.getuid() + 1).to_bytes(4, "little") + bytes(4)

    with pytest.raises(NotYours):
        refuse_strangers(Foreign())


def test_a_hello_never_shows_its_environment() -> None:
    peer = read_hello(greeting("mcp", "1", {"ANTHROPIC_API_KEY": "canary"}, {}))
    assert peer.env["ANTHROPIC_API_KEY"] == "canary"
    assert "canary" not in repr(peer)


def test_without_a_daemon_and_without_leave_to_start_one_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        open_channel(tmp_path, "rpc", {}, start=False)
    assert caught.value.code == "no_daemon"


def test_only_one_holds_the_directory(tmp_path: Path) -> None:
    lock = DirectoryLock.take(tmp_path / "daemon.lock")
    with pytest.raises(DaemonRunning, match=f'"pid": {os.getpid()}'):
        DirectoryLock.take(tmp_path / "daemon.lock")
    lock.release()
    DirectoryLock.take(tmp_path / "daemon.lock").release()


def test_versions_compare_as_numbers() -> None:
    assert older("0.9.0", "0.10.0")
    assert not older("0.10.0", "0.9.0")
    assert not older("1.0.0", "1.0.0")
    assert not older("weird", "1.0.0")


def test_the_state_directory_follows_the_environment() -> None:
    assert state_dir({"CLAUDE_CODE_MCP_HOME": "/x/y"}) == Path("/x/y")
    assert state_dir({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == Path("/s/claude-code-mcp")
    assert state_dir({"HOME": "/h", "XDG_STATE_HOME": "relative"}) == Path("/h/.local/state/claude-code-mcp")


def test_a_daemon_is_started_without_its_first_clients_secrets() -> None:
    env = {
        "PATH": "/bin",
        "ANTHROPIC_API_KEY": "canary",
        "CLAUDE_CODE_MCP_HOME": "/x",
        "AWS_SECRET_ACCESS_KEY": "c",
    }
    assert daemon_env({**env, "CLAUDE_CODE_MCP_RUN": "an outer run"}) == {
        "PATH": "/bin",
        "CLAUDE_CODE_MCP_HOME": "/x",
        "CLAUDE_CODE_MCP_SERVICE": "1",
    }
