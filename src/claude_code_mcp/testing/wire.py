"""A reply as the Messages API writes it: one JSON object, or server-sent events with pauses and gates in between.

Source of the shapes: the API's streaming reference, and what Claude Code 2.1.327 accepts.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from claude_code_mcp.testing.script import Failure, RateLimit, Step, Usage
from claude_code_mcp.testing.selection import Values

SIGNATURE = "c2NyaXB0ZWQ="
"""What stands for the signature of a thinking block: nobody checks it here."""

_ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_PIECES = 400
"""A longer text is sent in about this many deltas: enough to look like a stream, cheap enough for megabytes."""
_WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing is sent for `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GateAt:
    """Nothing is sent until the gate `name` lets the reply through."""

    name: str


@dataclass(frozen=True, slots=True)
class Cut:
    """The connection ends here, in the middle of the message."""


class End(StrEnum):
    """How a stream ends: whole, with the connection cut, or with an error event; the latter two after the text."""

    COMPLETE = "complete"
    CUT = "cut"
    ERROR = "error"


Part = bytes | Pause | GateAt | Cut


@dataclass(frozen=True, slots=True)
class Reply:
    """A step with its placeholders filled in and its ids given."""

    id: str
    model: str
    thinking: str
    text: str
    calls: list[dict[str, Any]]
    step: Step
    gate: str
    gate_within: str
    end: End

    @classmethod
    def of(cls, step: Step, values: Values, *, number: str, model: str, end: End = End.COMPLETE) -> "Reply":
        """Return the reply that `step` gives; `number` makes its ids unique."""
        calls = [
            {
                "type": "tool_use",
                "id": f"toolu_{number}_{position}",
                "name": values.fill(call.name),
                "input": values.fill_all(call.input),
            }
            for position, call in enumerate(step.calls())
        ]
        return cls(
            id=f"msg_{number}",
            model=model,
            thinking=values.fill(step.thinking),
            text=values.fill(step.text) * step.repeat,
            calls=calls,
            step=step,
            gate=values.fill(step.gate),
            gate_within=values.fill(step.gate_within),
            end=end,
        )

    @property
    def stop_reason(self) -> str:
        """Why the reply ends."""
        return self.step.stop_reason or ("tool_use" if self.calls else "end_turn")

    def message(self) -> dict[str, Any]:
        """Return the whole message, as the API answers a request without `stream`."""
        content: list[dict[str, Any]] = []
        if self.thinking:
            content.append({"type": "thinking", "thinking": self.thinking, "signature": SIGNATURE})
        if self.text:
            content.append({"type": "text", "text": self.text})
        return self._head() | {
            "content": content + self.calls,
            "stop_reason": self.stop_reason,
            "usage": _usage(self.step.usage),
        }

    def waits(self) -> Iterator[Pause | GateAt]:
        """Yield what a reply without `stream` waits for, all before its first byte."""
        yield from (part for part in self.parts() if isinstance(part, Pause | GateAt))

    def parts(self) -> Iterator[Part]:
        """Yield the reply as a stream of events."""
        if self.gate:
            yield GateAt(self.gate)
        if self.step.delay_s:
            yield Pause(self.step.delay_s)
        opening = {**_usage(self.step.usage), "output_tokens": 1}
        yield _event(
            "message_start", {"message": self._head() | {"content": [], "stop_reason": None, "usage": opening}}
        )
        yield _event("ping", {})
        yield from self._blocks()
        if self.end is End.ERROR and self.step.error is not None:
            yield _event("error", {"error": _error(self.step.error)})
            return
        if self.end is End.CUT:
            yield Cut()
            return
        delta = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield _event("message_delta", {"delta": delta, "usage": _usage(self.step.usage)})
        yield _event("message_stop", {})

    def _head(self) -> dict[str, Any]:
        return {"id": self.id, "type": "message", "role": "assistant", "model": self.model, "stop_sequence": None}

    def _blocks(self) -> Iterator[Part]:
        index = 0
        if self.thinking:
            yield _start(index, {"type": "thinking", "thinking": "", "signature": ""})
            for piece in _pieces(self.thinking):
                yield from self._token(index, {"type": "thinking_delta", "thinking": piece})
            yield _delta(index, {"type": "signature_delta", "signature": SIGNATURE})
            yield _stop(index)
            index += 1
        if self.text:
            yield _start(index, {"type": "text", "text": ""})
            for number, piece in enumerate(_pieces(self.text)):
                yield from self._token(index, {"type": "text_delta", "text": piece})
                if number == 0 and self.gate_within:
                    yield GateAt(self.gate_within)
            if self.end is End.COMPLETE:
                yield _stop(index)
            index += 1
        elif self.gate_within:
            yield GateAt(self.gate_within)
        if self.end is not End.COMPLETE:
            return
        for position, call in enumerate(self.calls, index):
            yield _start(position, {**call, "input": {}})
            yield _delta(position, {"type": "input_json_delta", "partial_json": json.dumps(call["input"])})
            yield _stop(position)

    def _token(self, index: int, delta: dict[str, Any]) -> Iterator[Part]:
        if self.step.token_delay_s:
            yield Pause(self.step.token_delay_s)
        yield _delta(index, delta)


def headers_of(step: Step, *, request_id: str) -> dict[str, str]:
    """Return the response headers of `step`, error or not."""
    headers = {"request-id": request_id}
    if step.rate_limit is not None:
        headers |= _limit_headers(step.rate_limit)
    if step.error is not None and step.error.retry_after_s is not None:
        headers["retry-after"] = str(step.error.retry_after_s)
    return headers | {name.lower(): value for name, value in step.headers.items()}


def error_body(failure: Failure, *, request_id: str) -> dict[str, Any]:
    """Return the body of an error response."""
    return {"type": "error", "error": _error(failure), "request_id": request_id}


def tokens_in(body: bytes) -> int:
    """Return about as many tokens as `body` has: four bytes each, at least one."""
    return max(1, len(body) // 4)


def _error(failure: Failure) -> dict[str, str]:
    kind = failure.type or _ERROR_TYPES.get(failure.status, "api_error" if failure.status >= 500 else _ERROR_TYPES[400])
    return {"type": kind, "message": failure.message or f"Scripted error {failure.status}"}


def _usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_creation_input_tokens,
        "cache_read_input_tokens": usage.cache_read_input_tokens,
        "output_tokens": usage.output_tokens,
    }


def _limit_headers(limit: RateLimit) -> dict[str, str]:
    prefix = "anthropic-ratelimit-unified"
    short = {"five_hour": "5h", "seven_day": "7d"}.get(limit.claim, limit.claim)
    headers = {
        f"{prefix}-status": limit.status,
        f"{prefix}-reset": str(limit.resets_at),
        f"{prefix}-representative-claim": limit.claim,
        f"{prefix}-{short}-utilization": str(limit.utilization),
        f"{prefix}-{short}-reset": str(limit.resets_at),
    }
    if limit.status == "allowed_warning":
        headers[f"{prefix}-{short}-surpassed-threshold"] = str(min(limit.utilization, 0.9))
    return headers


def _pieces(text: str) -> list[str]:
    """Return `text` cut into words with their spaces, or into even slices where that would be too many."""
    if len(text) <= 16 * _PIECES:
        words = _WORD.findall(text)
        if 0 < len(words) <= _PIECES:
            return words
    size = max(1, -(-len(text) // _PIECES))
    return [text[start : start + size] for start in range(0, len(text), size)]


def _start(index: int, block: dict[str, Any]) -> bytes:
    return _event("content_block_start", {"index": index, "content_block": block})


def _delta(index: int, delta: dict[str, Any]) -> bytes:
    return _event("content_block_delta", {"index": index, "delta": delta})


def _stop(index: int) -> bytes:
    return _event("content_block_stop", {"index": index})


def _event(name: str, data: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode({"type": name, **data}))
