"""The fields of a model as rows for people, read from its JSON schema (2020-12, as pydantic and msgspec write it)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from claude_code_mcp.surfaces.docs.markdown import cell, code, link

Schema = Mapping[str, Any]
_PLAIN = {"string": "text", "boolean": "true or false", "object": "object", "null": "nothing"}
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "maxProperties": "at most {} entries",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One field, each part as markdown. `default` is empty where the field is required or left out by default."""

    name: str
    kind: str
    default: str
    bounds: str
    about: str
    required: bool


class Shapes:
    """Reads schemas whose definitions are `definitions`, by the name that `$ref` ends in."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def rows(self, schema: Schema) -> list[Row]:
        """Return the fields of an object."""
        required = schema.get("required", ())
        return [self._row(name, field, name in required) for name, field in schema.get("properties", {}).items()]

    def objects(self, schema: Schema) -> list[str]:
        """Return the names of the objects that `schema` refers to, in the order of their first use, deeply."""
        found: list[str] = []
        self._add_objects(schema, found)
        return found

    def _add_objects(self, schema: Schema, found: list[str]) -> None:
        """Add what is not in `found` yet: an object may refer to itself, as the node of a tree does."""
        for name in _references(schema):
            if name not in found and "properties" in self._definitions[name]:
                found.append(name)
                self._add_objects(self._definitions[name], found)

    def _row(self, name: str, field: Schema, required: bool) -> Row:
        bounds = ", ".join(dict.fromkeys(self._bounds(field)))
        about = str(field.get("description", ""))
        return Row(code(name), self._kind(field), self._default(field), cell(bounds), cell(about), required)

    def _default(self, field: Schema) -> str:
        value = field.get("default")
        if value is None or (isinstance(value, (str, list, tuple, dict)) and not value):
            return ""
        return code(json.dumps(value, ensure_ascii=False).strip('"'))

    def _kind(self, field: Schema) -> str:
        options = [option for option in field.get("anyOf", ()) if option.get("type") != "null"]
        if options:
            return " or ".join(dict.fromkeys(self._kind(option) for option in options))
        if "$ref" in field:
            name = _last(field["$ref"])
            target = self._definitions[name]
            return link(name) if "properties" in target else self._kind(target)
        if "enum" in field:
            return ", ".join(code(str(choice)) for choice in field["enum"])
        return self._typed(field)

    def _typed(self, field: Schema) -> str:
        kind = field.get("type")
        if kind == "array":
            return f"list of {self._kind(field.get('items') or {})}"
        inner = field.get("additionalProperties")
        if kind == "object" and isinstance(inner, Mapping):
            return f"object of {self._kind(inner)}"
        if kind in {"integer", "number"}:
            return "whole number" if kind == "integer" else "number"
        return _PLAIN.get(str(kind), "JSON")

    def _bounds(self, field: Schema) -> Iterator[str]:
        for name, wording in _BOUNDS.items():
            if name in field:
                yield wording.format(_number(field[name]))
        # A decimal is also accepted as text, by a pattern that says nothing to people.
        alternatives = field.get("anyOf", ())
        decimal = {option.get("type") for option in alternatives} >= {"number", "string"}
        if "pattern" in field:
            yield f"matches {code(field['pattern'])}"
        for option in alternatives:
            if not (decimal and option.get("type") == "string"):
                yield from self._bounds(option)


def _references(schema: object) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            yield _last(schema["$ref"])
        for value in schema.values():
            yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else str(value)
