"""`statusline`: the line itself, and putting it into Claude Code's settings or taking it out, on explicit wish only."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from claude_code_mcp.kernel.display import visible
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.clients.host import PROGRAM, launcher
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.json_document import MISSING
from claude_code_mcp.platform.files.json_text import get_value, remove_value, set_value
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.output import print_json, print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.setup import current
from claude_code_mcp.surfaces.cli.tree import LoadCatalog
from claude_code_mcp.surfaces.statusline import on_standard_streams

KEY = ("statusLine",)
_SCOPES = ("user", "project", "local")
_HELP = """Print one line for Claude Code's status line: session, what runs or waits, time, cost, context used.

Claude Code calls it with its JSON on standard input; `statusline install` tells it to. What runs now is asked of the
daemon, which has 15 ms; without one the line says what Claude Code itself tells."""
_INSTALL = """Put it into Claude Code's settings, and show the change.

A status line of your own is never replaced unless you say --force."""


def statusline_command(_load: LoadCatalog) -> click.Command:
    """Return `statusline` with its verbs."""
    group = click.Group(
        "statusline",
        help=_HELP,
        invoke_without_command=True,
        epilog=epilog_of(("statusline install --dry-run", "statusline uninstall", "statusline < status.json")),
    )

    @click.pass_context
    def run(ctx: click.Context) -> int:
        return on_standard_streams() if ctx.invoked_subcommand is None else Exit.OK

    group.callback = run
    group.add_command(_verb("install", _INSTALL, _wanted))
    group.add_command(_verb("uninstall", "Take it out of Claude Code's settings again, and show the change.", _without))
    return group


def _verb(name: str, doc: str, edit_for: Callable[[bool], editor.Edit]) -> click.Command:
    def run(scope: str, force: bool, dry_run: bool, as_json: bool) -> int:
        file = _file(scope)
        planned = editor.plan(file, edit_for(force))
        if not dry_run:
            planned = editor.apply(planned, peer=True, new_mode=0o600 if scope == "user" else 0o644).plan
        said = {"file": str(file), "changed": planned.changed, "dry_run": dry_run, "diff": planned.diff()}
        if as_json:
            print_json(said)
        else:
            print_text(visible(planned.diff()) if planned.changed else f"{file} is as it should be.")
        return Exit.OK

    return click.Command(
        name,
        callback=run,
        help=doc,
        params=[
            click.Option(
                ["--scope"], type=click.Choice(_SCOPES), default="user", help="Whose settings. [default user]"
            ),
            click.Option(["--force"], is_flag=True, help="Also where the status line is not ours."),
            click.Option(["--dry-run"], is_flag=True, help="Only show what would change."),
            json_flag(),
        ],
    )


def _file(scope: str) -> Path:
    if scope == "user":
        return ClaudeHome.of(current().env).config_dir / "settings.json"
    return Path.cwd() / ".claude" / ("settings.json" if scope == "project" else "settings.local.json")


def _entry() -> dict[str, Any]:
    import shlex  # noqa: PLC0415 - the line itself must not pay for it
    import sys  # noqa: PLC0415 - as above

    return {"type": "command", "command": f"{shlex.join(launcher(sys.executable))} statusline"}


def _wanted(force: bool) -> editor.Edit:
    entry = _entry()

    def edit(text: str) -> str:
        _check(text, force)
        return set_value(text, KEY, entry)

    return edit


def _without(force: bool) -> editor.Edit:
    def edit(text: str) -> str:
        _check(text, force)
        return remove_value(text, KEY)

    return edit


def _check(text: str, force: bool) -> None:
    """Refuse to touch a status line that is somebody else's."""
    found = get_value(text, KEY)
    if found is MISSING or force or _is_ours(found):
        return
    raise Failure(
        "statusline_taken",
        "Claude Code has another status line in these settings.",
        remedy="It stays as it is; --force replaces it.",
        details={"command": found.get("command") if isinstance(found, dict) else None},
        exit_code=Exit.CONFLICT,
    )


def _is_ours(found: object) -> bool:
    command = found.get("command") if isinstance(found, dict) else None
    words = command.split() if isinstance(command, str) else []
    return words[-1:] == ["statusline"] and any(PROGRAM in word or word == "claude_code_mcp" for word in words)


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {"statusline": statusline_command}
