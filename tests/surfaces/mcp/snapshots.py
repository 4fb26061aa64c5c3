"""One file for each tool's schema: a changed file is a changed contract, and needs a line in the changelog.

`make snapshots` writes them anew; read the diff.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from claude_code_mcp.catalog import build_catalog
from claude_code_mcp.kernel.operation import Catalog
from claude_code_mcp.surfaces.mcp.profiles import ConnectionOptions
from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.tools import Tool

TOOLS = Path(__file__).parents[2] / "snapshots" / "tools"


def surface_of(catalog: Catalog) -> McpSurface:
    """Return a surface to look at; it is not opened."""
    return McpSurface(Parts(catalog=catalog, context=lambda caller: caller, version="1"))


def full(catalog: Catalog) -> tuple[Tool, ...]:
    """Return every tool of a catalog."""
    return surface_of(catalog).toolbox(ConnectionOptions("full")).listed


def differences(tools: Iterable[Tool], folder: Path) -> list[str]:
    """Return what differs between `tools` and the files of `folder`."""
    wanted = _texts(tools)
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")}
    return [
        f"{name}: {'is new' if name not in found else 'is gone' if name not in wanted else 'changed'}"
        for name in sorted(wanted.keys() | found.keys())
        if wanted.get(name) != found.get(name)
    ]


def write(tools: Iterable[Tool], folder: Path) -> None:
    """Make the files of `folder` fit `tools`."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = _texts(tools)
    for path in folder.glob("*.json"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")


def _texts(tools: Iterable[Tool]) -> dict[str, str]:
    return {f"{tool.name}.json": json.dumps(tool.wire, indent=2, ensure_ascii=False) + "\n" for tool in tools}


if __name__ == "__main__":
    write(full(build_catalog()), TOOLS)
