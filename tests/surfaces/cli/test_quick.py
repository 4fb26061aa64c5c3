"""A plain command is asked of the daemon without a catalog, and means what it means with one."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Catalog, Effect, Operation, Progress, Reply, Request, Surface, operation
from claude_code_mcp.surfaces.cli import quick
from claude_code_mcp.surfaces.cli.declared import Declared
from claude_code_mcp.surfaces.cli.generate import Described, arguments, command_of
from claude_code_mcp.surfaces.cli.readings import Choice, Items, Json, Pair, Reading, Switch, of_wire
from claude_code_mcp.surfaces.cli.shapes import flags_of, opposite_of, reading_of
from claude_code_mcp.surfaces.rpc.server import Connection
from tests.surfaces.cli.conftest import Ran
from tests.surfaces.cli.fixture_catalog import fixture_catalog
from tests.surfaces.cli.rpc_server import RpcServer, Send, answering, serving

Quick = Callable[..., Ran | None]
CATALOG = build_catalog()
DECLARED = Declared(CATALOG.on(Surface.CLI))
WORDS = {
    "Text": "some text",
    "Whole": "3",
    "Number": "1.5",
    "Seconds": "1m30s",
    "Moment": "2026-11-20T04:20Z",
    "Location": "here/there",
    "Json": '{"a": [1]}',
}


@pytest.fixture
def server(state: Path) -> Iterator[RpcServer]:
    catalog = fixture_catalog()
    answer = answering(catalog)

    async def handle(op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        said = await answer(op, args, send)
        return {"error": {**said["error"], "exit_code": 3}} if "error" in said else said

    with serving(state, handle) as running:
        running.command_line = Declared(catalog.on(Surface.CLI))
        yield running


@pytest.fixture
def ask(state: Path, capsys: pytest.CaptureFixture[str]) -> Quick:
    def call(*argv: str) -> Ran | None:
        code = quick.run(argv, {"HOME": str(state), "CLAUDE_CODE_MCP_HOME": str(state)}, fixture_catalog)
        out, err = capsys.readouterr()
        return Ran(code, out, err) if code is not None else None

    return call


def sample(reading: Reading) -> str:
    """Return words that the reading takes."""
    if isinstance(reading, Choice):
        return str(reading.parts[-1])
    if isinstance(reading, Switch):
        return "yes"
    if isinstance(reading, Pair):
        return f"key={sample(reading.parts[0])}"
    if isinstance(reading, Items):
        one = sample(reading.parts[0])
        return one if isinstance(reading.parts[0], Json) else f"{one},{one}"
    return WORDS[type(reading).__name__]


def lines(op: Operation) -> Iterator[list[str]]:
    """Yield command lines of the operation: without flags, and with each flag in each of its spellings."""
    fields = op.request.model_fields
    positional = [name for name in op.hints.positional if name in fields]
    first = [sample(reading_of(name, fields[name].annotation)) for name in positional]
    needed = [name for name, field in fields.items() if field.is_required() and name not in positional]
    start = [
        part for name in needed for part in (flags_of(name)[-1], sample(reading_of(name, fields[name].annotation)))
    ]
    yield [*start, *first]
    yield [*first, *start, "--json"]
    for name, field in fields.items():
        if name in positional or name in needed or name == "stream":
            continue
        reading = reading_of(name, field.annotation)
        if isinstance(reading, Switch):
            yield [*start, flags_of(name)[-1], *first]
            yield [*start, *first, opposite_of(name)]
            continue
        for flag in flags_of(name):
            yield [*start, flag, sample(reading), *first]
        yield [*start, *first, f"{flags_of(name)[-1]}={sample(reading)}"]
        if isinstance(reading, (Items, Pair)):
            yield [*start, *[flags_of(name)[-1], sample(reading)] * 2, *first]


def by_click(op: Operation, words: list[str]) -> tuple[dict[str, Any], bool]:
    """Return the arguments and whether JSON is asked for, as the whole command line reads them."""
    command = command_of(op, lambda: pytest.fail("nothing is run"), str)
    assert isinstance(command, Described)
    with command.make_context("it", list(words)) as ctx:
        given = dict(ctx.params)
        return arguments(command._bound, given), given["as_json"]


TOLD = [(words, op) for words, op in DECLARED._by_words.items() if DECLARED.command(words) is not None]


@pytest.mark.parametrize(("words", "op"), TOLD, ids=[" ".join(words) for words, _ in TOLD])
def test_a_command_line_means_the_same_with_and_without_the_catalog(words: tuple[str, ...], op: Operation) -> None:
    told = json.loads(json.dumps(DECLARED.command([*words, "more"][:3])))
    for rest in lines(op):
        asked = quick._asked([*words, *rest], told)
        assert asked.op == op.name
        assert (dict(asked.args), asked.as_json) == by_click(op, rest), rest


def test_most_of_the_program_is_told() -> None:
    assert len(TOLD) > 70


def test_a_command_is_asked_of_the_daemon(ask: Quick, server: RpcServer) -> None:
    ran = ask("things", "show", "a", "--json")
    assert ran is not None
    assert (ran.code, json.loads(ran.out)["thing_id"]) == (0, "a")
    assert server.seen == [("things.show", {"thing_id": "a"})]


def test_an_error_is_told_as_ever(ask: Quick, server: RpcServer) -> None:
    ran = ask("things", "show", "none")
    assert ran is not None
    assert (ran.code, ran.out) == (3, "")
    assert "(thing_not_found)" in ran.err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--help"],
        ["--state-dir", "x", "things", "show", "a"],
        ["run", "say hello"],
        ["nonsense"],
        ["things"],
        ["things", "--help"],
        ["things", "nonsense", "a"],
        ["things", "show", "--help"],
        ["things", "show"],
        ["things", "show", "a", "b"],
        ["things", "show", "a", "--thing-id", "b"],
        ["things", "show", "--", "a"],
        ["things", "show", "--nonsense", "a"],
        ["things", "try-all", "a", "-"],
        ["things", "try-all", "a", "--prompt"],
        ["things", "try-all", "a", "--prompt", "--flag"],
        ["things", "try-all", "a", "--flag=yes"],
        ["things", "try-all", "a", "--flag", "--no-flag"],
        ["things", "try-all", "a", "--count", "many"],
        ["things", "try-all", "a", "--count", "1", "--count", "2"],
        ["things", "try-all", "a", "--colour", "green"],
        ["things", "try-all", "a", "--inner", "@nowhere"],
        ["things", "try-all", "a", "-Chere"],
        ["things", "try-all", "a", "-C=here"],
        ["hidden", "verb"],
    ],
)
def test_what_is_not_plain_is_for_the_whole_command_line(ask: Quick, server: RpcServer, argv: list[str]) -> None:
    assert ask(*argv) is None
    assert server.seen == []


def test_commands_written_by_hand_do_not_ask(ask: Quick, server: RpcServer) -> None:
    assert ask("jobs", "run", "ls") is None
    assert ask("daemon", "status") is None
    assert (server.peers, server.words) == ([], [])


def test_without_a_daemon_none_is_started(ask: Quick, state: Path) -> None:
    assert ask("things", "show", "a") is None
    assert list(state.iterdir()) == []


def test_a_daemon_that_tells_nothing_is_left_to_the_whole_command_line(ask: Quick, server: RpcServer) -> None:
    server.command_line = None
    assert ask("things", "show", "a") is None


def test_a_daemon_of_another_version_is_left_alone(
    ask: Quick, server: RpcServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "__version__", "0.0.0-other")
    assert ask("things", "show", "a") is None
    assert server.words == []


def test_a_quick_command_imports_neither_click_nor_pydantic(state: Path, server: RpcServer) -> None:
    code = (
        "import os, sys\n"
        "from claude_code_mcp.surfaces.cli.quick import run\n"
        "code = run(['things', 'show', 'a', '--json'], os.environ, None)\n"
        "print(code, sorted({'click', 'pydantic', 'dataclasses', 'inspect'} & set(sys.modules)), file=sys.stderr)"
    )
    env = {"CLAUDE_CODE_MCP_HOME": str(state), "HOME": str(state)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert (done.stderr.strip(), json.loads(done.stdout)["thing_id"]) == ("0 []", "a")


async def talked(catalog: Catalog, *requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the daemon's side of the protocol answers, by the ids of the requests."""
    told = Declared(catalog.on(Surface.CLI))

    def caller(progress: Progress) -> Caller:
        return Caller(cwd="/", surface=Surface.CLI, progress=progress)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):
            await Connection(catalog, lambda _: object(), caller, (reader, writer), lambda: told).serve()
        served.set()

    served = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
        with closing(writer):
            writer.write(b"".join(json.dumps(request).encode() + b"\n" for request in requests))
            async with asyncio.timeout(5):
                answers = [json.loads(await reader.readline()) for _ in requests]
        async with asyncio.timeout(5):
            await served.wait()
    return sorted(answers, key=lambda answer: int(answer["id"]))


class Wish(Request):
    pass


class Told(Reply):
    def text(self) -> str:
        return "thing_poke is data\nnext: things_poke()"


@operation("things.hint", effect=Effect.READ)
async def hint(ctx: object, wish: Wish) -> Told:
    """Say what to do next."""
    return Told()


def test_the_daemon_tells_commands_and_calls_tools_by_them() -> None:
    told, unknown, plain, worded = asyncio.run(
        talked(
            Catalog.of(fixture_catalog().values(), [hint]),
            {"id": 1, "words": ["things", "show", "a"]},
            {"id": 2, "words": [["no"], 3]},
            {"id": 3, "op": "things.hint"},
            {"id": 4, "op": "things.hint", "text": "commands"},
        )
    )
    assert (told["command"]["op"], told["command"]["words"]) == ("things.show", 2)
    assert isinstance(of_wire(told["command"]["arguments"][0][1]), Reading)
    assert unknown == {"id": 2, "command": None}
    assert plain["text"] == "thing_poke is data\nnext: things_poke()"
    assert worded["text"] == "thing_poke is data\nnext: `claude-code-mcp poke`"
