"""`python -m claude_code_mcp`: the MCP server without arguments, else the command line.

The relay is chosen before anything else is imported: it must be up in milliseconds.
"""

import sys


def main() -> None:
    """Run what the command line asks for, and exit with its code."""
    argv = sys.argv[1:]
    if not argv or argv[0] == "serve" or argv[0] in {"--profile", "--toolsets", "--stream"} or "=" in argv[0]:
        if not argv and sys.stdin.isatty():
            argv = ["--help"]
        else:
            from claude_code_mcp.relay.serve import serve

            sys.exit(serve(argv[1:] if argv and argv[0] == "serve" else argv))
    from claude_code_mcp.surfaces.cli.main import run

    sys.exit(run(argv))


if __name__ == "__main__":
    main()
