"""What there is to document, found and not listed: no surface names a feature, and none can be forgotten.

Every module of the package is imported, and what was declared is then asked of the kernel's base classes.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.operation import Catalog, Document

_PACKAGE = "claude_code_mcp"
_PROGRAMS = ("__main__", "shim")
"""Modules that are started, not imported."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Declared:
    """All declarations of the program: operations in the order of the catalog, the others by name."""

    catalog: Catalog
    facts: tuple[type[Fact], ...]
    errors: tuple[type[ClaudeCodeMcpError], ...]
    documents: tuple[type[Document], ...]


def declared() -> Declared:
    """Return everything that the program declares."""
    _import_all()
    catalog: Catalog = importlib.import_module(f"{_PACKAGE}.catalog").build_catalog()
    facts = sorted(_below(Fact), key=lambda fact: fact.kind)
    errors = sorted(_below(ClaudeCodeMcpError), key=lambda error: (error.code, error.__module__, error.__qualname__))
    documents = sorted(_below(Document), key=lambda document: document.schema_id)
    return Declared(catalog, tuple(facts), tuple(errors), tuple(documents))


def _import_all() -> None:
    package: Any = importlib.import_module(_PACKAGE)
    for found in pkgutil.walk_packages(package.__path__, f"{_PACKAGE}."):
        if found.name.rpartition(".")[2] not in _PROGRAMS:
            importlib.import_module(found.name)


def _below(base: type[T]) -> Iterator[type[T]]:
    """Yield the subclasses of `base` that the program itself declares, each once."""
    seen: set[type[T]] = set()
    open_: list[type[T]] = [base]
    while open_:
        for child in open_.pop().__subclasses__():
            if child not in seen:
                seen.add(child)
                open_.append(child)
                if child.__module__.startswith(f"{_PACKAGE}."):
                    yield child
