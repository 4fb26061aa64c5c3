"""`python -m claude_code_mcp`: the MCP server without arguments, else the command line.

The relay is chosen before anything else is imported: it must be up in milliseconds. So are the status line, which
Claude Code asks for all the time, and the daemon, in the very words that clients start it with. A plain command of the
catalog is asked of the daemon that runs; all else is for the whole command line. That is handed what lies above it:
the catalog and the daemon, imported when they are first wanted.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # what `typing` says too, without its import
if TYPE_CHECKING:
    from pathlib import Path

    from claude_code_mcp.kernel.operation import Catalog

_RELAY_FLAGS = frozenset({"--profile", "--toolsets", "--stream"})


def main() -> None:
    """Run what the command line asks for, and exit with its code."""
    argv = sys.argv[1:]
    if "_CLAUDE_CODE_MCP_COMPLETE" not in os.environ:  # a shell that asks for completions gives no arguments
        if not argv and sys.stdin.isatty():
            argv = ["--help"]
        elif not argv or argv[0] == "serve" or argv[0].partition("=")[0] in _RELAY_FLAGS:
            from claude_code_mcp.relay.serve import serve

            sys.exit(serve(argv[1:] if argv and argv[0] == "serve" else argv))
        elif argv == ["statusline"] and not sys.stdin.isatty():
            from claude_code_mcp.surfaces.statusline import on_standard_streams

            sys.exit(on_standard_streams())
        elif argv[:3] == ["daemon", "run", "--state-dir"] and argv[4:5] == ["--ready-fd"] and len(argv) == 6:
            from pathlib import Path

            sys.exit(_daemon(Path(argv[3]), int(argv[5])))
        from claude_code_mcp.surfaces.cli.quick import run as run_quickly

        code = run_quickly(argv, os.environ, _catalog)
        if code is not None:
            sys.exit(code)
    from claude_code_mcp.surfaces.cli.main import run

    sys.exit(run(argv, load=_catalog, daemon=_daemon))


def _catalog() -> Catalog:
    from claude_code_mcp.catalog import build_catalog

    return build_catalog()


def _daemon(state_dir: Path, ready_fd: int | None) -> int:
    import gc

    gc.disable()  # until it listens: see `daemon.heap`
    from claude_code_mcp.daemon import main as run_daemon

    return run_daemon(state_dir=state_dir, ready_fd=ready_fd)


if __name__ == "__main__":
    main()
