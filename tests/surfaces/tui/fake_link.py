"""A daemon in this process: sessions and trees as a test makes them, with cursors that wait, and deaths on wish."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp.surfaces.cli.client import ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.tui.link import Told

Json = dict[str, Any]


def session(number: int = 1, **more: Any) -> Json:
    return {
        "id": f"{number:08x}-d9cb-469f-a165-70867728950e",
        "start_time": f"2026-11-20T04:{number % 60:02d}:00.000000Z",
        "last_event_at": f"2026-11-20T05:{number % 60:02d}:00.000000Z",
        "status": "active",
        "live": True,
        "ours": True,
        "project_path": f"/home/dev/code/app{number}",
        "root_task": f"Do thing {number}",
        **more,
    }


def node(node_id: str, name: str, *children: Json, kind: str = "tool_call", **more: Any) -> Json:
    return {
        "id": node_id,
        "type": kind,
        "name": name,
        "status": "completed",
        "duration_ms": 245,
        "children": list(children),
        **more,
    }


def task(node_id: str, name: str, *children: Json, **more: Any) -> Json:
    return node(node_id, name, *children, kind="task", **more)


class FakeLink:
    """Answers as the daemon does. `approvals` wait, `asked` is everything that was asked, by operation."""

    def __init__(self) -> None:
        self.sessions: list[Json] = []
        self.past: list[Json] = []
        self.trees: dict[str, list[Json]] = {}
        self.settings: Json = {"show_timings": True, "highlight_errors": True, "threshold_slow_ms": 500}
        self.lines: dict[str, list[Json]] = {}
        self.approvals: dict[str, Json] = {}
        self.transcript = "what was said"
        self.errors: dict[str, Failure] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.details: dict[str, Json] = {}
        self.told: Told = lambda _: None
        self.connected = True
        self.closed = False
        self.generation = 1
        self._cursor = 1
        self._changed = asyncio.Event()
        self._returned = asyncio.Event()

    def change(self) -> None:
        """Say that something is new."""
        self._cursor += 1
        self._wake()

    def die(self) -> None:
        """Hang up on everybody."""
        self.connected = False
        self._returned.clear()
        self._wake()

    def come_back(self) -> None:
        """Be there again."""
        self.connected = True
        self.generation += 1
        self._returned.set()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def of(self, op: str) -> list[Mapping[str, Any]]:
        return [args for name, args in self.asked if name == op]

    async def call(self, op: str, args: Mapping[str, Any]) -> bytes:
        self.asked.append((op, args))
        if not self.connected:
            raise ConnectionLost
        if op in self.errors:
            raise self.errors[op]
        while args.get("cursor") == self._cursor:
            await self._changed.wait()
            if not self.connected:
                raise ConnectionLost
        handle = getattr(self, "_" + op.replace(".", "_"))
        return json.dumps(handle(args)).encode()

    async def reconnect(self) -> None:
        if not self.connected:
            self.told("The daemon went away; looking for the next one ...")
            await self._returned.wait()
            self.told("Connected again.")

    async def close(self) -> None:
        self.closed = True

    def _activity_sessions(self, args: Mapping[str, Any]) -> Json:
        items = self.sessions + (self.past if args["scope"] != "live" else [])
        return {"items": items, "cursor": self._cursor}

    def _activity_tree(self, args: Mapping[str, Any]) -> Json:
        session_id = args["session_id"]
        root = node(session_id, "session", *self.trees.get(session_id, []), kind="session", status="running")
        (found,) = [one for one in self.sessions + self.past if one["id"] == session_id]
        return {"activity_tree": {"root_task": root}, "session": found, "cursor": self._cursor}

    def _activity_stream(self, args: Mapping[str, Any]) -> Json:
        wanted = args["session_id"]
        (session_id,) = [one["id"] for one in self.sessions if one["id"].startswith(wanted)] or [""]
        if not session_id:
            raise Failure("activity_not_found", "No such session was seen.", exit_code=3)
        lines = self.lines.get(session_id, [])
        after = [line for line in lines if line["since"] > args["cursor"]]
        updates = [
            {
                "activity_update": {
                    "formatted_line": line["text"]
                    if args["output_format"] == "claude_code_style"
                    else f"(text) {line['text']}",
                    "raw_event": {"session_id": session_id},
                    "display_action": line["action"],
                    "line_id": line["line_id"],
                }
            }
            for line in after[: args["limit"]]
        ]
        return {"session_id": session_id, "updates": updates, "cursor": self._cursor, "more": False}

    def put(self, session_id: str, line_id: str, text: str, action: str = "append") -> None:
        """Say a line, or say it anew."""
        lines = self.lines.setdefault(session_id, [])
        lines[:] = [line for line in lines if line["line_id"] != line_id]
        lines.append({"line_id": line_id, "text": text, "action": action, "since": self._cursor + 1})
        self.change()

    def _activity_configure(self, args: Mapping[str, Any]) -> Json:
        return {"session_id": args["session_id"], "settings": self.settings}

    def _activity_show(self, args: Mapping[str, Any]) -> Json:
        found = self.details.get(args["id"])
        if found is None:
            raise Failure("node_not_found", "There is no such node.")
        return {"session_id": args["session_id"], "node": node(args["id"], "x"), **found}

    def _activity_export(self, args: Mapping[str, Any]) -> Json:
        Path(args["out"]).write_text(self.transcript, "utf-8")
        return {"session_id": args["session_id"], "format": args["format"], "bytes": 1, "out": args["out"]}

    def _approvals_list(self, _args: Mapping[str, Any]) -> Json:
        return {"items": list(self.approvals.values())}

    def _approvals_answer(self, args: Mapping[str, Any]) -> Json:
        return {"items": [self.approvals.pop(args["approval_id"])]}

    def _sessions_abort(self, args: Mapping[str, Any]) -> Json:
        return {"session_id": args["session_id"]}
