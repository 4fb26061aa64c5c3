"""Sessions as things with an address: one session, its events, and what is active now."""

import json
import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

from claude_code_mcp.features.sessions.models import EventDetail, ListSessions
from claude_code_mcp.features.sessions.service.views import Views
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.ids import SessionId, session_id
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.kernel.resource import Resource, ResourceContent, ResourceTemplate

ACTIVE = "claude://sessions/active"
PAGE = 200
_SESSION = re.compile(r"session://([0-9a-f-]{36})(/events)?(?:\?.*)?\Z")


def address(found: SessionId) -> str:
    """Return the address of a session."""
    return f"session://{found}"


class SessionResources:
    """The resources of sessions (a `SessionResourceProvider`)."""

    templates: Sequence[ResourceTemplate] = (
        ResourceTemplate("session://{session_id}", "session", "One session: state, result, cost, what it waits for."),
        ResourceTemplate(
            "session://{session_id}/events{?after}",
            "session events",
            "The events of a session after a cursor, one JSON object a line.",
            "application/jsonl",
        ),
    )

    def __init__(self, views: Views) -> None:
        self._views = views

    def changed(self, sessions: Sequence[str]) -> Sequence[str]:
        """Return the addresses that read otherwise now that these sessions have new events."""
        each = [uri for found in sessions for uri in (f"session://{found}", f"session://{found}/events")]
        return [*each, ACTIVE]

    async def resources(self) -> Sequence[Resource]:
        """Return the list of active sessions, and each of them."""
        found = await self._views.list(ListSessions(scope="live"), _NOBODY)
        ours = [info for info in found.items if info.ours]
        return [
            Resource(ACTIVE, "active sessions", "Sessions that run on this machine.", "application/json"),
            *(Resource(f"session://{info.session_id}", info.title or info.prompt or "session") for info in ours),
        ]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        """Return what stands at `uri`; None where it is no address of a session.

        Raises:
            SessionNotFound: there is no such session.
        """
        if uri == ACTIVE:
            found = await self._views.list(ListSessions(scope="live"), _NOBODY)
            body = json.dumps([info.model_dump(mode="json", exclude_none=True) for info in found.items])
            return [ResourceContent(uri, body, "application/json")]
        match = _SESSION.match(uri)
        if match is None:
            return None
        found_id = session_id(match[1])
        if match[2] is None:
            return [ResourceContent(uri, (await self._views.show(found_id, _NOBODY)).text())]
        page = self._views.page(found_id, _after(uri), PAGE, EventDetail.FULL)
        lines = [json.dumps(event, ensure_ascii=False) for event in page.events]
        return [ResourceContent(uri, "\n".join(lines), "application/jsonl")]


_NOBODY = Caller(cwd="", surface=Surface.MCP)


def _after(uri: str) -> int:
    text = parse_qs(urlsplit(uri).query).get("after", ["0"])[0]
    if not text.isdecimal() or len(text) > 18:
        raise Invalid(f"{text[:40]!r} is no cursor.", remedy="Use a number of an earlier event.")
    return int(text)
