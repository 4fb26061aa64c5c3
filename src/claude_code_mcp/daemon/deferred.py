"""Importing others' packages without what a daemon does not use of them.

Importing any module of the MCP SDK runs `mcp/__init__.py` first, which imports all there is: clients, an HTTP
client, OAuth and its cryptography. A server on a socket needs none of them, at 17 MB and 0.2 s. What it does import
makes three versions of the protocol, each with a validator for every message: another 4 MB and a third of the time,
for a dozen that are ever used.
"""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter


class _Deferred(ModuleType):
    """A package that is complete as soon as a name in it is missed."""

    def __getattr__(self, name: str) -> Any:
        spec = self.__spec__
        if spec is None or spec.loader is None or name.startswith("__"):
            raise AttributeError(name)
        self.__class__ = ModuleType  # type: ignore[assignment]  # the way of importlib.util.LazyLoader
        spec.loader.exec_module(self)
        return getattr(self, name)


def defer(*packages: str) -> None:
    """Defer `packages`, outer ones first; those that are imported already stay as they are."""
    for name in packages:
        spec = None if name in sys.modules else find_spec(name)
        if spec is not None:
            module = module_from_spec(spec)
            module.__class__ = _Deferred
            sys.modules[name] = module
            outer, _, inner = name.rpartition(".")
            if outer:
                setattr(sys.modules[outer], inner, module)


@contextmanager
def absent(*modules: str) -> Generator[None]:
    """Have what is imported inside do without `modules`, which it knows how to; those imported already stay."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python marks what must not load
    try:
        yield
    finally:
        for name in hidden:
            sys.modules.pop(name, None)


def without_plugins() -> None:
    """Have pydantic not look for plugins, which it does when it builds its first validator.

    It would read the metadata of all packages that are installed, with parsers of mail, ZIP and CSV: 2.5 MB and 20 ms.
    Its own switch, `PYDANTIC_DISABLE_PLUGINS`, comes after their import.
    """
    loader = ModuleType("pydantic.plugin._loader")
    loader.get_plugins = tuple  # type: ignore[attr-defined]  # nothing, each time it is asked
    sys.modules.setdefault(loader.__name__, loader)


@contextmanager
def built_late() -> Generator[None]:
    """Have the pydantic models and adapters that are made inside build their validators when they are first used."""
    config, make = BaseModel.model_config, TypeAdapter.__init__

    def late(self: TypeAdapter[Any], kind: Any, **given: Any) -> None:
        depth = given.pop("_parent_depth", 2) + 1  # names in `kind` are looked up where the adapter is made
        if not isinstance(kind, type):  # a model's own configuration counts
            given["config"] = {"defer_build": True, **(given.get("config") or {})}
        make(self, kind, _parent_depth=depth, **given)

    BaseModel.model_config = ConfigDict(defer_build=True)
    setattr(TypeAdapter, "__init__", late)  # noqa: B010 - a plain assignment is what type checkers refuse
    try:
        yield
    finally:
        BaseModel.model_config = config
        setattr(TypeAdapter, "__init__", make)  # noqa: B010 - as above
