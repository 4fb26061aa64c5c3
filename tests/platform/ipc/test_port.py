"""A directory's port is chosen once, by whoever comes first, and kept."""

import multiprocessing
import socket
from pathlib import Path

import pytest

from claude_code_mcp.platform.ipc.port import HOST, PORT, kept_port


def test_the_port_that_was_chosen_is_kept(tmp_path: Path) -> None:
    port = kept_port(tmp_path)
    assert 1024 <= port < 65536
    assert [kept_port(tmp_path) for _ in range(3)] == [port] * 3
    assert (tmp_path / PORT).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [PORT]
    with socket.socket() as sock:
        sock.bind((HOST, port))


def test_a_wished_port_is_taken_and_not_kept(tmp_path: Path) -> None:
    assert kept_port(tmp_path, 4711) == 4711
    assert not (tmp_path / PORT).exists()


@pytest.mark.parametrize("content", [b"", b"x", b"0", b"70000", b"-1", b"\xff"])
def test_a_file_without_a_port_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PORT).write_bytes(content)
    port = kept_port(tmp_path)
    assert int((tmp_path / PORT).read_text()) == port == kept_port(tmp_path)


def test_many_who_come_first_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(kept_port, [tmp_path] * 16, chunksize=1))) == 1
