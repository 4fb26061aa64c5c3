"""`python -m claude_code_mcp.surfaces.docs DIRECTORY`: write the reference pages anew."""

import sys
from pathlib import Path

from claude_code_mcp.surfaces.docs.discovery import declared
from claude_code_mcp.surfaces.docs.pages import PAGES


def main(argv: list[str]) -> int:
    """Write every page into the directory that is named; return the exit code."""
    if len(argv) != 1 or argv[0].startswith("-"):
        sys.stderr.write("usage: python -m claude_code_mcp.surfaces.docs DIRECTORY\n")
        return 2
    directory = Path(argv[0])
    directory.mkdir(parents=True, exist_ok=True)
    all_declared = declared()
    for name, page in PAGES.items():
        (directory / name).write_text(page(all_declared), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
