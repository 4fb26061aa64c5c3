"""One field of a request as a click parameter: its type from the annotation, its help from the description."""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import click
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from claude_code_mcp.surfaces.cli import values
from claude_code_mcp.surfaces.cli.values import Join

SHORT: Mapping[str, str] = {"project_path": "-C"}
"""One-letter flags, by the word that means the same everywhere."""
_LISTS = (list, set, frozenset, tuple, Sequence)
_BOUNDS = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}


@dataclass(frozen=True, slots=True)
class Shape:
    """How the words for a field are read; `join` is set where the flag may be repeated."""

    type: click.ParamType[Any]
    join: Join | None = None
    is_flag: bool = False


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
    shape = shape_of(name, field.annotation)
    text = help_of(field, about)
    option = _option(name, field, shape, text, hidden=positional)
    if not positional:
        return [option]
    kind = values.Text(from_stdin=True) if isinstance(shape.type, values.Text) else shape.type
    argument = click.Argument(
        [f"argument_{name}"],
        type=kind,
        nargs=-1 if shape.join is not None else 1,
        required=False,
        metavar=_argument_name(name, field),
    )
    return [Bound(name, argument, shape.join, text, field.is_required()), option]


def _option(name: str, field: FieldInfo, shape: Shape, text: str, *, hidden: bool) -> Bound:
    kind = Switch if shape.is_flag and not field.default else click.Option
    param = kind(
        [*_flags(name, is_flag=shape.is_flag), f"field_{name}"],
        type=shape.type,
        is_flag=shape.is_flag or None,
        default=None,
        required=field.is_required() and not hidden,
        multiple=shape.join is not None,
        help=text,
        hidden=hidden,
        metavar=None if shape.is_flag or isinstance(shape.type, click.Choice) else shape.type.name.upper(),
    )
    return Bound(name, param, shape.join, text, field.is_required() and not hidden)


def _argument_name(name: str, field: FieldInfo) -> str:
    shown = name.upper()
    return shown if field.is_required() else f"[{shown}]"


def _flags(name: str, *, is_flag: bool) -> list[str]:
    dashed = name.replace("_", "-")
    short = [SHORT[name]] if name in SHORT else []
    if not is_flag:
        return [*short, f"--{dashed}"]
    opposite = dashed[3:] if dashed.startswith("no-") else f"no-{dashed}"
    return [*short, f"--{dashed}/--{opposite}"]


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


def shape_of(name: str, annotation: Any) -> Shape:
    """Return how a field named `name` and annotated so is read from the command line."""
    kinds = [_plain(kind) for kind in _alternatives(annotation)]
    if len(kinds) != 1:
        return _mixed(kinds)
    kind = kinds[0]
    origin = get_origin(kind) or kind
    if origin in _LISTS:
        inner = next(iter(get_args(kind)), str)
        return Shape(values.Items(shape_of(_singular(name), inner).type), values.joined_lists)
    if origin is dict or origin is Mapping:
        of_value = get_args(kind)[1] if len(get_args(kind)) == 2 else Any
        return Shape(values.Pair(shape_of("", of_value).type), values.joined_pairs)
    if kind is bool:
        return Shape(click.BOOL, is_flag=True)
    return Shape(_scalar(name, kind))


def _scalar(name: str, kind: Any) -> click.ParamType[Any]:
    if get_origin(kind) is Literal:
        return click.Choice([str(choice) for choice in get_args(kind)])
    if not isinstance(kind, type):
        return values.Json(or_text=True)
    if issubclass(kind, Enum):
        return click.Choice([str(member.value) for member in kind])
    if issubclass(kind, BaseModel):
        return values.Json()
    return _of_type(name, kind)


def _of_type(name: str, kind: type) -> click.ParamType[Any]:
    if issubclass(kind, (datetime, date)):
        return values.Moment()
    if issubclass(kind, timedelta) or (issubclass(kind, (int, float)) and name.endswith("_s")):
        return values.Seconds()
    if issubclass(kind, int):
        return values.Whole()
    if issubclass(kind, (float, Decimal)):
        return values.Number()
    if issubclass(kind, Path) or name.endswith(("_path", "_dir", "_directory")):
        return values.Location()
    return values.Text() if issubclass(kind, str) else values.Json(or_text=True)


def _mixed(kinds: Sequence[Any]) -> Shape:
    """Several shapes in one field: a document where it looks like one, else text."""
    if all(isinstance(kind, type) and issubclass(kind, (int, float)) for kind in kinds):
        return Shape(values.Number())
    return Shape(values.Json(or_text=any(kind is str for kind in kinds)))


def _alternatives(annotation: Any) -> list[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        return [kind for kind in get_args(annotation) if kind is not type(None)]
    return [annotation]


def _plain(annotation: Any) -> Any:
    """Return the annotation without the names and notes around it (`NewType`, `Annotated`)."""
    while True:
        if hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
        elif hasattr(annotation, "__metadata__"):
            annotation = annotation.__origin__
        else:
            return annotation


def _singular(name: str) -> str:
    if name.endswith("_directories"):
        return name.removesuffix("ies") + "y"
    return name.removesuffix("s")
