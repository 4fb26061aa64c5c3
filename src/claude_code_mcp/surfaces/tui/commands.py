"""`watch` and `tree`: what the command line says, and which of the ways to show activity it asks for."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import msgspec

from claude_code_mcp.kernel.display import visible
from claude_code_mcp.platform.claude.environment import allowed
from claude_code_mcp.platform.settings.client_env import relay_names
from claude_code_mcp.surfaces.cli.client import Client, dialer
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.node_lines import Line, Look, Now, Piece, fit, signs_for
from claude_code_mcp.surfaces.cli.nodes import SettingsReply, TreeReply
from claude_code_mcp.surfaces.cli.output import print_json
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.setup import current
from claude_code_mcp.surfaces.cli.streaming import Manners, Streaming
from claude_code_mcp.surfaces.cli.tree import LoadCatalog
from claude_code_mcp.surfaces.tui.rows import View, flatten

TREE_OP, SETTINGS_OP = "activity.tree", "activity.configure"
_WATCH = """Watch every session of Claude Code on this machine, live, whoever started it.

On a terminal: the sessions on the left, the tree of the chosen one on the right, `?` for the keys. Piped, or with
--plain: a line for each thing that happens. With --json: the update records (append, update, replace by line_id)."""
_TREE = """Print what a session did, as a tree.

Without SESSION (an id or its beginning), the newest live one of the project that you are in."""


def watch_command(_load: LoadCatalog) -> click.Command:
    """Return `watch`."""

    def run(**given: Any) -> int:
        project = str(Path(given["project"]).expanduser().absolute()) if given["project"] else None
        plain = given["plain"] or given["as_json"] or given["once"] or os.environ.get("TERM", "dumb") == "dumb"
        if plain or not (sys.stdout.isatty() and sys.stdin.isatty()):
            client, fresh = _reached()
            manners = Manners(
                session=given["session"],
                project=project,
                past=given["past"],
                once=given["once"],
                as_json=given["as_json"],
                emoji=not given["no_emoji"],
                fresh=fresh,
            )
            with closing(client):
                return Streaming(client, manners).run()
        return _application(given["session"], project, past=given["past"], look=_look(emoji=not given["no_emoji"]))

    return click.Command(
        "watch",
        callback=run,
        params=[
            click.Option(["--session", "-s"], metavar="ID", help="This session (an id or its beginning)."),
            click.Option(["--project", "-C"], metavar="DIR", help="Only sessions of this directory."),
            click.Option(["--past"], is_flag=True, help="Past sessions too; in a pipe those of the last day."),
            click.Option(["--plain"], is_flag=True, help="One line for each thing, also on a terminal."),
            click.Option(["--once"], is_flag=True, help="Print what there is now, and end."),
            click.Option(["--no-emoji"], is_flag=True, help="Without emoji."),
            click.Option(["--json", "as_json"], is_flag=True, help="One JSON record a line."),
        ],
        help=_WATCH,
        epilog=epilog_of(
            ("watch", "watch --past", "watch --plain >> activity.log", "watch --json --session 0197 | jq .")
        ),
    )


def _reached() -> tuple[Client, bool]:
    """Return a connection, and whether the daemon was started for it."""
    try:
        return current().connect(start=False), False
    except Failure as failure:
        if failure.code != "no_daemon":
            raise
    return current().connect(), True


def _application(session: str | None, project: str | None, *, past: bool, look: Look) -> int:
    from claude_code_mcp.surfaces.tui.app import WatchApp  # noqa: PLC0415 - other commands do not pay for Textual
    from claude_code_mcp.surfaces.tui.frame import Wishes  # noqa: PLC0415 - as above
    from claude_code_mcp.surfaces.tui.link import DaemonLink  # noqa: PLC0415 - as above

    setup = current()
    names = relay_names(setup.env, darwin=sys.platform == "darwin")
    dial = dialer(setup.directory, allowed(setup.env, names), own_env=setup.env)
    Client(dial).close()  # what cannot be reached at all is said before the screen is taken
    link = DaemonLink(dial)
    app = WatchApp(link, Wishes(look, session, project, past))
    link.told = app.say
    code = app.run()
    return Exit.INTERNAL if app.return_code else code or Exit.OK


def _look(*, emoji: bool) -> Look:
    return Look(signs_for(os.environ, sys.stdout.encoding or "", emoji=emoji))


def tree_command(_load: LoadCatalog) -> click.Command:
    """Return `tree`."""

    def run(session: str | None, depth: int | None, no_completed: bool, no_emoji: bool, as_json: bool) -> int:
        args: dict[str, Any] = {"include_completed": not no_completed}
        args |= {name: value for name, value in (("session_id", session), ("max_depth", depth)) if value is not None}
        with closing(current().connect()) as client:
            reply = client.call(TREE_OP, args, retry=True).reply
            if as_json:
                print_json(reply)
                return Exit.OK
            tree = msgspec.convert(reply, TreeReply)
            said = client.call(SETTINGS_OP, {"session_id": tree.session.id}, retry=True).reply
        settings = msgspec.convert(said, SettingsReply).settings
        look = replace(_look(emoji=not no_emoji), timings=settings.show_timings)
        _print(tree_lines(tree, look, errors=settings.highlight_errors))
        return Exit.OK

    return click.Command(
        "tree",
        callback=run,
        params=[
            click.Argument(["session"], required=False),
            click.Option(["--depth"], type=click.IntRange(1, 100), help="So many levels only."),
            click.Option(["--no-completed"], is_flag=True, help="Only what runs or waits, and what it is part of."),
            click.Option(["--no-emoji"], is_flag=True, help="Without emoji."),
            json_flag(),
        ],
        help=_TREE,
        epilog=epilog_of(("tree", "tree 0197 --depth 2", "tree --no-completed --json")),
    )


def tree_lines(reply: TreeReply, look: Look, *, errors: bool = True) -> list[Line]:
    """Return a session's tree: a head line, and a line for each node under its guides."""
    session = reply.session
    about = fit(session.root_task, 200)
    head = Line(
        (
            Piece(f"{fit(session.project, 80)}", "bold"),
            Piece(f"  {about}" if about else ""),
            Piece(f"  {session.id}", "dim"),
        )
    )
    inner, last, below, none = look.set.guides
    lines = [head]
    for row in flatten(reply.root, View(errors=errors, whole_errors=True)):
        rails = "".join(below if more else none for more in row.rails)
        if row.error is not None:
            lines.append(Line((Piece(rails, "dim"), Piece(f"  {fit(row.error, 400)}", "red"))))
            continue
        line = look.line(row.node, Now(), session.project_path)
        lines.append(Line((Piece(rails + (last if row.last else inner), "dim"), *line.head), line.tail))
    return lines


def _print(lines: list[Line]) -> None:
    """Write the lines: in colours on a terminal that wants them."""
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        from rich.console import Console  # noqa: PLC0415 - a pipe does not pay for it
        from rich.text import Text  # noqa: PLC0415 - as above

        console = Console(highlight=False)
        for line in lines:
            pieces = ((piece.text, piece.style) for piece in (*line.head, *line.tail))
            console.print(Text.assemble(*pieces), soft_wrap=True)
        return
    for line in lines:
        sys.stdout.write(f"{visible(line.text())}\n")


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {"watch": watch_command, "tree": tree_command}
