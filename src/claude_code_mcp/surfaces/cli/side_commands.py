"""Commands around the program: the MCP server, the scripted model, shell completion."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from claude_code_mcp.relay.serve import serve as serve_relay
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.output import print_json
from claude_code_mcp.surfaces.cli.own import PROGRAM
from claude_code_mcp.surfaces.cli.parts import epilog_of
from claude_code_mcp.surfaces.cli.setup import COMPLETE_VAR, current
from claude_code_mcp.surfaces.cli.tree import LoadCatalog

SHELLS = ("bash", "zsh", "fish")
_WHERE: Mapping[str, str] = {
    "bash": "~/.local/share/bash-completion/completions/claude-code-mcp",
    "zsh": "a directory of $fpath, as _claude-code-mcp",
    "fish": "~/.config/fish/completions/claude-code-mcp.fish",
}


def serve_command(_load: LoadCatalog) -> click.Command:
    """Return `serve`; `__main__` takes the short way to the relay, this is for what comes after --state-dir."""

    def run(rest: tuple[str, ...]) -> int:
        os.environ["CLAUDE_CODE_MCP_HOME"] = str(current().directory)
        return serve_relay(rest)

    return click.Command(
        "serve",
        callback=run,
        params=[click.Argument(["rest"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
    )


def completion_command(_load: LoadCatalog) -> click.Command:
    """Return `completion`."""

    def run(shell: str) -> int:
        kind = get_completion_class(shell)
        if kind is None:
            raise click.UsageError(f"there is no completion for {shell}")
        root = click.get_current_context().find_root().command
        made = kind(root, {}, PROGRAM, COMPLETE_VAR)
        # Not `source()`: for bash that starts a bash to ask for its version.
        sys.stdout.write(made.source_template % made.source_vars())
        return Exit.OK

    where = "\n".join(f"  {shell:5} {place}" for shell, place in _WHERE.items())
    return click.Command(
        "completion",
        callback=run,
        params=[click.Argument(["shell"], type=click.Choice(SHELLS))],
        help=f"Print the completion script of a shell.\n\n\b\nPut it where the shell looks:\n{where}",
        epilog=epilog_of(("completion fish > ~/.config/fish/completions/claude-code-mcp.fish",)),
        no_args_is_help=True,
    )


_MODEL_HELP = """Run a stand-in for the model on loopback: it answers as a script says, without login, network or cost.

Point Claude Code at it with ANTHROPIC_BASE_URL and any ANTHROPIC_API_KEY, to try hooks, agents and commands of
your own. A prompt chooses a scenario with `[s:NAME]` or `[s:NAME:ARGUMENT]`. It runs until Ctrl-C.
"""


def scripted_model_command(_load: LoadCatalog) -> click.Command:
    """Return `scripted-model`."""

    def run(script: str, port: int, record: str | None, schema: bool, scenarios: bool) -> int:
        from claude_code_mcp import testing  # noqa: PLC0415 - brings a web server, which no other command needs

        if schema:
            print_json(testing.script_schema())
            return Exit.OK
        loaded = testing.load_script(script)
        if scenarios:
            for name, scenario in loaded.scenarios.items():
                click.echo(f"{name:20} {scenario.about}")
            return Exit.OK
        testing.serve(loaded, port, Path(record) if record else None, ready=_ready)
        return Exit.OK

    return click.Command(
        "scripted-model",
        callback=run,
        params=[
            click.Argument(["script"], default="builtin", required=False, metavar="[SCRIPT]"),
            click.Option(["--port"], type=int, default=0, help="Port on 127.0.0.1; 0 takes a free one. [default 0]"),
            click.Option(["--record"], metavar="FILE", help="Write each request to FILE, one JSON object a line."),
            click.Option(["--schema"], is_flag=True, help="Print the JSON schema of a script."),
            click.Option(["--list", "scenarios"], is_flag=True, help="List the scenarios of the script."),
        ],
        help=f"{_MODEL_HELP}\nSCRIPT is a YAML file, or `builtin` (the default) or `demo`.",
        epilog=epilog_of(("scripted-model", "scripted-model my-script.yaml --port 8080", "scripted-model --list")),
    )


def _ready(url: str) -> None:
    click.echo(f"export ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY=scripted")
    click.echo("The scripted model answers; Ctrl-C ends it.", err=True)
    sys.stdout.flush()


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {
    "serve": serve_command,
    "completion": completion_command,
    "scripted-model": scripted_model_command,
}
