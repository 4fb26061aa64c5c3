"""`http.md`: every route of the daemon's listener."""

from collections.abc import Iterator

from claude_code_mcp.kernel.operation import Effect, Operation, Surface
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import anchor, cell, code, page, table
from claude_code_mcp.surfaces.http import errors
from claude_code_mcp.surfaces.http.api import CWD_HEADER, OPENAPI, PREFIX
from claude_code_mcp.surfaces.http.app import HEALTH, MCP
from claude_code_mcp.surfaces.http.door import TOKEN_HEADER
from claude_code_mcp.surfaces.http.events import BEAT_S
from claude_code_mcp.surfaces.http.events import PATH as EVENTS
from claude_code_mcp.surfaces.http.ingest import HOOKS, SIGNALS
from claude_code_mcp.surfaces.http.openapi import route
from claude_code_mcp.surfaces.http.serving import Limits
from claude_code_mcp.surfaces.http.wire import BODY_BYTES

_INTRO = f"""The daemon listens on 127.0.0.1, on a port that is chosen once and kept (settings
[`http`](settings.md#http) and [`http_port`](settings.md#http_port)). `claude-code-mcp http` shows the URL and the
token; both stand in `http.json` in the state directory, readable for you alone. Send the token as `Authorization:
Bearer TOKEN` or as `{TOKEN_HEADER}: TOKEN`, never in the address. `Host` must be `127.0.0.1` or `localhost` with the
port; pages of other sites are refused. Bodies are `application/json`, {BODY_BYTES // 2**20} MiB at most."""
_KERNEL = """On Linux the kernel says whose process a connection comes from: hooks and telemetry of your own processes
need no token. `claude-code-mcp telemetry env` prints what makes a Claude Code send its telemetry here."""
_EVENTS = f"""Server-sent events, each with `id` (its place in the log), `event` (its kind) and `data` (the
[event](events.md) as JSON). `after=N` begins after that place, `after=0` with the first; without it the stream begins
now. `Last-Event-ID` counts more than `after`, so an `EventSource` goes on by itself. `session_id=` and `kinds=A,B`
choose. A comment comes every {BEAT_S:g} s when nothing happens. Nothing is queued for a slow reader: it is read to from
its own place in the log, and hung up on when it reads nothing for half a minute."""
_CALLS = f"""Arguments are a JSON object; operations that change nothing also take them as a query with GET (a list by
naming it again). A request has no working directory: name the project, or send `{CWD_HEADER}`. It has no environment
either: sessions get HOME, PATH and the like from the daemon, the rest from their `env`. The answer is
`{{"reply": …, "text": …}}`."""
_REFUSALS = """An error is `{"error": {"code", "message", "remedy", "details"}}` with the status of its family: 422 for
arguments that do not fit, 404 for what does not exist, 409 where its state does not allow it, 403 for what is not
allowed, 503 where something that is needed cannot serve now, 500 for a bug of ours. Before an operation sees it, a
request may be answered with:"""


def http_page(declared: Declared) -> str:
    """Return the page."""
    operations = declared.catalog.on(Surface.HTTP)
    return page("HTTP", _INTRO, list(_routes()), list(_operations(operations)), list(_answers()), list(_limits()))


def _routes() -> Iterator[str]:
    yield from ("## Routes", "")
    signals = ", ".join(code(path) for path in SIGNALS)
    rows = [
        (code(f"POST {PREFIX}/FEATURE/VERB"), "the token", "An operation; see below."),
        (code(f"GET {PREFIX}"), "the token", "All operations."),
        (code(f"GET {OPENAPI}"), "the token", "The same as an OpenAPI 3.1 document."),
        (code(f"GET {EVENTS}"), "the token", "The event log as a stream; see below."),
        (code(MCP), "the token", "MCP over Streamable HTTP; `?profile=` and `?toolsets=` as for `serve`."),
        (code(f"POST {HOOKS}"), "your user, or a token", "A hook of Claude Code; answered 200 with an empty body."),
        (f"POST {signals}", "your user, or the token", "OTLP/HTTP with JSON, gzip or not; protobuf is answered 415."),
        (code(f"GET {HEALTH}"), "nothing", "Answers 200 while the daemon serves."),
    ]
    yield from table(("route", "needs", "does"), rows)
    yield from (_KERNEL, "", f"### {EVENTS}", "", _EVENTS, "")


def _operations(operations: list[Operation]) -> Iterator[str]:
    yield from ("## Operations", "", _CALLS, "")
    rows = [
        (
            code(f"{'GET, POST' if op.effect is Effect.READ else 'POST'} {route(op)}"),
            f"[{op.name}](operations.md#{anchor(op.name)})",
            cell(op.doc.split("\n\n")[0]),
        )
        for op in operations
    ]
    yield from table(("route", "operation", "does"), rows)


def _answers() -> Iterator[str]:
    yield from ("## Errors", "", _REFUSALS, "")
    found = [
        errors.BadBody,
        errors.TokenNeeded,
        errors.ForeignOrigin,
        errors.UnknownRoute,
        errors.WrongMethod,
        errors.BodyTooLarge,
        errors.WrongContent,
        errors.WrongHost,
        errors.TooManyStreams,
        errors.Closing,
    ]
    rows = [(str(error.status), code(error.code), cell((error.__doc__ or "").split("\n")[0])) for error in found]
    yield from table(("status", "code", "means"), rows)


def _limits() -> Iterator[str]:
    limits = Limits()
    yield from ("## Limits", "")
    rows = [
        ("connections at once", str(limits.connections)),
        ("a request to arrive whole", f"{limits.request_s:g} s"),
        ("an answer that is not read", f"{limits.unread_s:g} s"),
        ("a connection between two requests", f"{limits.keep_alive_s:g} s"),
        ("headers of a request", f"{limits.header_bytes // 1024} KiB"),
        ("its body, unpacked too", f"{BODY_BYTES // 2**20} MiB"),
    ]
    yield from table(("what", "at most"), rows)
