"""Events as the daemon's replies carry them, from recordings of the real CLI."""

from typing import Any

import msgspec

from claude_code_mcp.kernel.clock import stamp
from tests.platform.claude.replay import FIXTURES, events


def recorded(name: str) -> list[dict[str, Any]]:
    """Return what a daemon would have recorded of the stream `name`."""
    found = []
    for seq, event in enumerate(events((FIXTURES / "stream" / f"{name}.jsonl").read_bytes()), 1):
        found.append(
            {
                "seq": seq,
                "at": stamp(event.at),
                "kind": event.fact.kind,
                "session_id": event.session_id,
                "subject": event.subject,
                "parent": event.parent,
                "tool_use_id": event.tool_use_id,
                "agent_id": event.agent_id,
                "payload": msgspec.json.decode(msgspec.json.encode(event.fact)),
            }
        )
    return found
