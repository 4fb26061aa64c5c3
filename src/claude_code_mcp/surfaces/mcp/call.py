"""One running call: the request that it answers, and what its operation may ask of the client meanwhile.

Cancelling. `notifications/cancelled`, a closed response stream and the end of the connection cancel the task in
which the operation runs. That ends the *wait*, nothing else: an operation must not tie the life of a session to
its own. What has to be finished once it is begun runs under `asyncio.shield` or in the service that owns it
(every `db.write` does); it is not undone by a cancel. Only `tasks/cancel` calls work off, and only where the
operation named a way to do so (`Caller.left(..., stop=...)`).

Questions. `Caller.elicit` just waits for the answer. In the handshake era it is a request to the client. In the
stateless era the call is answered with `input_required` and parked; the client's retry brings the answers and
the same coroutine goes on (`detached`, `questions`).
"""

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from claude_code_mcp.kernel.caller import Caller, Invocation
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.surfaces.mcp.schema import compact_json

STREAM_METHOD = "claude.stream"
"""The notification's name in the document that asks for it."""
STREAM_VENDOR_METHOD = "notifications/claude/stream"
"""The same under MCP's naming rule for notifications, for clients that hold ours to it."""

Requests = Mapping[str, Mapping[str, Any]]
"""Questions to the client by key, each `{"method": ..., "params": ...}` (MCP `InputRequests`)."""
Answers = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the client declared, as far as a call depends on it."""

    elicits: bool = False
    tasks: bool = False
    modern: bool = False
    raw: Mapping[str, Any] | None = None


class Exchange(Protocol):
    """The client's request that a call answers, while it does."""

    @property
    def abilities(self) -> Abilities:
        """What the client declared."""
        ...

    @property
    def wants_progress(self) -> bool:
        """Whether the client asked for progress."""
        ...

    async def progress(self, done: float, message: str) -> None:
        """Send one progress notification."""
        ...

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification on the request's own stream."""
        ...

    async def request(self, method: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Ask the client and return its result (handshake era only)."""
        ...


class Asker(Protocol):
    """Gets answers to several questions at once."""

    async def ask(self, requests: Requests) -> Answers:
        """Return the client's result for each key."""
        ...


@dataclass(slots=True, eq=False)
class Client:
    """Who a call is for: one object for every call of a connection."""

    caller: Caller
    context: Callable[[Caller], Any]
    stream_method: str = STREAM_METHOD
    named: bool = False

    def name(self, name: object, version: object) -> None:
        """Note what the client first calls itself; how the connection named it is kept behind that."""
        if self.named:
            return
        self.named = True
        given = f" ({self.caller.client})" if self.caller.client else ""
        self.caller = replace(self.caller, client=f"{str(name)[:80]} {str(version)[:40]}{given}")


class Call:
    """One run of a tool. What it tells the client goes to `exchange`, which changes when the call is parked."""

    __slots__ = (
        "_asked",
        "_done",
        "arguments",
        "asker",
        "client",
        "exchange",
        "message",
        "patient",
        "rest",
        "stop",
        "tell_rest",
    )

    def __init__(self, client: Client, exchange: Exchange, arguments: Mapping[str, Any]) -> None:
        self.client = client
        self.exchange = exchange
        self.arguments = arguments
        self.asker: Asker | None = None
        self.rest: Invocation | None = None
        self.stop: Invocation | None = None
        self.patient = False
        self.message = ""
        self.tell_rest: Callable[[], Awaitable[None]] | None = None
        self._done = -1.0
        self._asked: Counter[str] = Counter()

    def context(self) -> Any:
        """Return what the operation is given as `ctx`."""
        base = self.client.caller
        abilities = self.exchange.abilities
        return self.client.context(
            Caller(
                cwd=base.cwd,
                surface=Surface.MCP,
                client=base.client,
                env=base.env,
                progress=self.progress if self.asker is not None or self.exchange.wants_progress else None,
                elicit=self.elicit if self.asker is not None and abilities.elicits else None,
                notify=self.notify,
                handover=self.hand_over,
                stream=base.stream,
                session=base.session,
                patient=self.patient,
            )
        )

    async def progress(self, done_s: float, message: str) -> None:
        """Tell how far the call is; the number is made to grow, as the protocol demands."""
        self.message = message
        self._done = done_s if done_s > self._done else self._done + 0.001
        await self.exchange.progress(self._done, message)

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification of ours; `claude.stream` goes out under the name that the client chose."""
        await self.exchange.notify(self.client.stream_method if method == STREAM_METHOD else method, params)

    async def ask(self, requests: Requests) -> Answers:
        """Return the client's results, by key; the client must have declared what is asked."""
        if self.asker is None:
            raise RuntimeError("this call has nobody to ask")
        return await self.asker.ask(requests)

    async def elicit(self, message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Ask the person; None when they declined, closed the form or left out a required field.

        The values are as the client sent them: check them before use.
        """
        params = {"mode": "form", "message": message, "requestedSchema": dict(schema)}
        key = self._key(params)
        answer = (await self.ask({key: {"method": "elicitation/create", "params": params}}))[key]
        content = answer.get("content")
        if answer.get("action") != "accept" or not isinstance(content, dict):
            return None
        return content if all(name in content for name in schema.get("required", ())) else None

    async def hand_over(self, rest: Invocation, stop: Invocation | None = None) -> None:
        """Note what is left of this call."""
        self.rest, self.stop = rest, stop
        if self.tell_rest is not None:
            await self.tell_rest()

    def _key(self, params: Mapping[str, Any]) -> str:
        """Name a question by its content, so that an answer can never reach another question."""
        digest = hashlib.sha256(compact_json(params).encode("utf-8", "surrogatepass")).hexdigest()[:12]
        self._asked[digest] += 1
        return f"{digest}-{self._asked[digest]}"


class BackChannel:
    """Asks by requests to the client, as the handshake era does."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def ask(self, requests: Requests) -> Answers:
        """Ask one question after the other.

        Raises:
            MCPError: the client answered with an error, or cannot be asked.
        """
        return {
            key: await self._exchange.request(request["method"], request["params"]) for key, request in requests.items()
        }
