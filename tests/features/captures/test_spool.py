"""What hooks leave in the spool is in the log once and in order, whoever writes at once and whoever dies when."""

import asyncio
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.app import migrations
from claude_code_mcp.features.captures.service import Recorder
from claude_code_mcp.features.captures.service.hook_intake import HookIntake
from claude_code_mcp.features.captures.service.spool import SpoolKeeper
from claude_code_mcp.kernel.clock import SystemClock
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.claude.hooks import script
from claude_code_mcp.platform.claude.hooks.block import Block
from claude_code_mcp.platform.claude.hooks.spool import QUIET_S, Slice, Spool
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.db.errors import StoreUnavailable

pytestmark = pytest.mark.anyio
SHELLS = [found for name in ("sh", "dash", "bash") if (found := shutil.which(name))]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with the script and an empty spool."""
    directory = tmp_path / "sta'te \"$dir"
    directory.mkdir(mode=0o700)
    script.keep_script(directory)
    return directory


@pytest.fixture
async def database(state: Path) -> AsyncIterator[Database]:
    made = await Database.open(state / "state.db", migrations())
    yield made
    await made.close()


def keeper(database: Database, state: Path) -> SpoolKeeper:
    return SpoolKeeper(Spool(state / "spool"), HookIntake(Recorder(database, SystemClock())))


def started(number: int, **more: Any) -> str:
    session = f"00000000-0000-7000-8000-{number:012d}"
    return json.dumps({"session_id": session, "hook_event_name": "SessionStart", "source": "startup", **more})


def hook(
    state: Path, when: str, body: str, shell: str = "sh", *, shared: bool = False, **env: str
) -> "subprocess.Popen[bytes]":
    """Run a hook as Claude Code does: the very command of our block; `shared`: that of a file that others share."""
    entry = Block(1, None if shared else state).entries()["SessionStart" if when == "always" else "SessionEnd"]
    (command,) = (handler["command"] for handler in entry["hooks"] if handler["type"] == "command")
    process = subprocess.Popen(
        [shell, "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "CLAUDE_PID": "4711", **env},
    )
    assert process.stdin is not None
    with suppress(BrokenPipeError):  # one that keeps nothing does not read either
        process.stdin.write(body.encode())
    with suppress(BrokenPipeError):
        process.stdin.close()
    return process


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, bytes]:
    assert process.stdout is not None
    with process:
        said = process.stdout.read()
    return process.returncode, said


def sessions(state: Path) -> list[int]:
    with closing(sqlite3.connect(state / "state.db")) as db:
        rows = db.execute("SELECT session_id FROM event WHERE kind = 'session.opened' ORDER BY seq").fetchall()
    return [int(session[-12:]) for (session,) in rows]


@pytest.mark.parametrize("shell", SHELLS)
async def test_what_many_hooks_leave_at_once_is_whole(state: Path, database: Database, shell: str) -> None:
    sizes = [0, 100, 3000, 3300, 3600, 9000, 70_000, 300_000]
    bodies = [started(number, model="m" * sizes[number % 8] or "m", note="ü\\n\"'$(x)`%s") for number in range(40)]
    running = [hook(state, "always", body, shell) for body in bodies]
    assert [ended(process) for process in running] == [(0, b"")] * 40
    assert await keeper(database, state).take_up() == 40
    assert sorted(sessions(state)) == list(range(40))
    with closing(sqlite3.connect(state / "state.db")) as db:
        assert db.execute("SELECT count(*) FROM event WHERE payload LIKE '%4711%'").fetchone() == (40,)
    assert [path.name for path in (state / "spool").iterdir() if path.name != "log"] == []


async def test_records_come_in_the_order_of_their_times(state: Path, database: Database) -> None:
    for number in range(12):
        body = started(number, model="m" * (9000 if number % 3 == 0 else 1))
        assert ended(hook(state, "always", body)) == (0, b"")
    await keeper(database, state).take_up()
    assert sessions(state) == list(range(12))


async def test_while_somebody_listens_only_what_is_never_posted_is_kept(state: Path) -> None:
    script.say_listening(state)
    assert script.is_heard(state)
    ended(hook(state, "away", started(1)))
    assert not (state / "spool" / "log").exists()
    ended(hook(state, "always", started(2)))
    assert "000000000002" in (state / "spool" / "log").read_text()
    script.say_deaf(state)
    assert not script.is_heard(state)
    ended(hook(state, "away", started(3)))
    assert "000000000003" in (state / "spool" / "log").read_text()


async def test_a_listener_that_was_killed_is_none(state: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        (state / "http.pid").write_text(f"{process.pid}\n")
        assert script.is_heard(state)
        process.kill()
    assert not script.is_heard(state)
    ended(hook(state, "away", started(1)))
    assert (state / "spool" / "log").exists()


async def test_the_hook_of_a_shared_file_finds_each_users_own_spool(state: Path, tmp_path: Path) -> None:
    assert ended(hook(state, "always", started(1), shared=True, CLAUDE_CODE_MCP_HOME=str(state))) == (0, b"")
    assert "000000000001" in (state / "spool" / "log").read_text()
    xdg = tmp_path / "xdg"
    script.keep_script(xdg / "claude-code-mcp")
    assert ended(hook(state, "always", started(2), shared=True, XDG_STATE_HOME=str(xdg))) == (0, b"")
    assert "000000000002" in (xdg / "claude-code-mcp" / "spool" / "log").read_text()
    assert ended(hook(state, "always", started(3), shared=True, HOME=str(tmp_path))) == (0, b"")


@pytest.mark.parametrize("broken", ["no spool", "no payload", "a spool that cannot be written"])
async def test_a_hook_that_can_do_nothing_says_nothing(state: Path, broken: str) -> None:
    if broken == "no spool":
        (state / "spool").rmdir()
    if broken == "a spool that cannot be written":
        (state / "spool").rmdir()
        (state / "spool").write_text("")
    body = "" if broken == "no payload" else started(1)
    assert ended(hook(state, "always", body)) == (0, b"")


async def test_a_full_spool_keeps_the_oldest_and_says_how_many_were_lost(state: Path, database: Database) -> None:
    ended(hook(state, "always", started(1)))
    ballast = state / "spool" / ".ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, (script.QUOTA_KIB + 1) * 1024)
    for number in (2, 3):
        assert ended(hook(state, "always", started(number))) == (0, b"")
    ballast.unlink()
    await keeper(database, state).take_up()
    await keeper(database, state).take_up()
    assert sessions(state) == [1]
    with closing(sqlite3.connect(state / "state.db")) as db:
        (said,) = db.execute("SELECT payload FROM event WHERE kind = 'notice.shown'").fetchall()
    assert json.loads(said[0])["text"] == "2 hooks were not kept: the spool was full."
    assert not (state / "spool" / "lost").exists()


def write_log(state: Path, numbers: range) -> None:
    with (state / "spool" / "log").open("a") as file:
        for number in numbers:
            file.write(f"\n{1_795_145_457 + number}.5 7 {started(number)}\n")


async def test_what_is_added_is_taken_up_and_nothing_twice(state: Path, database: Database) -> None:
    ours = keeper(database, state)
    write_log(state, range(3))
    assert await ours.take_up(aside=True) == 3
    write_log(state, range(3, 5))
    assert await ours.take_up() == 2
    assert await ours.take_up() == 0
    assert await keeper(database, state).take_up() == 0
    assert sessions(state) == [0, 1, 2, 3, 4]


async def test_a_log_that_is_put_aside_is_read_to_its_end_before_it_goes(
    state: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = keeper(database, state)
    write_log(state, range(2))
    with (state / "spool" / "log").open("a") as late:
        await ours.take_up(aside=True)
        late.write(f"\n1795145500.0 7 {started(2)}\n1795145501.0 7 {started(3)[:40]}")
    assert await ours.take_up() == 1
    assert (state / "spool" / "log.1").exists()
    monkeypatch.setattr("claude_code_mcp.platform.claude.hooks.spool.QUIET_S", -1.0)
    assert await ours.take_up() == 1  # the torn line, as garbage
    await ours.take_up()
    assert not (state / "spool" / "log.1").exists()
    assert sessions(state) == [0, 1, 2]
    assert QUIET_S > 5


class Died(BaseException):
    """Stands for a kill at this point."""


class Dying(Spool):
    """A spool whose reader dies when it has read or taken out so many slices."""

    def __init__(self, directory: Path, dies_at: int) -> None:
        super().__init__(directory)
        self._left = dies_at

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Died

    def slices(self) -> Iterator[Slice]:
        for slice_ in super().slices():
            self._step()
            yield slice_

    def done(self, slice_: Slice) -> None:
        self._step()
        super().done(slice_)
        self._step()


@pytest.mark.parametrize("dies_at", range(12))
async def test_a_reader_that_dies_at_any_step_loses_nothing_and_tells_nothing_twice(
    state: Path, database: Database, dies_at: int
) -> None:
    write_log(state, range(300))
    for number in range(300, 303):
        ended(hook(state, "always", started(number, model="m" * 9000)))
    intake = HookIntake(Recorder(database, SystemClock()))
    with suppress(Died):
        await SpoolKeeper(Dying(state / "spool", dies_at), intake).take_up()
    await keeper(database, state).take_up()
    assert sessions(state) == list(range(303))


REPO = Path(__file__).parents[3]
_READER = """
import asyncio, sys
from pathlib import Path
from tests.features.captures.test_spool import keeper, migrations, Database

