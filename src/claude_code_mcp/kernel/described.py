"""Models whose fields are described by the docstrings below them, read from the source when a schema wants them.

Pydantic can do the same (`use_attribute_docstrings`), but looks for each class in its source while it is made: a third
of the time in which all of ours are imported, though only lists of tools and help ever show a description.
"""

import ast
import sys
from collections.abc import Generator, Mapping
from functools import cache
from importlib.abc import InspectLoader
from inspect import cleandoc, get_annotations, getsource
from types import MappingProxyType, ModuleType

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Docs = Mapping[str, str]
_NONE: Docs = MappingProxyType({})
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Described(BaseModel):
    """A model whose JSON schema describes each field by the docstring below it."""

    # Validators are built when the first object of their kind comes, not while a client waits for the start.
    model_config = ConfigDict(defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema, descriptions included."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in descriptions(cls).items():
            field = cls.model_fields[name]
            for shown in {name, field.alias, field.serialization_alias} & properties.keys():
                properties[shown]["description"] = text
        return schema


def descriptions(model: type[BaseModel]) -> Docs:
    """Return the fields' descriptions: what `Field` says, else the docstring; fields without one are left out.

    Without the source there are no docstrings.
    """
    told = {}
    for name, field in model.model_fields.items():
        text = field.description or _docstring(model, name)
        if text:
            told[name] = text
    return told


def _docstring(model: type[BaseModel], field: str) -> str | None:
    """Return the docstring of a field in the class that annotates it last."""
    home = next((base for base in model.__mro__ if field in get_annotations(base)), model)
    return _documented(home.__module__).get(home.__qualname__, _NONE).get(field)


@cache
def _documented(module: str) -> Mapping[str, Docs]:
    """Return the docstrings of attributes for each class of an imported module, by the class's qualified name."""
    source = _source(sys.modules[module])
    return dict(_classes(ast.parse(source), "")) if source is not None else {}


def _source(module: ModuleType) -> str | None:
    loader = module.__loader__
    try:
        # `inspect` would keep the lines for good.
        return loader.get_source(module.__name__) if isinstance(loader, InspectLoader) else getsource(module)
    except (OSError, ImportError, TypeError):
        return None


def _classes(scope: ast.AST, prefix: str) -> Generator[tuple[str, Docs]]:
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.ClassDef):
            yield prefix + node.name, dict(_attributes(node))
            yield from _classes(node, f"{prefix}{node.name}.")
        elif isinstance(node, _FUNCTIONS):
            yield from _classes(node, f"{prefix}{node.name}.<locals>.")
        elif isinstance(node, ast.stmt):
            yield from _classes(node, prefix)


def _attributes(node: ast.ClassDef) -> Generator[tuple[str, str]]:
    for before, after in zip(node.body, node.body[1:], strict=False):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            yield before.target.id, cleandoc(after.value.value)
