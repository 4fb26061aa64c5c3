"""`run`, `resume`, `attach`: a session started or gone on with, and watched live."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from claude_code_mcp.surfaces.cli.client import Client
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.follow import Follow, Manners
from claude_code_mcp.surfaces.cli.keys import Keyboard
from claude_code_mcp.surfaces.cli.output import print_json, print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.picture import Recorder
from claude_code_mcp.surfaces.cli.screens import LiveScreen, PlainScreen, QuietScreen, Screen
from claude_code_mcp.surfaces.cli.setup import current
from claude_code_mcp.surfaces.cli.summary import answer_lines, as_json, closing_lines, exit_code
from claude_code_mcp.surfaces.cli.tree import LoadCatalog

START_OP, RESUME_OP, STATUS_OP = "sessions.start", "sessions.resume", "sessions.status"

_RUN_HELP = """Start Claude Code on a project and watch it live.

It asks on screen before a tool runs that needs a permission; --yes allows them all. Ctrl-C asks whether to detach,
to interrupt the turn or to stop the session. Piped, each event is one line. PROMPT `-` is read from standard input.
"""
_RESUME_HELP = """Go on with a session, yours or any of Claude Code's on this machine, and watch it live."""
_ATTACH_HELP = """Watch a session that runs, and answer what it asks.

Shows what happened so far first. Several terminals can watch one session."""


class Watch:
    """What the flags of the live commands say; `message_sent`: there is a message whose answer is to be seen."""

    def __init__(self, flags: Mapping[str, Any], *, message_sent: bool) -> None:
        self.message_sent = message_sent
        self.yes = bool(flags.get("yes"))
        self.detach = bool(flags.get("detach"))
        self.as_json = bool(flags.get("as_json"))
        self.svg: str | None = flags.get("svg")
        dumb = os.environ.get("TERM", "dumb") == "dumb"
        self.lively = not (self.as_json or flags.get("plain") or dumb) and sys.stdout.isatty()

    def screen(self) -> Screen:
        """Return where the session is shown."""
        if self.as_json:
            return QuietScreen(sys.stderr)
        if self.lively:
            return LiveScreen(Console(highlight=False))
        return PlainScreen(sys.stdout)

    def keyboard(self) -> Keyboard | None:
        """Return where keys come from: only a person at a live screen has any."""
        return Keyboard(sys.stdin.fileno()) if self.lively and sys.stdin.isatty() else None


WATCH_NAMES = ("yes", "detach", "plain", "svg", "as_json")


def watch_flags(*, detach: bool = True) -> list[click.Parameter]:
    """Return the flags that the live commands share."""
    flags: list[click.Parameter] = [
        click.Option(["--yes", "-y"], is_flag=True, help="Allow everything that is asked, first answers included."),
        click.Option(["--plain"], is_flag=True, help="One line for each event, also on a terminal."),
        click.Option(["--svg"], metavar="FILE", hidden=True, help="Write a picture of it to FILE."),
        json_flag(),
    ]
    if detach:
        flags.insert(1, click.Option(["--detach", "-d"], is_flag=True, help="Start it, print its id, and leave."))
    return flags


def watched(client: Client, handle: Mapping[str, Any], watch: Watch, command: str, *, last: bool = False) -> int:
    """Follow the session of `handle` to its rest, print the end, and return the exit code.

    `command` is what a picture of it is headed with. A session that is the `last` of its daemon has no next step.
    """
    session_id = str(handle.get("session_id"))
    screen = watch.screen()
    recorder = Recorder(screen)
    recorder.say([f"note: {note}" for note in handle.get("notes") or []])
    manners = Manners(watch.yes, watch.keyboard(), watch.message_sent)
    follow = Follow(client, recorder, session_id, int(handle.get("cursor") or 0), manners)
    ending = follow.run()
    if watch.as_json:
        print_json(as_json(session_id, handle.get("run_id"), ending))
    else:
        if not watch.lively:  # a picture has the answer as an event, like a terminal
            screen.say(answer_lines(ending))
        recorder.say(closing_lines(session_id, ending, follow.scene, last=last))
    if watch.svg:
        Path(watch.svg).write_text(recorder.svg(command), encoding="utf-8")
    return exit_code(ending)


def _start(
    load: LoadCatalog, name: str, positional: tuple[str, ...], doc: str, examples: tuple[str, ...]
) -> click.Command:
    """Return a live command whose arguments are those of the operation `name`, so that all of it can be wished."""
    from claude_code_mcp.surfaces.cli import generate  # noqa: PLC0415 - `attach` does without the catalog

    op = load()[name]
    bound = generate.bindings(op, positional=positional, leave_out=("background", "wait_s"))

    def run(**given: Any) -> int:
        args = generate.arguments(bound, given)
        watch = Watch(given, message_sent="prompt" in args)
        with closing(current().connect()) as client:
            answer = client.call(op.name, args, raises=op.raises)
            if watch.detach:
                print_json(answer.reply) if watch.as_json else print_text(answer.text)
                return Exit.OK
            return watched(client, answer.reply, watch, f"claude-code-mcp {examples[0]}")

    return generate.Described(
        name,
        bound=bound,
        callback=run,
        params=[*(one.param for one in bound), *watch_flags()],
        help=doc,
        epilog=epilog_of(examples),
        no_args_is_help=True,
    )


def run_command(load: LoadCatalog) -> click.Command:
    """Return `run`."""
    examples = (
        'run "fix the failing test" -C ~/code/app',
        'run --permission-mode acceptEdits --model opus "add a changelog"',
        "run - --yes --json < task.md",
    )
    return _start(load, START_OP, ("prompt",), _RUN_HELP, examples)


def resume_command(load: LoadCatalog) -> click.Command:
    """Return `resume`."""
    examples = ('resume 0f8fad5b-d9cb-469f-a165-70867728950e "now the tests"',)
    return _start(load, RESUME_OP, ("session_id", "prompt"), _RESUME_HELP, examples)


def attach_command(_load: LoadCatalog) -> click.Command:
    """Return `attach`."""

    def run(session_id: str, new: bool, **given: Any) -> int:
        with closing(current().connect()) as client:
            status = client.call(STATUS_OP, {"session_id": session_id}, retry=True).reply
            cursor = int(status.get("cursor") or 0) if new else 0
            handle = {"session_id": status.get("session_id", session_id), "cursor": cursor}
            return watched(client, handle, Watch(given, message_sent=False), f"claude-code-mcp attach {session_id}")

    return click.Command(
        "attach",
        callback=run,
        params=[
            click.Argument(["session_id"]),
            click.Option(["--new"], is_flag=True, help="Only what happens from now on."),
            *watch_flags(detach=False),
        ],
        help=_ATTACH_HELP,
        epilog=epilog_of(("attach 0f8fad5b-d9cb-469f-a165-70867728950e",)),
        no_args_is_help=True,
    )


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {
    "run": run_command,
    "resume": resume_command,
    "attach": attach_command,
}
