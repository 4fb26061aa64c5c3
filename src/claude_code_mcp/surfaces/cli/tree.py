"""The tree of commands: what is written by hand, what the catalog gives, and how it is all shown."""

import difflib
import importlib
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from claude_code_mcp.surfaces.cli.client import Connect

if TYPE_CHECKING:  # operations bring pydantic, which commands written by hand can do without
    from claude_code_mcp.kernel.operation import Catalog, Operation

LoadCatalog = Callable[[], "Catalog"]
THIS_PROGRAM = "This program"
"""The section of what is about ourselves: the last one."""


@dataclass(frozen=True, slots=True)
class Own:
    """A command written by hand: where its `command` function is, loaded only when it is called."""

    module: str
    short_help: str
    section: str

    def load(self, name: str, catalog: LoadCatalog) -> click.Command:
        """Return the command; its module's `commands` maps names to what builds them."""
        build = importlib.import_module(self.module).COMMANDS[name]
        command: click.Command = build(catalog)
        return command


class Branch(click.Group):
    """A group that names the nearest command when it is asked for one that it has not."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with.

        Raises:
            click.UsageError: there is no such command; the nearest ones are named.
        """
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=3, cutoff=0.5)
            hint = f" Did you mean {' or '.join(near)}?" if near else f" See {ctx.command_path} --help."
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


class Root(Branch):
    """The program. The catalog is loaded only when a command of it, or the whole list, is wanted."""

    def __init__(self, own: Mapping[str, Own], load: LoadCatalog, connect: Connect) -> None:
        super().__init__("claude-code-mcp", no_args_is_help=True)
        self._own = {name: one for name, one in own.items() if " " not in name}
        self._verbs = {name: one for name, one in own.items() if " " in name}
        self._load = load
        self._connect = connect
        self._grown: dict[str, click.Command] | None = None
        self._sections: dict[str, list[str]] = {}

    def grown(self) -> Mapping[str, click.Command]:
        """Return the commands and groups that the catalog gives."""
        if self._grown is None:
            from claude_code_mcp.kernel.operation import Surface  # noqa: PLC0415 - as above
            from claude_code_mcp.surfaces.cli.wording import Wording  # noqa: PLC0415 - as above

            self._grown = {}
            operations = self._load().on(Surface.CLI)
            worded = Wording(operations).reply
            for op in operations:
                self._place(op, worded, self._grown)
            for name, own in self._verbs.items():  # a verb by hand in a group that the catalog gives
                noun, _, verb = name.partition(" ")
                group = self._grown.get(noun)
                if isinstance(group, click.Group):
                    group.commands[verb] = own.load(name, self._load)
        return self._grown

    def _place(self, op: "Operation", worded: Callable[[str], str], into: dict[str, click.Command]) -> None:
        from claude_code_mcp.surfaces.cli.generate import command_of, words_of  # noqa: PLC0415 - as above

        words = next((words for words in (words_of(op), words_of_name(op)) if words[0] not in self._own), None)
        if words is None:
            return
        command = command_of(op, self._connect, worded)
        command.name = words[-1]
        section = self._sections.setdefault(op.feature.replace("_", " ").capitalize(), [])
        if words[0] not in section:
            section.append(words[0])
        home: MutableMapping[str, click.Command] = into
        for word in words[:-1]:
            group = home.setdefault(word, Branch(word, no_args_is_help=True))
            if not isinstance(group, click.Group):
                raise TypeError(f"{op.name}: {word!r} is a command and a group")
            home = group.commands
        home[words[-1]] = command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, sorted."""
        return sorted({*self._own, *self.grown()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command: ours where one is written by hand, else the catalog's."""
        own = self._own.get(cmd_name)
        return own.load(cmd_name, self._load) if own is not None else self.grown().get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the commands by section; a group is one line with its verbs."""
        grown = self.grown()
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, own in self._own.items():
            sections.setdefault(own.section, []).append((name, own.short_help))
        last = sections.pop(THIS_PROGRAM, [])
        for section, names in self._sections.items():
            sections.setdefault(section, []).extend((name, _line(grown[name])) for name in names)
        sections[THIS_PROGRAM] = last
        widest = max(len(name) for lines in sections.values() for name, _ in lines)
        for section, lines in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(widest), text) for name, text in lines])


def _line(command: click.Command) -> str:
    if isinstance(command, click.Group):
        return ", ".join(sorted(command.commands))
    return (command.short_help or command.get_short_help_str(88)).partition(";")[0].removesuffix(".") + "."


def words_of_name(op: "Operation") -> tuple[str, ...]:
    """Return the words of the operation's plain name, for where its hinted ones are taken."""
    return tuple(part.replace("_", "-") for part in op.name.split("."))
