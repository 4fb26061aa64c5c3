"""`cli.md`: every command as its own `--help` tells of it, and the exit codes."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.main import root
from claude_code_mcp.surfaces.cli.own import PROGRAM
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import fenced, link, page, table

WIDTH = 110
_INTRO = """Each command with the text of its `--help`. Every one that answers takes `--json`; without a terminal
the output is plain. What begins with a dash and is meant as text goes after `--`; `-` as a prompt is read from
standard input. `claude-code-mcp completion bash|zsh|fish` prints the completion script of a shell."""

EXITS: Mapping[Exit, str] = {
    Exit.OK: "It is done.",
    Exit.INTERNAL: "A bug of ours; the message has a reference for the log.",
    Exit.USAGE: "The arguments do not fit; nothing was changed.",
    Exit.NOT_FOUND: "What is named does not exist. `daemon status` also says so where no daemon runs.",
    Exit.CONFLICT: "The thing exists, and its state does not allow the wish now.",
    Exit.DENIED: "Not allowed.",
    Exit.UNAVAILABLE: "Something that is needed cannot serve now: the daemon, Claude Code, the disk.",
    Exit.CLAUDE_ERROR: "Claude Code answered, and the answer is an error.",
    Exit.INTERRUPTED: "Ended by Ctrl-C.",
    Exit.PIPE_CLOSED: "Whoever read the output went away.",
}


def cli_page(declared: Declared) -> str:
    """Return the page."""
    group = root(lambda: declared.catalog, _run_no_daemon, {})
    rows = [(str(int(number)), meaning) for number, meaning in EXITS.items()]
    exits = ["## Exit codes", "", *table(("code", "meaning"), rows)]
    commands = list(_commands(group, click.Context(group, info_name=PROGRAM)))
    contents = [f"- {link(path)}" for path, _ in commands]
    parts = [[f"## {path}", "", *fenced(text, "text")] for path, text in commands]
    return page("Commands", _INTRO, exits, [*contents, ""], *parts)


def _run_no_daemon(_directory: Path, _ready_fd: int | None) -> int:
    raise RuntimeError("commands are described here, not run")


def _commands(group: click.Group, ctx: click.Context) -> Iterator[tuple[str, str]]:
    """Yield each command with its help, groups first, then what is in them."""
    yield ctx.command_path, _help(group, ctx)
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(command, parent=ctx, info_name=name)
        if isinstance(command, click.Group):
            yield from _commands(command, inner)
        else:
            yield inner.command_path, _help(command, inner)


def _help(command: click.Command, ctx: click.Context) -> str:
    ctx.terminal_width = ctx.max_content_width = WIDTH
    return "\n".join(line.rstrip() for line in command.get_help(ctx).splitlines())
