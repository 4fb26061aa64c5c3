"""Activity as things with an address: the sessions, a session's tree, and its console log."""

import re
from collections.abc import Sequence

from claude_code_mcp.features.activity.models import ListActivity, Scope, ShowTree
from claude_code_mcp.features.activity.service.activity import Activity
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.ids import session_id
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.kernel.resource import Resource, ResourceContent, ResourceTemplate

SESSIONS = "activity://sessions"
_ADDRESS = re.compile(r"activity://([0-9a-f-]{36})/(tree|log)\Z")
_NOBODY = Caller(cwd="", surface=Surface.MCP)


class ActivityResources:
    """The resources of activity (a `SessionResourceProvider`)."""

    templates: Sequence[ResourceTemplate] = (
        ResourceTemplate(
            "activity://{session_id}/tree", "activity tree", "What a session does, as a tree.", "application/json"
        ),
        ResourceTemplate("activity://{session_id}/log", "activity log", "The same as lines, as a console shows it."),
    )

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def changed(self, sessions: Sequence[str]) -> Sequence[str]:
        """Return the addresses that read otherwise now that these sessions have new events."""
        each = [uri for found in sessions for uri in (f"activity://{found}/tree", f"activity://{found}/log")]
        return [*each, SESSIONS]

    async def resources(self) -> Sequence[Resource]:
        """Return the list of sessions, and the trees of the live ones."""
        found = await self._activity.sessions(ListActivity(scope=Scope.LIVE), _NOBODY)
        trees = [
            Resource(f"activity://{one.id}/tree", one.root_task or one.id, mime_type="application/json")
            for one in found.items
        ]
        about = "What every Claude Code on this machine does."
        return [Resource(SESSIONS, "activity", about, "application/json"), *trees]

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        """Return what stands at `uri`; None where it is no address of activity.

        Raises:
            ActivityNotFound: there is no such session.
        """
        if uri == SESSIONS:
            found = await self._activity.sessions(ListActivity(), _NOBODY)
            return [ResourceContent(uri, found.model_dump_json(exclude_none=True), "application/json")]
        match = _ADDRESS.match(uri)
        if match is None:
            return None
        one = session_id(match[1])
        if match[2] == "log":
            return [ResourceContent(uri, await self._activity.log(one))]
        tree = await self._activity.tree(ShowTree(session_id=one), _NOBODY)
        return [ResourceContent(uri, tree.model_dump_json(exclude_none=True), "application/json")]
