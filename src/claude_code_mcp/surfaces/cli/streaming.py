"""`watch --plain`: the lines of every live session as they come, for pipes and logs; with `--json`, their records."""

import json
import select
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from claude_code_mcp.kernel.display import escaped_json, one_line, visible
from claude_code_mcp.surfaces.cli.client import Client, ConnectionLost, take
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.output import print_text

SESSIONS_OP, STREAM_OP = "activity.sessions", "activity.stream"
GONE = "activity_not_found"
WAIT_S = 60.0
PAGE = 500
MOST = 60
"""Sessions followed at once: one connection may wait for so many things."""
LOSSES = 5
LOOKING_S, SETTLED_S = 5.0, 0.5
"""How long a daemon that was just started may find more sessions, and how long it must have found none."""
_LIST = "\0list"
"""Stands for the list of sessions among those that are asked for."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What is followed and how it is written. `session` alone, or all of `project`, or all; `once` ends at once.

    `fresh`: the daemon was started just now, and is still looking around; `once` lets it.
    """

    session: str | None = None
    project: str | None = None
    past: bool = False
    once: bool = False
    as_json: bool = False
    emoji: bool = True
    fresh: bool = False


@dataclass(slots=True)
class _Followed:
    title: str
    cursor: int = 0
    shown: dict[str, str] = field(default_factory=dict)
    """The newest text of each line, so that a daemon that begins anew tells nothing twice."""


class Streaming:
    """Follows through `client` until nobody reads any more, or (with `once`) until all was told."""

    def __init__(self, client: Client, manners: Manners) -> None:
        self._client = client
        self._manners = manners
        self._open: dict[int, str] = {}
        self._followed: dict[str, _Followed] = {}
        self._listed: int | None = None
        self._last = ""
        self._losses = 0
        self._patient = time.monotonic() + LOOKING_S

    def run(self) -> int:
        """Follow, and return the exit code.

        Raises:
            Failure: the daemon refuses, or cannot be reached any more.
            BrokenPipeError: nobody reads.
            KeyboardInterrupt: the person has seen enough.
        """
        self._begin()
        while self._open:
            self._wait()
            try:
                messages = self._client.receive()
            except ConnectionLost:
                self._lost()
                continue
            self._losses = 0
            for message in messages:
                self._take(message)
        return Exit.OK

    def _begin(self) -> None:
        if self._manners.session is not None:
            self._followed.setdefault(self._manners.session, _Followed(""))
            self._ask_stream(self._manners.session, 0)
        else:
            self._ask_list(0)

    def _wait(self) -> None:
        """Wait for the daemon, and notice when whoever reads our output goes away meanwhile."""
        poll = select.poll()
        poll.register(self._client.fileno(), select.POLLIN)
        out = sys.stdout.fileno()
        poll.register(out, 0)
        for fd, what in poll.poll():
            if fd == out and what & select.POLLERR:
                raise BrokenPipeError

    def _send(self, what: str, op: str, args: Mapping[str, Any]) -> None:
        try:
            self._open[self._client.send(op, args)] = what
        except ConnectionLost:
            self._lost()

    def _lost(self) -> None:
        """Find the next daemon; what was told stays told."""
        self._losses += 1
        if self._losses > LOSSES:
            raise Failure(
                "daemon_lost",
                "The daemon ends again and again.",
                remedy="`claude-code-mcp daemon logs` tells why.",
                exit_code=Exit.UNAVAILABLE,
            )
        self._open.clear()
        self._client.reconnect()
        print_text("the daemon was restarted; following on", sys.stderr)
        for one in self._followed.values():
            one.cursor = 0
        self._listed = None
        self._begin()

    def _take(self, message: Mapping[str, Any]) -> None:
        request_id = message.get("id")
        if not isinstance(request_id, int) or request_id not in self._open or "progress" in message:
            return
        what = self._open.pop(request_id)
        try:
            answer = take(message)
        except Failure as failure:
            if what in {_LIST, self._manners.session}:
                raise
            if failure.code != GONE:  # should it come back, the list names it again
                print_text(failure.as_line(), sys.stderr)
            self._followed.pop(what, None)
            return
        if answer is not None:
            (self._list if what == _LIST else self._stream)(what, answer.reply)

    # The sessions

    def _ask_list(self, wait_s: float) -> None:
        args: dict[str, Any] = {"scope": "recent" if self._manners.past else "live", "limit": MOST}
        if self._manners.project is not None:
            args["project_path"] = self._manners.project
        if self._listed is not None:
            args |= {"cursor": self._listed, "wait_s": wait_s}
        self._send(_LIST, SESSIONS_OP, args)

    def _list(self, _what: str, reply: Mapping[str, Any]) -> None:
        asked = set(self._open.values())
        before, self._listed = self._listed, int(reply.get("cursor") or 0)
        if self._manners.once and self._manners.fresh and before != self._listed and time.monotonic() < self._patient:
            self._ask_list(SETTLED_S)
            return
        for item in reply.get("items") or []:
            session_id = str(item["id"])
            project = str(item.get("project_path") or "").rstrip("/").rpartition("/")[2]
            title = " · ".join(part for part in (project, str(item.get("root_task") or "")) if part)
            one = self._followed.setdefault(session_id, _Followed(title))
            one.title = title
            if session_id not in asked and len(asked) < MOST:
                asked.add(session_id)
                self._ask_stream(session_id, 0 if self._manners.once else WAIT_S)
        if not self._manners.once:
            self._ask_list(WAIT_S)

    # One session

    def _ask_stream(self, session_id: str, wait_s: float) -> None:
        look = "claude_code_style" if self._manners.emoji else "text"
        cursor = self._followed[session_id].cursor
        args = {"session_id": session_id, "output_format": look, "cursor": cursor, "limit": PAGE}
        self._send(session_id, STREAM_OP, {**args, "wait_s": wait_s if cursor else 0})

    def _stream(self, asked_for: str, reply: Mapping[str, Any]) -> None:
        one = self._followed.get(asked_for)
        if one is None:
            return
        for record in reply.get("updates") or []:
            self._tell(str(reply.get("session_id") or asked_for), one, record)
        sys.stdout.flush()
        one.cursor = int(reply.get("cursor") or one.cursor)
        if reply.get("more"):
            self._ask_stream(asked_for, 0)
        elif not self._manners.once:
            self._ask_stream(asked_for, WAIT_S)

    def _tell(self, session_id: str, one: _Followed, record: Mapping[str, Any]) -> None:
        update = record["activity_update"]
        line_id, text = str(update["line_id"]), str(update["formatted_line"])
        if one.shown.get(line_id) == text:
            return
        one.shown[line_id] = text
        if self._manners.as_json:
            line = json.dumps(update, ensure_ascii=False, separators=(",", ":"), default=str)
            sys.stdout.write(f"{escaped_json(line)}\n")
            return
        if self._last != session_id:
            self._last = session_id
            sys.stdout.write(f"== {one_line(one.title, 80)} ({session_id})\n" if one.title else "")
        sys.stdout.write(f"{visible(text)}\n")
