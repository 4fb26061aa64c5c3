"""`errors.md`: every code with which something is refused, by family."""

from collections.abc import Iterator

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import cell, code, page, table

_INTRO = """An error says what is wrong and with which id (`message`), what to do next (`remedy`), and the same for
programs (`details`). Its code never changes its meaning. Over MCP an error of a tool is a result with `isError`
whose text begins with the code; on the command line it is one line on standard error, or with `--json` an object
`{"error": {code, message, remedy, details}}`, and the exit code of its family."""

WITHOUT_DAEMON = {
    "no_daemon": "No daemon runs, and the command would not start one.",
    "daemon_not_started": "A daemon was started and did not listen in time, or ended; the message says why.",
    "daemon_unreachable": "The socket is there and cannot be connected to.",
    "daemon_silent": "The daemon took the connection and said nothing.",
    "daemon_lost": "The daemon ended while the command waited; sessions go on.",
    "daemon_not_ended": "`daemon stop` or `daemon restart` waited, and the daemon was still there.",
    "bad_welcome": "What listens on the socket is no daemon of ours.",
    "protocol_mismatch": "Daemon and client speak different protocols; restart the daemon.",
    "no_log": "No daemon has written a log here yet.",
    "demo_failed": "The demo could not be shown; the message says what was missing.",
    "statusline_taken": "Claude Code shows a status line of the person's own; `--force` puts ours in its place.",
    "usage": "The command line does not fit.",
    "internal": "A bug of ours. The message has a reference; the daemon's log has the details.",
}
"""What the command line says of itself and of a daemon that it does not reach; these are no operation's errors."""


def errors_page(declared: Declared) -> str:
    """Return the page."""
    families = [error for error in declared.errors if ClaudeCodeMcpError in error.__bases__]
    families.sort(key=lambda error: error.exit_code)
    parts = [list(_family(family, declared.errors)) for family in families]
    rows = [(code(name), cell(meaning)) for name, meaning in sorted(WITHOUT_DAEMON.items())]
    about = ["## Between the command line and the daemon", "", *table(("code", "meaning"), rows)]
    return page("Errors", _INTRO, _overview(families), *parts, about)


def _overview(families: list[type[ClaudeCodeMcpError]]) -> list[str]:
    rows = [(code(f.code), str(f.status), str(f.exit_code), meaning(f)) for f in families]
    return table(("family", "HTTP status", "exit code", "meaning"), rows)


def _family(family: type[ClaudeCodeMcpError], errors: tuple[type[ClaudeCodeMcpError], ...]) -> Iterator[str]:
    yield from (f"## Family {code(family.code)}", "")
    leaves: dict[str, list[str]] = {family.code: [meaning(family)]}
    for error in errors:
        if error is not family and issubclass(error, family):
            said = leaves.setdefault(error.code, [])
            if meaning(error) not in said:
                said.append(meaning(error))
    for name, said in sorted(leaves.items()):
        yield from (f"### {code(name)}", "", " ".join(said), "")


def meaning(error: type[ClaudeCodeMcpError]) -> str:
    """Return what a class of errors says about itself, on one line."""
    return " ".join((error.__doc__ or "").split())
