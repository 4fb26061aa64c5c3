"""`claude-code-mcp …`: the one function that runs a command line and returns its exit code."""

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from click.shell_completion import shell_complete

from claude_code_mcp import __version__
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.platform.ipc.address import state_dir
from claude_code_mcp.surfaces.cli.exits import EXITS_TEXT, Exit, Failure, from_kernel
from claude_code_mcp.surfaces.cli.output import be_encodable, open_closed_streams, print_failure, print_text
from claude_code_mcp.surfaces.cli.own import OWN, PROGRAM
from claude_code_mcp.surfaces.cli.setup import COMPLETE_VAR, RunDaemon, Setup, current
from claude_code_mcp.surfaces.cli.tree import LoadCatalog, Root


def root(load: LoadCatalog, daemon: RunDaemon, env: Mapping[str, str]) -> Root:
    """Return the program's root command."""
    group = Root(OWN, load, lambda: current().connect())
    group.params = [
        click.Option(["--state-dir"], metavar="DIR", help="Use the daemon and the data of this directory."),
        click.Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_print_version,
            help="Print it.",
        ),
    ]
    group.help = (
        "Run, steer and watch Claude Code, from the terminal or from any MCP client.\n\n"
        "Every command has --help with examples and --json for programs."
    )
    group.epilog = EXITS_TEXT

    @click.pass_context
    def remember(ctx: click.Context, state_dir: str | None) -> None:
        ctx.obj = Setup(_directory(state_dir, env), env, daemon)

    group.callback = remember
    return group


def _directory(named: str | None, env: Mapping[str, str]) -> Path:
    return Path(named).expanduser().absolute() if named else state_dir(env)


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"{PROGRAM} {__version__}")
        ctx.exit()


def run(argv: Sequence[str], *, load: LoadCatalog, daemon: RunDaemon, env: Mapping[str, str] | None = None) -> int:
    """Run the command line `argv` (without the program's name) and return the exit code; nothing is raised.

    `load` gives the catalog of all operations, `daemon` runs the daemon of a directory in this process: both know
    more than a surface may.
    """
    env = os.environ if env is None else env
    open_closed_streams()
    be_encodable(sys.stdout)
    be_encodable(sys.stderr)
    as_json = "--json" in _before_dashes(argv)
    try:
        group = root(load, daemon, env)
        if COMPLETE_VAR in env:
            return shell_complete(group, {}, PROGRAM, COMPLETE_VAR, env[COMPLETE_VAR])
        return _run(group, argv)
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - nothing is raised: it is told to the person
        return told(exc, as_json=as_json, load=load, env=env)


def told(exc: BaseException, *, as_json: bool, load: LoadCatalog, env: Mapping[str, str]) -> int:
    """Tell the person how a command ended that did not end well, and return its exit code."""
    if isinstance(exc, (KeyboardInterrupt, click.Abort)):
        return Exit.INTERRUPTED
    if isinstance(exc, BrokenPipeError):
        return _pipe_closed()
    if isinstance(exc, Failure):
        print_failure(exc if as_json else _in_commands(exc, load), as_json=as_json)
        return exc.exit_code
    print_failure(_bug(exc, env), as_json=as_json)
    return Exit.INTERNAL


def _run(group: Root, argv: Sequence[str]) -> int:
    """Run the command; what it raises that a person can act on is raised as a `Failure`."""
    try:
        # Not `group.main`: it would end the process itself when a pipe is closed.
        with group.make_context(PROGRAM, list(argv)) as ctx:
            code = group.invoke(ctx)
    except click.exceptions.Exit as exc:
        return exc.exit_code
    except ClaudeCodeMcpError as exc:
        raise from_kernel(exc) from exc
    except click.exceptions.NoArgsIsHelpError as exc:
        print_text(exc.format_message(), sys.stderr)
        return Exit.USAGE
    except click.UsageError as exc:
        raise _usage(exc) from exc
    except click.ClickException as exc:
        raise Failure("usage", exc.format_message(), exit_code=Exit.USAGE) from exc
    return code if isinstance(code, int) else Exit.OK


def _in_commands(failure: Failure, load: LoadCatalog) -> Failure:
    """Return `failure` with the tools that its text names called by their commands."""
    from claude_code_mcp.surfaces.cli.wording import SNAKE, Wording  # noqa: PLC0415 - only what went wrong needs it

    if SNAKE.search(failure.message + failure.remedy):
        wording = Wording(load().values())
        failure.message, failure.remedy = wording.said(failure.message), wording.said(failure.remedy)
    return failure


def _usage(exc: click.UsageError) -> Failure:
    path = exc.ctx.command_path if exc.ctx is not None else PROGRAM
    remedy = f"See `{path} --help`."
    if isinstance(exc, click.NoSuchOption):
        remedy += " A text that begins with a dash goes after `--`."
    message = " ".join(exc.format_message().split())
    return Failure("usage", message if message.endswith((".", "?")) else f"{message}.", remedy=remedy, exit_code=2)


def _bug(exc: BaseException, env: Mapping[str, str]) -> Failure:
    if env.get("CLAUDE_MCP_DEBUG"):
        traceback.print_exception(exc)
    return Failure(
        "internal",
        f"This is a bug of claude-code-mcp: {type(exc).__name__}: {exc}.",
        remedy="CLAUDE_MCP_DEBUG=1 shows where; please report it.",
    )


def _pipe_closed() -> int:
    """Leave quietly when whoever read our output went away, without Python's complaint at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.PIPE_CLOSED


def _before_dashes(argv: Sequence[str]) -> Sequence[str]:
    words = list(argv)
    return words[: words.index("--")] if "--" in words else words
