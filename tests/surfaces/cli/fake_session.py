"""One session behind a fake daemon: events are pushed by the test, answers and wishes are written down."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from tests.surfaces.cli.rpc_server import HangUp, Send

SESSION = "0f8fad5b-d9cb-469f-a165-70867728950e"
ASKED: Mapping[str, Any] = {
    "approval_id": "a1",
    "kind": "permission",
    "tool": "Bash",
    "summary": "touch x",
    "input": {"command": "touch x", "description": "make it"},
    "rules": ["allow Bash(touch *) (localSettings)"],
}


class FakeSession:
    """Answers as the daemon does for one session; thread-safe, since the test and the server are two threads."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.status = "running"
        self.outcome: dict[str, Any] | None = None
        self.approvals: dict[str, Mapping[str, Any]] = {}
        self.answers: list[Mapping[str, Any]] = []
        self.sent: list[str] = []
        self.aborted: list[str] = []
        self.started: list[Mapping[str, Any]] = []
        self.listed: list[Mapping[str, Any]] = []
        self.waits: list[Mapping[str, Any]] = []
        self.deaths = 0
        self.refuse_answers = 0
        self._changed = threading.Condition()
        self._waiters: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def push(self, kind: str, payload: Mapping[str, Any] | None = None, **more: Any) -> None:
        with self._changed:
            seq = len(self.events) + 1
            event = {"seq": seq, "at": "2026-11-20T04:00:00.000000Z", "kind": kind, "payload": payload or {}, **more}
            self.events.append(event)
            self._changed.notify_all()
            for loop, waiter in self._waiters:
                loop.call_soon_threadsafe(waiter.set)
            self._waiters.clear()

    def ask(self, approval: Mapping[str, Any] = ASKED) -> None:
        with self._changed:
            self.approvals[approval["approval_id"]] = approval
            self.status = "waiting"
        self.push(
            "approval.asked",
            {"request_id": "r", "name": approval["tool"], "summary": approval["summary"]},
            tool_use_id="t1",
        )

    def rest(self, status: str = "idle", **outcome: Any) -> None:
        with self._changed:
            self.status = status
            self.outcome = {"ok": True, "subtype": "success", "answer": "All done.", "errors": [], **outcome}
        self.push("message.completed", {"message_uuid": "m1"})

    def wait_for(self, what: str, count: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(getattr(self, what)) >= count, 60), f"no {what}"

    async def handle(self, op: str, args: Mapping[str, Any], send: Send) -> Mapping[str, Any]:
        return await {
            "sessions.start": self._start,
            "sessions.resume": self._start,
            "sessions.status": self._status,
            "sessions.wait": self._wait,
            "sessions.send": self._send,
            "sessions.abort": self._abort,
            "approvals.list": self._list,
            "approvals.answer": self._answer,
        }[op](args)

    async def _start(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        self.started.append(args)
        notes = ["the project's hooks were left out"]
        return said(
            {"session_id": SESSION, "run_id": "r1", "message_id": "m1", "status": "queued", "cursor": 0, "notes": notes}
        )

    async def _status(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        return said({"session_id": args["session_id"], "status": self.status, "cursor": len(self.events)})

    async def _wait(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        if self.deaths:
            self.deaths -= 1
            raise HangUp
        with self._changed:
            self.waits.append(args)
            self._changed.notify_all()
        cursor = args["cursor"]
        while args["wait_s"] and len(self.events) <= cursor:
            await self._more(cursor)
        new = self.events[cursor : cursor + 3]
        rested = self.status in {"idle", "stopped", "failed"}
        return said(
            {
                "session_id": args["session_id"],
                "cursor": cursor + len(new),
                "more": len(self.events) > cursor + len(new),
                "events": new,
                "lines": [],
                "status": self.status,
                "reached": bool(new),
                "needs": [{key: approval[key] for key in NEED} for approval in self.approvals.values()],
                "outcome": self.outcome if rested else None,
            }
        )

    async def _more(self, cursor: int) -> None:
        waiter = asyncio.Event()
        with self._changed:
            if len(self.events) > cursor:
                return
            self._waiters.append((asyncio.get_running_loop(), waiter))
        await waiter.wait()

    async def _list(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._changed:
            items = list(self.approvals.values())
            self.listed.append(args)
            self._changed.notify_all()
        return said({"items": items})

    async def _answer(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._changed:
            if self.refuse_answers:
                self.refuse_answers -= 1
                return {"error": {"code": "bad_answer", "message": "It does not fit.", "remedy": "", "exit_code": 2}}
            self.answers.append(args)
            tool = self.approvals.pop(args["approval_id"])["tool"]
            self.status = "running"
            self._changed.notify_all()
        self.push("approval.answered", {"decision": args["decision"], "by": "cli", "tool": tool})
        return said({"items": []})

    async def _send(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._changed:
            self.sent.append(args["prompt"])
            self._changed.notify_all()
        return said({"message_id": "m"})

    async def _abort(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        with self._changed:
            self.aborted.append(args["mode"])
            self._changed.notify_all()
        self.rest("stopped" if args["mode"] == "stop" else "idle", ok=False, subtype="error_during_execution")
        return said({"did": "stopped"})


NEED = ("approval_id", "kind", "tool", "summary")


def said(reply: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"reply": reply, "text": "told"}
