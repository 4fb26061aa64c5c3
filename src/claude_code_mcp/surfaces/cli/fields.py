"""One field of a request as a click parameter: its type from the annotation, its help from the description."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import click
from pydantic.fields import FieldInfo

from claude_code_mcp.surfaces.cli.readings import Choice, Join, Reading, join_of
from claude_code_mcp.surfaces.cli.readings import Switch as SwitchReading
from claude_code_mcp.surfaces.cli.shapes import as_argument, flags_of, opposite_of, reading_of
from claude_code_mcp.surfaces.cli.values import type_of

_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A field of the request with the parameter that fills it."""

    field: str
    param: click.Parameter
    join: Join | None
    help: str
    required: bool = False

    def value_in(self, given: Mapping[str, Any]) -> Any:
        """Return the field's value from what click parsed, None where nothing was given."""
        value = given.get(str(self.param.name))
        if value is None or (isinstance(value, tuple) and not value):
            return None
        return self.join(value) if self.join is not None else value


class Switch(click.Option):
    """A flag that is off until it is given: its opposite is taken too, but help need not tell of it."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the flag and its help, without the opposite."""
        record = super().get_help_record(ctx)
        return (record[0].partition(" / ")[0], record[1]) if record else None


def bind(name: str, field: FieldInfo, about: str, *, positional: bool) -> list[Bound]:
    """Return `field`, described by `about`, as an option, or as an argument that may be given by its flag too.

    Identifiers cannot clash with the command's own flags. What is required is asked for by whoever collects the
    values, since click could not know that it came by the other way.
    """
    reading = reading_of(name, field.annotation)
    text = help_of(field, about)
    option = _option(name, field, reading, text, hidden=positional)
    if not positional:
        return [option]
    join = join_of(reading)
    argument = click.Argument(
        [f"argument_{name}"],
        type=type_of(as_argument(reading)),
        nargs=-1 if join is not None else 1,
        required=False,
        metavar=_argument_name(name, field),
    )
    return [Bound(name, argument, join, text, field.is_required()), option]


def _option(name: str, field: FieldInfo, reading: Reading, text: str, *, hidden: bool) -> Bound:
    join, is_flag = join_of(reading), isinstance(reading, SwitchReading)
    kind = Switch if is_flag and not field.default else click.Option
    flags = "/".join([flags_of(name)[-1], opposite_of(name)]) if is_flag else flags_of(name)[-1]
    param = kind(
        [*flags_of(name)[:-1], flags, f"field_{name}"],
        type=type_of(reading),
        is_flag=is_flag or None,
        default=None,
        required=field.is_required() and not hidden,
        multiple=join is not None,
        help=text,
        hidden=hidden,
        metavar=None if is_flag or isinstance(reading, Choice) else reading.name.upper(),
    )
    return Bound(name, param, join, text, field.is_required() and not hidden)


def _argument_name(name: str, field: FieldInfo) -> str:
    shown = name.upper()
    return shown if field.is_required() else f"[{shown}]"


def help_of(field: FieldInfo, about: str) -> str:
    """Return the description with its bounds and its default."""
    notes = [
        wording.format(getattr(limit, bound))
        for limit in field.metadata
        for bound, wording in _BOUNDS.items()
        if getattr(limit, bound, None) is not None
    ]
    default = field.default
    if not field.is_required() and default not in (None, "", False) and field.default_factory is None:
        shown = default.value if isinstance(default, Enum) else default
        if not isinstance(shown, (list, dict, tuple, set, frozenset)) or shown:
            notes.append(f"default {shown}")
    text = " ".join(about.split())
    return f"{text} [{', '.join(notes)}]".strip() if notes else text