async def main(state):
    database = await Database.open(state / "state.db", migrations())
    ours = keeper(database, state)
    print("reads", flush=True)
    await ours.take_up()
    await database.close()
    print("done", flush=True)

asyncio.run(main(Path(sys.argv[1])))
"""


async def test_readers_that_are_killed_lose_nothing_and_tell_nothing_twice(state: Path) -> None:
    write_log(state, range(4000))
    for after_s in (0.0, 0.02, 0.05, 0.1, 0.2, 60.0):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _READER, str(state), stdout=asyncio.subprocess.PIPE, cwd=REPO
        )
        assert process.stdout is not None
        assert await process.stdout.readline() == b"reads\n"
        try:
            async with asyncio.timeout(after_s):
                assert await process.stdout.readline() in (b"done\n", b"")
        except TimeoutError:
            process.send_signal(signal.SIGKILL)
        await process.wait()
    assert sessions(state) == list(range(4000))


async def test_while_the_disk_refuses_the_spool_keeps_everything(
    state: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_log(state, range(3))
    ours = keeper(database, state)

    async def refused(_: object) -> None:
        raise StoreUnavailable("full", remedy="")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write", refused)
        with pytest.raises(StoreUnavailable):
            await ours.take_up()
    assert sessions(state) == []
    assert await ours.take_up() == 3


async def test_what_is_posted_comes_after_what_was_left_before(state: Path, database: Database) -> None:
    recorder, spool = Recorder(database, SystemClock()), Spool(state / "spool")
    intake = HookIntake(recorder)
    intake.beside(spool)
    ended(hook(state, "always", started(1)))
    stop = {"session_id": f"00000000-0000-7000-8000-{1:012d}", "hook_event_name": "Stop", "prompt_id": uuid7()}
    intake.take(json.dumps(stop).encode(), SystemClock().now())
    await recorder.aclose()
    assert await SpoolKeeper(spool, intake).take_up() == 0
    with closing(sqlite3.connect(state / "state.db")) as db:
        assert db.execute("SELECT kind FROM event ORDER BY seq").fetchall() == [("session.opened",), ("turn.stopped",)]
