"""Several clients and projects at once, and a disk that is full."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.features.checkpoints.looking import seen
from tests.support.daemon import CallFailed, Json, Terminal


@pytest.fixture
def clients(terminal: Terminal) -> Iterator[list[Terminal]]:
    """Four connections to one daemon."""
    terminal.call("daemon.status")
    found = [Terminal(terminal.state_dir, terminal.env, terminal.cwd) for _ in range(4)]
    yield found
    for one in found:
        one.hang_up()


def _tried(client: Terminal, op: str, **args: object) -> Json | CallFailed:
    try:
        return client.call(op, **args)
    except CallFailed as refused:
        return refused


def test_projects_are_taken_at_once_and_share_what_they_have_in_common(clients: list[Terminal], tmp_path: Path) -> None:
    shared = os.urandom(300_000)
    roots = []
    for number in range(4):
        root = tmp_path / f"p{number}"
        root.mkdir()
        (root / "shared.bin").write_bytes(shared)
        (root / "own.txt").write_text(str(number))
        roots.append(root)
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda both: both[0].call("checkpoints.create", project_path=str(both[1])),
                zip(clients, roots, strict=True),
            )
        )
    assert len({one["id"] for one in made}) == 4
    usage = clients[0].call("checkpoints.du")
    assert usage["stored_bytes"] < 4 * 300_000 + 50_000
    assert clients[0].call("checkpoints.verify")["whole"]
    for one, root in zip(made, roots, strict=True):
        before = seen(root)
        (root / "own.txt").write_text("changed")
        clients[0].call("checkpoints.restore", project_path=str(root), checkpoint_id=one["id"])
        assert seen(root) == before


def test_creates_of_one_project_go_one_after_the_other_on_one_line(clients: list[Terminal], folder: Path) -> None:
    def made(number: int) -> str:
        (folder / f"f{number}").write_text(str(number))
        return str(clients[number].call("checkpoints.create", message=str(number), always=True)["id"])

    with ThreadPoolExecutor(4) as pool:
        ids = list(pool.map(made, range(4)))
    items = clients[0].call("checkpoints.timeline")["items"]
    assert sorted(item["checkpoint"]["id"] for item in items) == sorted(ids)
    assert [item["checkpoint"]["parent_id"] for item in items] == [
        None,
        *(item["checkpoint"]["id"] for item in items[:-1]),
    ]


def test_of_two_restores_at_once_one_is_told_and_the_tree_is_never_a_mix(clients: list[Terminal], folder: Path) -> None:
    states = []
    ids = []
    for text in ("one", "two"):
        for number in range(300):
            (folder / "src" / f"f{number}").write_text(f"{text} {number}")
        ids.append(clients[0].call("checkpoints.create", message=text)["id"])
        states.append(seen(folder))
    losers = 0
    for _ in range(4):
        with ThreadPoolExecutor(2) as pool:
            answers = list(
                pool.map(
                    lambda both: _tried(both[0], "checkpoints.restore", checkpoint_id=both[1]),
                    zip(clients[:2], ids, strict=True),
                )
            )
        assert seen(folder) in states
        lost = [one for one in answers if isinstance(one, CallFailed)]
        assert all(one.code == "tree_busy" for one in lost)
        assert len(lost) < 2
        losers += len(lost)
    assert losers > 0


def test_creates_restores_and_sweeps_at_once_lose_nothing(clients: list[Terminal], folder: Path) -> None:
    def create(client: Terminal) -> None:
        for number in range(6):
            (folder / "README.md").write_text(os.urandom(2000).hex())
            _tried(client, "checkpoints.create", message=str(number))

    def sweep(client: Terminal) -> None:
        for _ in range(6):
            for item in client.call("checkpoints.list", limit=3)["items"][1:]:
                _tried(client, "checkpoints.delete", checkpoint_ids=[item["id"]])
            _tried(client, "checkpoints.gc", grace_s=0)

    def restore(client: Terminal) -> None:
        for item in client.call("checkpoints.list")["items"]:
            _tried(client, "checkpoints.restore", checkpoint_id=item["id"])

    clients[0].call("checkpoints.create", message="first")
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(create, clients[0]), pool.submit(sweep, clients[1]), pool.submit(restore, clients[2])]:
            done.result()
    assert clients[3].call("checkpoints.verify")["whole"]
    for item in clients[3].call("checkpoints.list")["items"]:
        clients[3].call("checkpoints.restore", checkpoint_id=item["id"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight MiB for the object store."""
    path = tmp_path / "disk"
    path.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(path)], check=False).returncode:
        pytest.skip("this system does not let us mount a tmpfs")
    path.chmod(0o700)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_is_told_and_the_next_checkpoint_works_when_there_is_room(
    small_disk: Path, folder: Path, env: dict[str, str]
) -> None:
    state = small_disk / "s"
    state.mkdir(mode=0o700)
    terminal = Terminal(
        state, env | {"CLAUDE_CODE_MCP_DISK_LOW_BYTES": "0", "CLAUDE_CODE_MCP_DISK_CRITICAL_BYTES": "0"}, folder
    )
    try:
        one = terminal.call("checkpoints.create", message="fits")
        before = seen(folder)
        (folder / "big.bin").write_bytes(os.urandom(9_000_000))
        with pytest.raises(CallFailed) as refused:
            terminal.call("checkpoints.create", message="does not fit")
        assert refused.value.code in {"blobs_unavailable", "store_unavailable"}
        assert [item["id"] for item in terminal.call("checkpoints.list")["items"]] == [one["id"]]
        with pytest.raises(CallFailed):
            terminal.call("checkpoints.restore", checkpoint_id=one["id"])  # its safety checkpoint does not fit either
        assert (folder / "big.bin").exists()
        (folder / "big.bin").write_bytes(os.urandom(100_000))
        two = terminal.call("checkpoints.create", message="fits again")
        assert two["parent_id"] == one["id"]
        terminal.call("checkpoints.restore", checkpoint_id=one["id"])
        assert seen(folder) == before
        assert terminal.call("checkpoints.verify")["whole"]
    finally:
        terminal.stop()
