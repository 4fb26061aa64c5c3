"""Models to small JSON schemas: what a model pays for each tool that it is shown.

The keywords are those of JSON Schema 2020-12 as pydantic writes them; everything that says nothing new is left
out: titles, `null` alternatives, references to small definitions.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import BaseModel

_SMALL_BYTES = 160
"""A definition up to this size is repeated where it is used: a reference costs about as much."""
_NULL = {"type": "null"}
_ONE = ("items", "contains", "propertyNames", "not", "if", "then", "else", "additionalProperties")
_MANY = ("anyOf", "oneOf", "allOf", "prefixItems")
_SAYS_NOTHING = ("title", "discriminator")
_EMPTY: tuple[object, ...] = (None, "", [], {})
_BOUNDS = ("minLength", "maxLength", "maxItems", "minItems", "maxProperties")
"""What a caller is told when it is exceeded, and need not pay for before."""


def arguments_schema(model: type[BaseModel], shown: Collection[str] = ()) -> dict[str, Any]:
    """Return the schema of a tool's arguments: an object, without what the tool's own description says.

    Where `shown` names fields, only these are in it; what is required always is.
    """
    return shrunk_arguments(model.model_json_schema(), shown)


def shrunk_arguments(document: Mapping[str, Any], shown: Collection[str] = ()) -> dict[str, Any]:
    """Return `arguments_schema` of a model whose schema pydantic made already; that is left as it is."""
    own = dict(document)
    if shown:
        kept = {*shown, *own.get("required", ())}
        own["properties"] = {name: field for name, field in own["properties"].items() if name in kept}
    return _Shrinker(own, output=False).root()


def rest_signature(document: Mapping[str, Any], shown: Collection[str]) -> str:
    """Return the fields of a model with that schema that are not `shown`, in one line."""
    schema = shrunk_arguments(document)
    rest = {name: field for name, field in schema["properties"].items() if name not in shown}
    return ", ".join(f"{name} ({_kind(field)})" if "enum" in field else name for name, field in rest.items())


def result_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a reply's fields as `model_dump(mode="json", exclude_none=True)` gives them."""
    return _Shrinker(model.model_json_schema(mode="serialization"), output=True).root()


def compact_json(value: object) -> str:
    """Return `value` as the shortest JSON text; what token budgets are counted on."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def signature(schema: Mapping[str, Any]) -> str:
    """Return arguments as one line: `session_id: string, until?: idle|approval = idle`."""
    required = schema.get("required", ())
    parts = []
    for name, field in schema.get("properties", {}).items():
        default = f" = {compact_json(field['default'])}" if "default" in field else ""
        parts.append(f"{name}{'' if name in required else '?'}: {_kind(field)}{default}")
    return ", ".join(parts)


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return "|".join(str(value) for value in field["enum"])
    if "const" in field:
        return str(field["const"])
    for union in ("anyOf", "oneOf"):
        if union in field:
            return "|".join(_kind(option) for option in field[union])
    if field.get("type") == "array":
        return f"{_kind(field.get('items', {}))}[]"
    return str(field.get("type", "any"))


class _Shrinker:
    """Walks one schema document."""

    def __init__(self, document: dict[str, Any], *, output: bool) -> None:
        self._definitions: dict[str, Any] = document.pop("$defs", {})
        self._document = document
        self._text = json.dumps([document, self._definitions])
        self._output = output
        self._kept: dict[str, Any] = {}

    def root(self) -> dict[str, Any]:
        shrunk = self._schema(self._document, ())
        shrunk.pop("description", None)
        shrunk.setdefault("properties", {})
        if self._kept:
            shrunk["$defs"] = self._kept
        return shrunk

    def _schema(self, node: Mapping[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        out = {key: value for key, value in node.items() if key not in _SAYS_NOTHING}
        if out.get("additionalProperties") in (True, False):
            del out["additionalProperties"]
        if "properties" in out:
            out["properties"] = {name: self._schema(sub, inside) for name, sub in out["properties"].items()}
            self._optional(node, out)
        for key in _ONE:
            if isinstance(out.get(key), Mapping):
                out[key] = self._schema(out[key], inside)
        if not out.get("propertyNames", ...):
            del out["propertyNames"]
        for key in _MANY:
            if key in out:
                out[key] = [self._schema(sub, inside) for sub in out[key]]
        return self._merged(out, inside)

    def _optional(self, node: Mapping[str, Any], out: dict[str, Any]) -> None:
        """A field that may be null is left out of a reply when it is, so it is not required there."""
        if not self._output or "required" not in out:
            return
        out["required"] = [
            name for name in out["required"] if _NULL not in node["properties"].get(name, {}).get("anyOf", ())
        ]

    def _merged(self, out: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        if out.get("default", ...) in _EMPTY:
            del out["default"]
        if not self._output:
            for key in _BOUNDS:
                out.pop(key, None)
        options = [option for option in out.get("anyOf", ()) if option != _NULL]
        if len(options) == 1:
            del out["anyOf"]
            out = {**options[0], **out}
        elif options:
            out["anyOf"] = options
        if len(out.get("allOf", ())) == 1:
            out = {**out.pop("allOf")[0], **out}
        return self._inlined(out, inside) if "$ref" in out else out

    def _inlined(self, out: dict[str, Any], inside: tuple[str, ...]) -> dict[str, Any]:
        reference = out["$ref"]
        name = reference.rpartition("/")[2]
        if name in inside:
            return out
        target = self._schema(self._definitions[name], (*inside, name))
        once = self._text.count(json.dumps(reference)) == 1
        if reference in json.dumps(target) or not (once or len(compact_json(target)) <= _SMALL_BYTES):
            self._kept[name] = target
            return out
        del out["$ref"]
        return {**target, **out}
