"""The tree of commands: what is written by hand, what the catalog gives, and how it is all shown."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from claude_code_mcp.surfaces.cli.client import Connect
from claude_code_mcp.surfaces.cli.own import PROGRAM, THIS_PROGRAM, Own

if TYPE_CHECKING:  # operations bring pydantic, which commands written by hand can do without
    from claude_code_mcp.kernel.operation import Catalog, Operation

LoadCatalog = Callable[[], "Catalog"]


class Branch(click.Group):
    """A group whose commands are made when they are asked for, and that names the nearest where it has none."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.makers: dict[str, Callable[[], click.Command]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return all names, sorted."""
        return sorted({*self.makers, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command, made by the first who asks."""
        if cmd_name not in self.commands and cmd_name in self.makers:
            self.commands[cmd_name] = self.makers[cmd_name]()
        return self.commands.get(cmd_name)

    def branch(self, word: str) -> "Branch":
        """Return the group of that name, made where there is none.

        Raises:
            TypeError: a command has that name.
        """
        if word in self.makers:
            raise TypeError(f"{word!r} is a command and a group")
        group = self.commands.setdefault(word, Branch(word, no_args_is_help=True))
        if not isinstance(group, Branch):
            raise TypeError(f"{word!r} is a command and a group")
        return group

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
        super().__init__(PROGRAM, no_args_is_help=True)
        self._own = {name: one for name, one in own.items() if " " not in name}
        self._verbs = {name: one for name, one in own.items() if " " in name}
        self._load = load
        self._connect = connect
        self._is_grown = False
        self._sections: dict[str, list[str]] = {}

    def _grow(self) -> None:
        """Learn which commands and groups the catalog gives."""
        if self._is_grown:
            return
        self._is_grown = True
        from claude_code_mcp.kernel.operation import Surface  # noqa: PLC0415 - as above
        from claude_code_mcp.surfaces.cli.wording import Wording  # noqa: PLC0415 - as above
        from claude_code_mcp.surfaces.cli.words import called  # noqa: PLC0415 - as above

        operations = self._load().on(Surface.CLI)
        worded = Wording(operations).reply
        for words, op in called(operations, self._own):
            self._place(words, op, worded)
        for name, own in self._verbs.items():  # a verb by hand in a group that the catalog gives
            noun, _, verb = name.partition(" ")
            if noun in self.commands:
                self.branch(noun).makers[verb] = partial(own.load, name, self._load)

    def _place(self, words: Sequence[str], op: "Operation", worded: Callable[[str], str]) -> None:
        from claude_code_mcp.surfaces.cli.generate import command_of  # noqa: PLC0415 - as above

        section = self._sections.setdefault(op.feature.replace("_", " ").capitalize(), [])
        if words[0] not in section:
            section.append(words[0])
        home: Branch = self
        for word in words[:-1]:
            home = home.branch(word)
        if words[-1] in home.commands:
            raise TypeError(f"{op.name}: {words[-1]!r} is a command and a group")
        home.makers[words[-1]] = partial(command_of, op, self._connect, worded, name=words[-1])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, sorted."""
        self._grow()
        return sorted({*self._own, *super().list_commands(ctx)})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command: ours where one is written by hand, else the catalog's."""
        own = self._own.get(cmd_name)
        if own is not None:
            return own.load(cmd_name, self._load)
        self._grow()
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section; a group is one line with its verbs."""
        self._grow()
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, own in self._own.items():
            sections.setdefault(own.section, []).append((name, own.short_help))
        last = sections.pop(THIS_PROGRAM, [])
        for section, names in self._sections.items():
            sections.setdefault(section, []).extend((name, self._line(ctx, name)) for name in names)
        sections[THIS_PROGRAM] = last
        widest = max(len(name) for lines in sections.values() for name, _ in lines)
        for section, lines in sections.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(widest), text) for name, text in lines])

    def _line(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        if command is None:
            return ""
        if isinstance(command, click.Group):
            return ", ".join(command.list_commands(ctx))
        return (command.short_help or command.get_short_help_str(88)).partition(";")[0].removesuffix(".") + "."
