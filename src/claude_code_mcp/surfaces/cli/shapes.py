"""What a field of a request is on the command line: its flags, and how its words are read."""

import types
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from claude_code_mcp.surfaces.cli import readings
from claude_code_mcp.surfaces.cli.readings import Reading

SHORT: Mapping[str, str] = {"project_path": "-C"}
"""One-letter flags, by the word that means the same everywhere."""
_LISTS = (list, set, frozenset, tuple, Sequence)


def flags_of(name: str) -> list[str]:
    """Return the flags of the field, the long one last."""
    short = [SHORT[name]] if name in SHORT else []
    return [*short, f"--{name.replace('_', '-')}"]


def opposite_of(name: str) -> str:
    """Return the flag that switches the field off."""
    dashed = name.replace("_", "-")
    return f"--{dashed[3:]}" if dashed.startswith("no-") else f"--no-{dashed}"


def as_argument(reading: Reading) -> Reading:
    """Return how a field is read that is written without its flag."""
    return readings.Text(True) if isinstance(reading, readings.Text) else reading


def reading_of(name: str, annotation: Any) -> Reading:
    """Return how a field named `name` and annotated so is read from the command line."""
    kinds = [_plain(kind) for kind in _alternatives(annotation)]
    if len(kinds) != 1:
        return _mixed(kinds)
    kind = kinds[0]
    origin = get_origin(kind) or kind
    if origin in _LISTS:
        inner = next(iter(get_args(kind)), str)
        return readings.Items(reading_of(_singular(name), inner))
    if origin is dict or origin is Mapping:
        of_value = get_args(kind)[1] if len(get_args(kind)) == 2 else Any
        return readings.Pair(reading_of("", of_value))
    if kind is bool:
        return readings.Switch()
    return _scalar(name, kind)


def _scalar(name: str, kind: Any) -> Reading:
    if get_origin(kind) is Literal:
        return readings.Choice(*(str(choice) for choice in get_args(kind)))
    if not isinstance(kind, type):
        return readings.Json(True)
    if issubclass(kind, Enum):
        return readings.Choice(*(str(member.value) for member in kind))
    if issubclass(kind, BaseModel):
        return readings.Json()
    return _of_type(name, kind)


def _of_type(name: str, kind: type) -> Reading:
    if issubclass(kind, (datetime, date)):
        return readings.Moment()
    if issubclass(kind, timedelta) or (issubclass(kind, (int, float)) and name.endswith("_s")):
        return readings.Seconds()
    if issubclass(kind, int):
        return readings.Whole()
    if issubclass(kind, (float, Decimal)):
        return readings.Number()
    if issubclass(kind, Path) or name.endswith(("_path", "_dir", "_directory")):
        return readings.Location()
    return readings.Text() if issubclass(kind, str) else readings.Json(True)


def _mixed(kinds: Sequence[Any]) -> Reading:
    """Several shapes in one field: a document where it looks like one, else text."""
    if all(isinstance(kind, type) and issubclass(kind, (int, float)) for kind in kinds):
        return readings.Number()
    return readings.Json(any(kind is str for kind in kinds))


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
