"""The commands written by hand: where each is, and where help shows it. Light: every command line looks here first."""

import importlib
from collections.abc import Callable, Mapping

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    import click

    from claude_code_mcp.kernel.operation import Catalog

PROGRAM = "claude-code-mcp"
THIS_PROGRAM = "This program"
"""The section of what is about ourselves: the last one."""


class Own:
    """A command written by hand: where its `command` function is, loaded only when it is called."""

    def __init__(self, module: str, short_help: str, section: str) -> None:
        self.module = module
        self.short_help = short_help
        self.section = section

    def load(self, name: str, catalog: "Callable[[], Catalog]") -> "click.Command":
        """Return the command; its module's `commands` maps names to what builds them."""
        build = importlib.import_module(self.module).COMMANDS[name]
        command: click.Command = build(catalog)
        return command


_HERE = "claude_code_mcp.surfaces.cli"

OWN: Mapping[str, Own] = {
    "run": Own(f"{_HERE}.run_commands", "Start Claude Code on a project and watch it live.", "Sessions"),
    "resume": Own(f"{_HERE}.run_commands", "Go on with a session, live.", "Sessions"),
    "attach": Own(f"{_HERE}.run_commands", "Watch a session that runs, and answer its questions.", "Sessions"),
    "watch": Own("claude_code_mcp.surfaces.tui.commands", "Watch every session on this machine, live.", "Activity"),
    "tree": Own("claude_code_mcp.surfaces.tui.commands", "Print what a session did, as a tree.", "Activity"),
    "statusline": Own(f"{_HERE}.statusline_commands", "A line for Claude Code's own status line.", "Activity"),
    "jobs run": Own(f"{_HERE}.job_commands", "Run a command in the background, or follow it.", "Jobs"),
    "jobs follow": Own(f"{_HERE}.job_commands", "Print what a job says as it comes.", "Jobs"),
    "jobs attach": Own(f"{_HERE}.job_commands", "Sit at a job's terminal.", "Jobs"),
    "demo": Own(f"{_HERE}.demo", "See all of it work: no login, no network, no cost.", THIS_PROGRAM),
    "config": Own(f"{_HERE}.config_commands", "set, show, unset, path", THIS_PROGRAM),
    "daemon": Own(f"{_HERE}.daemon_commands", "logs, restart, run, status, stop", THIS_PROGRAM),
    "serve": Own(f"{_HERE}.side_commands", "The MCP server on stdin and stdout, as clients start it.", THIS_PROGRAM),
    "scripted-model": Own(f"{_HERE}.side_commands", "A stand-in for the model, to test against.", THIS_PROGRAM),
    "completion": Own(f"{_HERE}.side_commands", "Print the completion script of a shell.", THIS_PROGRAM),
}
