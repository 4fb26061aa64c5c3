"""Whose process knocks is known to the kernel; what it does not say is nobody's."""

import os
import socket
import subprocess
import sys

import pytest

from claude_code_mcp.platform.ipc.tcp_peer import peer_uid

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asked of Linux alone")


@pytest.fixture
def listening() -> "socket.socket":
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    return sock


def test_a_process_of_ours_is_ours(listening: socket.socket) -> None:
    with listening, socket.create_connection(listening.getsockname()) as client:
        assert peer_uid(client.getsockname(), listening.getsockname()) == os.getuid()
        client.shutdown(socket.SHUT_WR)
        assert peer_uid(client.getsockname(), listening.getsockname()) == os.getuid()


def test_an_ipv4_address_in_an_ipv6_socket_is_no_other(listening: socket.socket) -> None:
    with listening, socket.socket(socket.AF_INET6) as client:
        client.connect(("::ffff:127.0.0.1", listening.getsockname()[1]))
        accepted, address = listening.accept()
        with accepted:
            assert peer_uid(address, listening.getsockname()) == os.getuid()


def test_who_has_hung_up_already_is_nobody(listening: socket.socket) -> None:
    with listening:
        client = socket.create_connection(listening.getsockname())
        address = client.getsockname()
        client.close()
        assert peer_uid(address, listening.getsockname()) is None


def test_who_never_came_is_nobody(listening: socket.socket) -> None:
    with listening:
        assert peer_uid(("127.0.0.1", 1), listening.getsockname()) is None
        assert peer_uid(("not an address", 1), listening.getsockname()) is None


@pytest.mark.skipif(os.getuid() != 0, reason="only root can start a process of another user")
def test_a_process_of_another_user_is_told(listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}; read -r line"
    with listening, subprocess.Popen(["/bin/bash", "-c", script], user=65534, cwd="/", stdin=subprocess.PIPE) as other:
        accepted, address = listening.accept()
        with accepted:
            assert peer_uid(address, listening.getsockname()) == 65534
            assert other.stdin is not None
            other.stdin.close()
            other.wait(60)
            assert peer_uid(address, listening.getsockname()) is None
