"""The operations over HTTP: `POST /api/<feature>/<verb>`, and `GET` where nothing is changed."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.kernel.operation import Effect, Operation, Reply, Shared, Surface, spelled
from claude_code_mcp.surfaces.http.errors import BadBody, Closing, UnknownRoute, WrongMethod
from claude_code_mcp.surfaces.http.openapi import openapi, route
from claude_code_mcp.surfaces.http.parts import Parts
from claude_code_mcp.surfaces.http.wire import (
    Heads,
    Receive,
    Scope,
    Send,
    answer,
    answer_error,
    as_json,
    need_json,
    whole_body,
)

PREFIX = "/api"
OPENAPI = "/openapi.json"
CWD_HEADER = "X-Claude-Code-Mcp-Cwd"
_CWD_HEADER = CWD_HEADER.lower().encode()
log = logging.getLogger(__name__)


class Api:
    """The catalog as routes."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._operations = {route(op): op for op in parts.catalog.on(Surface.HTTP)}
        self._calls: set[asyncio.Task[Reply]] = set()
        self._closing = False
        self._openapi = b""
        self._kinds: dict[str, Mapping[str, str]] = {}

    async def serve(self, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        """Answer one request below `PREFIX`, or for `OPENAPI`.

        Raises:
            ClaudeCodeMcpError: it cannot be served, or the operation says so.
        """
        path, method = scope["path"], scope["method"]
        op = self._operations.get(path)
        if op is not None:
            await self._call(op, scope, heads, receive, send)
        elif path.rstrip("/") not in (PREFIX, OPENAPI):
            raise UnknownRoute(f"There is nothing at {path[:200]!r}.", remedy=f"`GET {PREFIX}` lists the operations.")
        elif method not in ("GET", "HEAD"):
            raise WrongMethod(f"{path} is only read.", remedy="Use GET.")
        elif path == OPENAPI:
            self._openapi = self._openapi or as_json(openapi(self._operations, self._parts.version))
            await answer(send, 200, self._openapi)
        else:
            await answer(send, 200, as_json({"operations": [_listed(*found) for found in self._operations.items()]}))

    def close(self) -> None:
        """Break off the calls that wait; what they started goes on."""
        self._closing = True
        for task in self._calls:
            task.cancel()

    async def _call(self, op: Operation, scope: Scope, heads: Heads, receive: Receive, send: Send) -> None:
        args = await self._arguments(op, scope, heads, receive)
        caller = self._parts.caller(_cwd(heads))
        task = asyncio.get_running_loop().create_task(op.call(self._parts.context(caller), args))
        self._calls.add(task)
        gone = asyncio.get_running_loop().create_task(_hung_up(receive))
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            self._calls.discard(task)
            if not task.done():
                task.cancel()  # nobody waits any more; what the call started goes on
        if task.cancelled() and self._closing:
            raise Closing("The daemon is on its way out.", remedy="Ask again; what was started goes on.")
        if task.done() and not task.cancelled():
            await _tell(op, task, send)

    async def _arguments(self, op: Operation, scope: Scope, heads: Heads, receive: Receive) -> dict[str, Any]:
        if scope["method"] == "POST":
            need_json(heads)
            return _object(await whole_body(heads, receive))
        if scope["method"] not in ("GET", "HEAD") or op.effect is not Effect.READ:
            allowed = "GET or POST" if op.effect is Effect.READ else "POST"
            raise WrongMethod(f"{op.name} is not called by {scope['method'][:20]}.", remedy=f"Use {allowed}.")
        if op.name not in self._kinds:
            self._kinds[op.name] = _kinds(op)
        return _from_query(op, scope["query_string"], self._kinds[op.name])


async def _tell(op: Operation, task: asyncio.Task[Reply], send: Send) -> None:
    try:
        reply = task.result()
    except ClaudeCodeMcpError:
        raise
    except Exception:
        reference = uuid7()
        log.exception("operation %s failed [%s]", op.name, reference)
        failure = ClaudeCodeMcpError(
            f"Something inside went wrong ({reference}).", remedy="`claude-code-mcp daemon logs` has the details."
        )
        await answer_error(send, failure)
        return
    await answer(send, 200, reply.kept("http", lambda: _said(reply)) if isinstance(reply, Shared) else _said(reply))


def _said(reply: Reply) -> bytes:
    return as_json({"reply": reply.model_dump(mode="json"), "text": reply.text()})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


def _listed(path: str, op: Operation) -> dict[str, Any]:
    methods = ["GET", "POST"] if op.effect is Effect.READ else ["POST"]
    return {"name": op.name, "path": path, "methods": methods, "effect": op.effect.value, "about": op.doc}


def _cwd(heads: Heads) -> str:
    cwd = heads.get(_CWD_HEADER, b"").decode("utf-8", "replace")
    if cwd and not cwd.startswith("/"):
        raise BadBody(f"{CWD_HEADER} is not an absolute path.", remedy="Name the directory from the root.")
    return cwd


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError) as exc:
        raise BadBody(f"The body is no JSON: {str(exc)[:200]}.", remedy="Send one JSON object.") from None
    if not isinstance(found, dict):
        raise BadBody("The body is no JSON object.", remedy="Send the arguments as one JSON object.")
    return found


def _kinds(op: Operation) -> Mapping[str, str]:
    """Return which arguments are lists or objects: a query has neither."""
    schema = op.request.model_json_schema()
    found = {}
    for name, field in schema.get("properties", {}).items():
        options = [field, *field.get("anyOf", ())]
        kinds = {option.get("type") for option in options} & {"array", "object", "string"}
        if kinds:
            found[name] = "array" if "array" in kinds else "string" if "string" in kinds else "object"
    return found


def _from_query(op: Operation, query: bytes, kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments in a query; a list is a name that comes again and again, an object is JSON.

    Raises:
        BadBody: it cannot be read.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError as exc:
        raise BadBody(f"The query cannot be read: {str(exc)[:200]}.") from None
    found: dict[str, Any] = {}
    for name, value in pairs:
        target = next(iter(spelled({name: value}, op.request)))
        if kinds.get(target) == "array":
            found.setdefault(name, []).append(value)
        elif name in found:
            raise BadBody(f"{name[:80]!r} is given twice.", remedy="Name it once.")
        else:
            found[name] = _object(value.encode()) if kinds.get(target) == "object" else value
    return found
