"""An operation of the catalog as a command: its words, arguments, flags, help and examples. No feature is named."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

import click

from claude_code_mcp.kernel.described import descriptions
from claude_code_mcp.kernel.operation import Effect, Operation
from claude_code_mcp.surfaces.cli.client import Answer, Connect
from claude_code_mcp.surfaces.cli.fields import Bound, bind
from claude_code_mcp.surfaces.cli.output import print_answer, print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.waiting import Waiting
from claude_code_mcp.surfaces.cli.words import placed, words_of


def bindings(op: Operation, *, positional: Sequence[str] | None = None, leave_out: Sequence[str] = ()) -> list[Bound]:
    """Return the parameters for the fields of the request: the positional ones (by default the hinted) first."""
    fields, about = op.request.model_fields, descriptions(op.request)
    chosen = op.hints.positional if positional is None else positional
    return [
        bound
        for name, first in placed(op, chosen, leave_out)
        for bound in bind(name, fields[name], about.get(name, ""), positional=first)
    ]


def arguments(bound: Sequence[Bound], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the operation's arguments: only what the person gave, defaults are the daemon's.

    Raises:
        click.MissingParameter: a field that is required was not given.
    """
    pairs = ((one.field, one.value_in(given)) for one in bound)
    found = {field: value for field, value in pairs if value is not None}
    for one in bound:
        if one.required and one.field not in found:
            raise click.MissingParameter(ctx=click.get_current_context(), param=one.param)
    return found


def help_text(doc: str) -> str:
    r"""Return a docstring as click wants it: blocks that are lists or indented keep their lines (`\b`)."""
    blocks = doc.replace("``", "`").split("\n\n")
    return "\n\n".join(f"\b\n{block}" if _has_layout(block) else block for block in blocks)


def _has_layout(block: str) -> bool:
    return any(line.startswith(("- ", "* ", "  ", "| ")) for line in block.splitlines())


class Described(click.Command):
    """A command whose help tells of its arguments too, not only of its flags."""

    def __init__(self, *args: Any, bound: Sequence[Bound], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._bound = bound

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, then the flags."""
        lines = [
            (one.param.make_metavar(ctx), one.help)
            for one in self._bound
            if isinstance(one.param, click.Argument) and one.help
        ]
        if lines:
            with formatter.section("Arguments"):
                formatter.write_dl(lines)
        super().format_options(ctx, formatter)


def command_of(
    op: Operation, connect: Connect, worded: Callable[[str], str], *, name: str | None = None
) -> click.Command:
    """Return the command that runs `op` in the daemon which `connect` reaches; `worded` says a reply's text."""
    bound = bindings(op)

    def run(as_json: bool, **given: Any) -> int:
        args = arguments(bound, given)
        reads = op.effect is Effect.READ
        with closing(connect()) as client, Waiting(sys.stderr, quiet=as_json) as waiting:

            def part(fields: Mapping[str, Any], text: str) -> None:
                waiting.wipe()
                print_answer(Answer(dict(fields), worded(text)), as_json=as_json)

            try:
                answer = client.call(
                    op.name, args, retry=reads, raises=op.raises, on_progress=waiting.show, on_part=part
                )
            except KeyboardInterrupt:
                if not reads:
                    waiting.wipe()
                    print_text("Interrupted; what was begun goes on.", sys.stderr)
                raise
        return print_answer(Answer(answer.reply, worded(answer.text), answer.exit_code), as_json=as_json)

    return Described(
        name or words_of(op)[-1],
        bound=bound,
        callback=run,
        params=[*(one.param for one in bound), json_flag()],
        help=help_text(op.doc),
        short_help=op.doc.split("\n\n")[0].replace("\n", " "),
        epilog=epilog_of(op.hints.examples),
        no_args_is_help=any(one.required for one in bound),
    )
