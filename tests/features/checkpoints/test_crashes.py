"""kill -9 of the daemon at steps all through a create, a restore and a sweep: fully old or fully new, and nothing lost.

More places: CLAUDE_CODE_MCP_CHECKPOINT_KILLS=100.
"""

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.platform.procs.identity import identity_of, is_alive
from tests.features.checkpoints.looking import seen
from tests.support.daemon import BOUND_S, Json, Terminal
from tests.support.sweeping import Fates, Undaunted, mortal

pytestmark = pytest.mark.e2e

KILLS = int(os.environ.get("CLAUDE_CODE_MCP_CHECKPOINT_KILLS", "6"))
FILES = 40
STOPPING = 12


class Client(Undaunted):
    """A client that always names the project: it is no matter where the tests themselves stand."""

    def call(self, op: str, /, **args: Any) -> Json:
        named = op in {f"checkpoints.{verb}" for verb in ("create", "restore", "redo", "list", "timeline")}
        return super().call(op, **args, **({"project_path": str(self.cwd)} if named else {}))


@contextmanager
def deadly(terminal: Terminal, plan: Path) -> Generator[Client]:
    """Yield a client whose daemons die as `plan` says; it is empty for now."""
    fates = Fates([], plan)
    terminal.env |= fates.env
    with mortal(terminal, fates):
        client = Client(terminal, fates)
        try:
            yield client
        finally:
            client.stop()


def steps_of(client: Undaunted, plan: Path, work: Callable[[], object]) -> int:
    """Return how many steps a daemon takes from its start to the end of `work`, and leave none running."""
    Fates(["1000000"], plan)
    work()
    stop(client)
    (told,) = Path(f"{plan}.told").read_text().splitlines()[-1:]
    count, _, end = told.partition(" ")
    assert end == "lived"
    return int(count)


def stop(client: Undaunted) -> None:
    """Stop the daemon, and return when its process is gone."""
    daemon = identity_of(client.pid)
    assert daemon is not None
    client.stop()
    deadline = time.monotonic() + BOUND_S
    while is_alive(daemon) and time.monotonic() < deadline:
        os.sched_yield()


def lives(client: Undaunted, plan: Path, work: Callable[[], object]) -> list[int]:
    """Return at which steps daemons are to die so that all of `work` is covered."""
    stop(client)
    first = steps_of(client, plan, lambda: client.call("daemon.status"))
    last = steps_of(client, plan, work)
    assert last > first
    # Both counts have the steps of the stop in them, which come after the work.
    return [max(1, first - STOPPING + round((last - first) * number / KILLS)) for number in range(1, KILLS + 1)]


def died(client: Undaunted, op: str, /, **args: object) -> bool:
    """Call an operation; tell whether the daemon died under it. One that did not is killed now."""
    try:
        client.call(op, **args)
        with suppress(AssertionError, OSError):  # it may have died just after its answer
            client.kill_daemon()
        client.hang_up()
    except (ConnectionError, Refused) as exc:
        client.again(exc)
        return True
    return False


def fill(folder: Path, text: str) -> None:
    for number in range(FILES):
        (folder / "src" / f"f{number}.txt").write_text(f"{text} {number}\n" * (number + 1))


def test_a_create_that_is_killed_is_there_or_not_and_works_when_asked_again(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "fates"
    with deadly(terminal, plan) as client:
        fill(folder, "first")
        moments = lives(client, plan, lambda: client.call("checkpoints.create", message="first"))
        known = 1
        killed = 0
        for life in moments:
            fill(folder, f"life {life}")
            stop(client)
            fates = Fates([life], plan)
            killed += died(client, "checkpoints.create", message=str(life))
            fates.spare()
            there = client.call("checkpoints.list")["items"]
            assert len(there) in {known, known + 1}
            one = client.call("checkpoints.create", message=str(life))
            known = len(client.call("checkpoints.list")["items"])
            assert one["message"] == str(life)
            assert client.call("checkpoints.verify")["whole"]
            before = seen(folder)
            fill(folder, "something else")
            client.call("checkpoints.restore", checkpoint_id=one["id"], create_backup=False, force=True)
            assert seen(folder) == before
    assert killed >= 1


def test_a_restore_that_is_killed_is_fully_old_or_fully_new_and_can_be_taken_back(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "fates"
    with deadly(terminal, plan) as client:
        fill(folder, "new")
        (folder / "only-new").write_text("x")
        target = client.call("checkpoints.create", message="new")["id"]
        new = seen(folder)
        (folder / "only-new").unlink()
        fill(folder, "old")
        (folder / "only-old").write_text("y")
        source = client.call("checkpoints.create", message="old")["id"]
        old = seen(folder)
        moments = lives(client, plan, lambda: client.call("checkpoints.restore", checkpoint_id=target))
        outcomes = set()
        for life in moments:
            client.call("checkpoints.restore", checkpoint_id=source, create_backup=False, force=True)
            (folder / "unsaved").write_text("nobody has kept this yet")
            unsaved = {**old, "unsaved": seen(folder)["unsaved"]}
            stop(client)
            fates = Fates([life], plan)
            died(client, "checkpoints.restore", checkpoint_id=target)
            fates.spare()
            current = client.call("checkpoints.timeline")["current"]  # a new daemon has settled it
            now = seen(folder)
            assert now in (unsaved, new), (life, fates.told())
            outcomes.add(now == new)
            if now == new:
                assert current == target
                client.call("checkpoints.redo")
            else:
                assert current != target
            assert seen(folder) == unsaved
            assert client.call("checkpoints.verify")["whole"]
            (folder / "unsaved").unlink()
    assert outcomes == {True, False}


def test_a_sweep_that_is_killed_loses_nothing_and_ends_the_next_time(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    plan = tmp_path / "fates"

    def waste() -> None:
        (folder / "waste.bin").write_bytes(os.urandom(200_000))
        one = client.call("checkpoints.create", message="waste")["id"]
        (folder / "waste.bin").unlink()
        client.call("checkpoints.delete", checkpoint_ids=[one])

    with deadly(terminal, plan) as client:
        fill(folder, "kept")
        kept = client.call("checkpoints.create", message="kept", pin=True)["id"]
        before = seen(folder)
        waste()
        moments = lives(client, plan, lambda: client.call("checkpoints.gc", grace_s=0))
        killed = 0
        for life in moments:
            waste()
            stop(client)
            fates = Fates([life], plan)
            killed += died(client, "checkpoints.gc", grace_s=0)
            fates.spare()
            assert client.call("checkpoints.verify")["whole"]
            client.call("checkpoints.gc", grace_s=0)
            assert client.call("checkpoints.du")["unneeded_bytes"] < 150_000
            fill(folder, "changed")
            client.call("checkpoints.restore", checkpoint_id=kept, create_backup=False, force=True)
            assert seen(folder) == before
    assert killed >= 1
