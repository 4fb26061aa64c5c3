"""A batch of OTLP, record by record, into events. Nothing in a batch raises once it is JSON of the right shape."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, text_of, word_of
from claude_code_mcp.platform.claude.otlp.links import Links
from claude_code_mcp.platform.claude.otlp.logs import take_log
from claude_code_mcp.platform.claude.otlp.metrics import take_point
from claude_code_mcp.platform.claude.otlp.record import Record, attributes, session_of
from claude_code_mcp.platform.claude.otlp.spans import release, take_span
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber

SERVICE = "claude-code"
HOLD_S = 10.0
"""How long an interaction waits for the record that tells its prompt: exporters of both send every 5 s by default."""
_PLACES = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}
_TAKE = {"logs": take_log, "traces": take_span, "metrics": take_point}


class NotOtlp(Invalid):
    """What was sent is no batch of OTLP with JSON."""

    code = "not_otlp"


def batch(signal: str, body: bytes, scrubber: Scrubber = PLAIN) -> dict[str, Any]:
    """Return a batch as decoded JSON, without secrets.

    Raises:
        NotOtlp: it is not JSON, or not of this signal.
    """
    try:
        message = msgspec.json.decode(body)
    except (ValueError, RecursionError) as exc:
        raise NotOtlp(f"The body is no JSON: {str(exc)[:200]}.") from None
    if not isinstance(message, dict) or not isinstance(message.get(_PLACES[signal][0], []), list):
        raise NotOtlp(f"The body is no batch of {signal}.")
    return scrubber.value(message) if scrubber.hits(body) else message


def records(signal: str, message: dict[str, Any], at: datetime) -> Iterator[Record]:
    """Yield the records of a batch that Claude Code sent; those of other programs are passed over."""
    resources, scopes, items = _PLACES[signal]
    for resource in dicts_of(message, resources):
        about = attributes(dict_of(resource, "resource"))
        if text_of(about, "service.name") != SERVICE:
            continue
        version = word_of(about, "service.version")
        for scope in dicts_of(resource, scopes):
            for item in dicts_of(scope, items):
                for obj in _points(item) if signal == "metrics" else (item,):
                    attrs = attributes(obj)
                    yield Record(signal, obj, attrs, session_of(attrs), version, at)


def malformed(signal: str, message: dict[str, Any]) -> int:
    """Return how many records of a batch are none."""
    resources, scopes, items = _PLACES[signal]
    lists = (scope.get(items) for resource in dicts_of(message, resources) for scope in dicts_of(resource, scopes))
    return sum(not isinstance(item, dict) for found in lists if isinstance(found, list) for item in found)


def _points(metric: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind in ("sum", "gauge"):
        for point in dicts_of(dict_of(metric, kind), "dataPoints"):
            yield {**point, "metric": text_of(metric, "name")}


class OtlpReader:
    """Reads the batches of all senders, in the order in which they come."""

    def __init__(self) -> None:
        self._links = Links()

    @property
    def holds(self) -> bool:
        """Whether something waits for what another batch may tell; `settle` gives it up."""
        return bool(self._links.held)

    def take(self, record: Record) -> list[Event]:
        """Return the events of one record."""
        _TAKE[record.signal](record, self._links)
        events, record.events = record.events, []
        return events

    def settle(self, at: datetime, *, logs: bool = False) -> list[Event]:
        """Return what needs to wait no longer.

        That is what waits for a prompt that was told by now (asked with `logs`, after a batch of them), and what has
        waited for `HOLD_S`.
        """
        found: list[Event] = []
        for span, record in list(self._links.held.items()):
            told = logs and self._links.prompts.get(span) is not None
            if told or at - record.at >= timedelta(seconds=HOLD_S):
                del self._links.held[span]
                release(record, self._links)
                found += record.events
        return found
