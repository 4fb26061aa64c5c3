"""A command of the catalog without the catalog: the daemon that runs tells what its words mean.

Importing all operations takes ten times as long as asking for one. This reads the plain cases only: where no daemon of
our version runs, where help is asked for, or where anything does not fit, the whole command line takes over before
anything was done, and says what there is to say. Standard library only.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing

from claude_code_mcp import __version__
from claude_code_mcp.platform.claude.environment import allowed
from claude_code_mcp.platform.ipc.address import state_dir
from claude_code_mcp.platform.settings.client_env import relay_names
from claude_code_mcp.surfaces.cli.client import Client, ConnectionLost, dialer
from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.cli.output import be_encodable, open_closed_streams, print_answer, print_text
from claude_code_mcp.surfaces.cli.own import OWN
from claude_code_mcp.surfaces.cli.readings import Reading, Text, Unreadable, join_of, of_wire
from claude_code_mcp.surfaces.cli.waiting import Waiting

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    from typing import Any

    from claude_code_mcp.kernel.operation import Catalog

MOST_WORDS = 3
"""So many words a command has at most."""


class Declined(Exception):
    """This is for the whole command line."""


class Asked:
    """What a command line asks for."""

    def __init__(self, op: str, args: "Mapping[str, Any]", *, reads: bool, as_json: bool) -> None:
        self.op = op
        self.args = args
        self.reads = reads
        self.as_json = as_json


def run(argv: Sequence[str], env: Mapping[str, str], load: "Callable[[], Catalog]") -> int | None:
    """Run the command line and return its exit code; None, with nothing done, where this is for the whole one.

    `load` gives the catalog of all operations, for what goes wrong.
    """
    words = _words(argv)
    if not words or words[0] in OWN or " ".join(words[:2]) in OWN:
        return None
    open_closed_streams()
    try:
        client = _connected(env)
    except Declined:
        return None
    with closing(client):
        try:
            asked = _asked(argv, client.command(words))
        except (Declined, ConnectionLost):
            return None
        return _ended(client, asked, env, load)


def _ended(client: Client, asked: Asked, env: Mapping[str, str], load: "Callable[[], Catalog]") -> int:
    try:
        return _run(client, asked)
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - told as every command tells it
        from claude_code_mcp.surfaces.cli.main import told  # noqa: PLC0415 - only what went wrong needs it

        return told(exc, as_json=asked.as_json, load=load, env=env)


def _words(argv: Sequence[str]) -> list[str]:
    """Return what may be the words of the command: those before the first flag."""
    words: list[str] = []
    for word in argv[:MOST_WORDS]:
        if word.startswith("-"):
            break
        words.append(word)
    return words


def _connected(env: Mapping[str, str]) -> Client:
    given = allowed(env, relay_names(env, darwin=sys.platform == "darwin"))
    directory = state_dir(env)
    starts = iter((False,))  # only a daemon that was restarted meanwhile may be started again by us

    def dial() -> "Any":
        return dialer(directory, given, own_env=env, start=next(starts, True))()

    try:
        client = Client(dial)
    except Failure as exc:
        raise Declined from exc
    if client.daemon.get("version") != __version__:
        client.close()
        raise Declined
    return client


def _asked(argv: Sequence[str], command: "Mapping[str, Any] | None") -> Asked:
    """Return what `argv` says in the terms of the command.

    Raises:
        Declined: it has anything in it that is not plain.
    """
    if command is None:
        raise Declined
    flags: Mapping[str, Any] = command["flags"]
    given: dict[str, Any] = {}
    loose: list[str] = []
    as_json = False
    rest = list(argv[command["words"] :])
    while rest:
        word = rest.pop(0)
        if word == "--json":
            as_json = True
        elif word.startswith("-") and word != "-":
            _flag(word, rest, flags, given)
        else:
            loose.append(word)
    _place(loose, command["arguments"], given)
    if any(name not in given for name in command["required"]):
        raise Declined
    return Asked(command["op"], given, reads=command["reads"], as_json=as_json)


def _flag(word: str, rest: list[str], flags: "Mapping[str, Any]", given: "dict[str, Any]") -> None:
    name, has_value, value = word.partition("=")
    if name not in flags or (has_value and not name.startswith("--")):
        raise Declined
    field, said = flags[name]
    if isinstance(said, bool):
        if has_value or field in given:
            raise Declined
        given[field] = said
        return
    if not has_value:
        if not rest or rest[0].startswith("-"):
            raise Declined
        value = rest.pop(0)
    reading = of_wire(said)
    join = join_of(reading)
    if join is not None:
        read = _read(reading, value)
        given[field] = join([given[field], read]) if field in given else join([read])
    elif field in given:
        raise Declined
    else:
        given[field] = _read(reading, value)


def _place(loose: Sequence[str], arguments: "Sequence[Any]", given: "dict[str, Any]") -> None:
    """Give the words without a flag to the arguments in their order; the last may take several."""
    waiting = list(loose)
    for field, said, several in arguments:
        if not waiting:
            return
        reading = of_wire(said)
        taken, waiting = (waiting, []) if several else (waiting[:1], waiting[1:])
        if field in given or (isinstance(reading, Text) and taken == ["-"]):  # standard input can be read only once
            raise Declined
        join = join_of(reading)
        values = [_read(reading, text) for text in taken]
        given[field] = join(values) if join is not None else values[0]
    if waiting:
        raise Declined


def _read(reading: Reading, text: str) -> "Any":
    try:
        return reading.read(text)
    except Unreadable as exc:
        raise Declined from exc


def _run(client: Client, asked: Asked) -> int:
    be_encodable(sys.stdout)
    be_encodable(sys.stderr)
    client.in_commands = True
    with Waiting(sys.stderr, quiet=asked.as_json) as waiting:
        try:
            answer = client.call(asked.op, asked.args, retry=asked.reads, on_progress=waiting.show)
        except KeyboardInterrupt:
            if not asked.reads:
                waiting.wipe()
                print_text("Interrupted; what was begun goes on.", sys.stderr)
            raise
    return print_answer(answer, as_json=asked.as_json)
