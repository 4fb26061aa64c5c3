"""Packages whose own first file is run when something of it is asked for, and not when a part of them is imported.

Importing any module of the MCP SDK runs `mcp/__init__.py` first, which imports all there is: clients, an HTTP
client, OAuth and its cryptography. A server on a socket needs none of them, at 17 MB and 0.2 s.
"""

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any


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
