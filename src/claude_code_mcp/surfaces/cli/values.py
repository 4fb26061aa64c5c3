"""The readings as click's types: what cannot be read is a usage error."""

from typing import Any

import click

from claude_code_mcp.surfaces.cli.readings import Choice, Reading, Switch, Unreadable


class Read(click.ParamType[Any]):
    """Words as a reading takes them."""

    def __init__(self, reading: Reading) -> None:
        self.name = reading.name
        self._reading = reading

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value.

        Raises:
            click.BadParameter: the words do not fit.
        """
        if not isinstance(value, str):
            return value
        try:
            return self._reading.read(value)
        except Unreadable as exc:
            self.fail(str(exc), param, ctx)


def type_of(reading: Reading) -> click.ParamType[Any]:
    """Return the click type of a reading; choices and flags are click's own, for its help and its messages."""
    if isinstance(reading, Choice):
        return click.Choice(list(reading.parts))
    return click.BOOL if isinstance(reading, Switch) else Read(reading)
