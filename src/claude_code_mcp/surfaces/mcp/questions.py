"""Calls that wait for an answer in the stateless era: parked here, found again by the state the client echoes.

Multi round-trip requests (SEP-2322, protocol 2026-07-28): the call is answered with `resultType:
"input_required"`, `inputRequests` and an opaque `requestState`; the client repeats the call with
`inputResponses` and that state. The state is sealed (AES-256-GCM, the SDK's codec), bound to the tool, the
arguments and a deadline, and names the parked call. After a restart nothing is parked any more: then the state
still says what is left of the call, and that is run with the answers.
"""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS

from claude_code_mcp.kernel.caller import Invocation
from claude_code_mcp.surfaces.mcp.call import Client
from claude_code_mcp.surfaces.mcp.detached import Detached
from claude_code_mcp.surfaces.mcp.tools import Result

if TYPE_CHECKING:
    from mcp.server.request_state import AESGCMRequestStateCodec

PATIENCE_S = 3600.0
"""How long a person may take to answer."""
_MOST_PARKED = 1000
log = logging.getLogger(__name__)


class State(msgspec.Struct, frozen=True):
    """What the client carries for us between two rounds."""

    token: str
    digest: str
    expires: float
    rest: Invocation | None = None


@dataclass(frozen=True, slots=True)
class _Parked:
    detached: Detached
    client: Client
    timer: asyncio.TimerHandle


class Questions:
    """The parked calls, and the seal on what the client keeps of them."""

    def __init__(self, key: bytes | None = None) -> None:
        """`key`: at least 32 random bytes that outlive a restart; without them each process makes its own."""
        self._key = key or secrets.token_bytes(32)
        self._parked: dict[str, _Parked] = {}

    @cached_property
    def _codec(self) -> "AESGCMRequestStateCodec":
        # Seven megabytes of cryptography, and most clients never come back with an answer of this kind.
        from mcp.server.request_state import AESGCMRequestStateCodec  # noqa: PLC0415 - see above

        return AESGCMRequestStateCodec([self._key])

    def park(self, detached: Detached, client: Client, name: str, arguments: Mapping[str, Any]) -> Result:
        """Keep a call that asks, and return the answer that puts its questions to the client."""
        token = secrets.token_urlsafe(18)
        if len(self._parked) >= _MOST_PARKED:
            self._give_up(next(iter(self._parked)))
        timer = asyncio.get_running_loop().call_later(PATIENCE_S, self._give_up, token)
        self._parked[token] = _Parked(detached, client, timer)
        state = State(token, _digest(name, arguments), time.time() + PATIENCE_S, detached.call.rest)
        return {
            "resultType": "input_required",
            "inputRequests": dict(detached.open),
            "requestState": self._codec.seal(msgspec.json.encode(state)),
        }

    def open(self, sealed: object, name: str, arguments: Mapping[str, Any]) -> State:
        """Return the state that a retry of this call carries.

        Raises:
            MCPError: it is not ours, not of this call, or too old (-32602, as the protocol wants).
        """
        from mcp.server.request_state import InvalidRequestState  # noqa: PLC0415 - as above

        try:
            state = msgspec.json.decode(self._codec.unseal(str(sealed)), type=State)
        except (InvalidRequestState, msgspec.MsgspecError) as exc:
            log.warning("requestState refused: %s", exc)
        else:
            if state.digest == _digest(name, arguments) and time.time() < state.expires:
                return state
            log.warning("requestState refused: of another call, or expired")
        raise MCPError(INVALID_PARAMS, "Invalid or expired requestState", {"reason": "invalid_request_state"})

    def take(self, state: State) -> Detached | None:
        """Return the parked call that `state` names, and forget it; None when it is gone."""
        parked = self._parked.pop(state.token, None)
        if parked is None:
            return None
        parked.timer.cancel()
        return parked.detached

    def leave(self, client: Client) -> None:
        """Stop the parked calls of a client that is gone."""
        for token in [token for token, parked in self._parked.items() if parked.client is client]:
            self._give_up(token)

    def close(self) -> None:
        """Stop all parked calls."""
        for token in list(self._parked):
            self._give_up(token)

    def _give_up(self, token: str) -> None:
        parked = self._parked.pop(token, None)
        if parked is not None:
            parked.timer.cancel()
            parked.detached.cancel()


def _digest(name: str, arguments: Mapping[str, Any]) -> str:
    body = msgspec.json.encode([name, arguments], order="sorted")
    return hashlib.sha256(body).hexdigest()[:32]
