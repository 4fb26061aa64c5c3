"""Following one session to its rest: events in, questions out, keys and Ctrl-C between. One thread, one poll."""

import json
import select
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import click

from claude_code_mcp.surfaces.cli.answering import (
    ANSWER_OP,
    LIST_OP,
    Asked,
    answer_args,
    first_choices,
    how_to_answer,
)
from claude_code_mcp.surfaces.cli.client import Answer, Client, ConnectionLost, take
from claude_code_mcp.surfaces.cli.dialogs import (
    Decided,
    Decision,
    Dialog,
    EditInput,
    Leave,
    LeaveDialog,
    MessageDialog,
    Send,
    ShowAll,
)
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.keys import Keyboard
from claude_code_mcp.surfaces.cli.questions import Question
from claude_code_mcp.surfaces.cli.scene import Entry, Scene, Tone
from claude_code_mcp.surfaces.cli.screens import Screen
from claude_code_mcp.surfaces.cli.signals import Interrupts
from claude_code_mcp.surfaces.cli.tellers import tell

WAIT_OP, SEND_OP, ABORT_OP = "sessions.wait", "sessions.send", "sessions.abort"
WAIT_S = 60
"""How long the daemon may hold one wait; a lost connection is noticed at once all the same."""
PAGE = 500
TICK_S = 0.1
LOSSES = 5
"""Connections that may be lost one after the other before we give up: the daemon dies at each start then."""
IDLE = "idle"
ENDED = frozenset({"stopped", "failed"})

Then = Callable[[Answer], None]


SETTLING = frozenset(
    {"turn.finished", "message.completed", "message.cancelled", "run.exited", "session.failed", "session.aborted"}
)
"""What must have happened before an idle session counts as done with a message that was just handed to it."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How the session is followed: who answers what it asks, who may type, and whether a message is under way."""

    yes: bool = False
    keyboard: Keyboard | None = None
    message_sent: bool = False


@dataclass(slots=True)
class Ending:
    """How the watching ended. `left` is "" where the session came to rest, else how it was left (`detached`,
    `interrupted`); `aborted` is the last wish to end the turn or the session (`interrupt`, `stop`)."""

    status: str = ""
    cursor: int = 0
    left: str = ""
    aborted: str = ""
    outcome: dict[str, Any] | None = None
    needs: list[dict[str, Any]] | None = None


class Follow:
    """Watches `session_id` from `cursor` on, through `client`, on `screen`."""

    def __init__(self, client: Client, screen: Screen, session_id: str, cursor: int, manners: Manners) -> None:
        self.scene = Scene()
        self.ending = Ending(cursor=cursor)
        self._client = client
        self._screen = screen
        self._session_id = session_id
        self._keyboard = manners.keyboard
        self._yes = manners.yes
        self._settled = not manners.message_sent
        self._asked = Asked()
        self._over_dialog: Dialog | None = None
        self._open: dict[int, Then] = {}
        self._losses = 0
        self._over = False

    def run(self) -> Ending:
        """Follow until the session rests, or the person leaves.

        Raises:
            Failure: the daemon refuses, or cannot be reached any more.
        """
        with ExitStack() as held:
            interrupts = held.enter_context(Interrupts())
            held.callback(self._screen.close)
            if self._keyboard is not None:
                held.enter_context(self._keyboard)
            self._wait(0)
            while not self._over:
                self._step(interrupts)
        return self.ending

    def _step(self, interrupts: Interrupts) -> None:
        self._screen.status(self.scene, self._state(), self._lines())
        poll = select.poll()
        poll.register(self._client.fileno(), select.POLLIN)
        poll.register(interrupts.fileno(), select.POLLIN)
        if self._keyboard is not None:
            poll.register(self._keyboard.fileno(), select.POLLIN)
        ready = {fd for fd, _ in poll.poll(TICK_S * 1000 if self.scene.running else 1000)}
        if interrupts.fileno() in ready:
            interrupts.drain()
        if interrupts.count:
            self._interrupted(interrupts)
        if self._keyboard is not None and self._keyboard.fileno() in ready:
            for key in self._keyboard.read():
                self._key(key)
        if self._client.fileno() in ready and not self._over:
            self._receive()

    def _state(self) -> str:
        state = self.ending.status or "starting"
        return "waits for background work" if state == IDLE and self.scene.background else state

    # The connection

    def _request(self, op: str, args: Mapping[str, Any], then: Then) -> None:
        try:
            self._open[self._client.send(op, args)] = then
        except ConnectionLost:
            self._lost()

    def _receive(self) -> None:
        try:
            messages = self._client.receive()
        except ConnectionLost:
            self._lost()
            return
        self._losses = 0
        for message in messages:
            self._take(message)

    def _take(self, message: Mapping[str, Any]) -> None:
        request_id = message.get("id")
        if not isinstance(request_id, int) or request_id not in self._open or "progress" in message:
            return
        then = self._open.pop(request_id)
        try:
            answer = take(message)
        except Failure as failure:
            self._failed(then, failure)
            return
        if answer is not None:
            then(answer)

    def _failed(self, then: Then, failure: Failure) -> None:
        """A wait that fails ends the watching; anything else is told, and the watching goes on."""
        if then == self._waited:
            raise failure
        self._screen.show([Entry(Tone.ERROR, body=failure.as_line())])
        if then == self._answered:
            self._asked.answered.clear()
            self._list_questions()

    def _lost(self) -> None:
        """Find the next daemon and ask again; what we had asked for and not heard of is looked up anew."""
        self._losses += 1
        if self._losses > LOSSES:
            raise Failure(
                "daemon_lost",
                "The daemon ends again and again.",
                remedy="The session goes on. `claude-code-mcp daemon logs` tells why.",
                exit_code=Exit.UNAVAILABLE,
            )
        self._open.clear()
        self._client.reconnect()
        self._screen.show([Entry(Tone.NOTE, "the daemon was restarted", "following on")])
        self._asked.answered.clear()
        self._wait()

    # What happens

    def _wait(self, wait_s: float = WAIT_S) -> None:
        args = {"session_id": self._session_id, "cursor": self.ending.cursor, "until": "event"}
        self._request(WAIT_OP, {**args, "wait_s": wait_s, "limit": PAGE, "detail": "full"}, self._waited)

    def _waited(self, answer: Answer) -> None:
        reply = answer.reply
        for event in reply.get("events") or []:
            self._screen.show(tell(self.scene, event))
            self._settled = self._settled or event.get("kind") in SETTLING
        self.ending.status = str(reply.get("status") or "")
        self.ending.cursor = int(reply.get("cursor") or self.ending.cursor)
        self.ending.needs = list(reply.get("needs") or [])
        self.ending.outcome = reply.get("outcome") or self.ending.outcome
        if reply.get("more"):
            self._wait()
            return
        self._needs()
        idle_for_good = self._settled and not self.scene.background and not self.ending.needs
        if self.ending.status in ENDED or (self.ending.status == IDLE and idle_for_good):
            self._over = True
        else:
            self._wait()

    def _needs(self) -> None:
        ids = {str(need.get("approval_id")) for need in self.ending.needs or []}
        if ids != set(self._asked.known):
            self._list_questions()

    def _list_questions(self) -> None:
        if not self.ending.needs:
            self._questions(Answer({"items": []}, ""))
        else:
            self._request(LIST_OP, {"session_id": self._session_id}, self._questions)

    def _questions(self, answer: Answer) -> None:
        for question in self._asked.take(list(answer.reply.get("items") or [])):
            self._screen.ask(replace(question, summary=self.scene.short(question.summary)))
            if self._yes:
                self._decide(question, first_choices(question))
            elif self._keyboard is None:
                self._screen.say(how_to_answer(question))
        self._put_next()

    def _put_next(self) -> None:
        if self._keyboard is not None and not self._yes and self._asked.next() is not None:
            self._keyboard.forget()

    def _decide(self, question: Question, decision: Decision, changed: Mapping[str, Any] | None = None) -> None:
        self._asked.answered.add(question.approval_id)
        self._request(ANSWER_OP, answer_args(question, decision, changed), self._answered)

    def _answered(self, answer: Answer) -> None:
        """Nothing to do: the next events tell what came of it."""

    # The person

    def _lines(self) -> list[str]:
        dialog = self._over_dialog or self._asked.dialog
        return dialog.lines() if dialog is not None else []

    def _key(self, key: str) -> None:
        dialog = self._over_dialog or self._asked.dialog
        if key == "end":
            self._leave("detach")
        elif dialog is not None:
            decided = dialog.feed(key)
            if decided is not None:
                self._decided(decided)
        elif key == "m":
            self._over_dialog = MessageDialog()

    def _decided(self, decided: Decided) -> None:
        if isinstance(decided, Leave):
            self._leave(decided.how)
        elif isinstance(decided, Send):
            self._over_dialog = None
            self._request(SEND_OP, {"session_id": self._session_id, "prompt": decided.text}, self._answered)
        elif isinstance(decided, ShowAll):
            if self._asked.open is not None:
                self._screen.ask(self._asked.open, whole=True)
        elif isinstance(decided, EditInput):
            self._edit()
        elif (question := self._asked.close()) is not None:
            self._decide(question, decided)
            self._put_next()

    def _edit(self) -> None:
        """Let the person change the input in their editor; text that is no JSON object changes nothing."""
        question = self._asked.open
        if question is None or self._keyboard is None:
            return
        self._screen.close()
        with self._keyboard.lent():
            text = click.edit(json.dumps(question.input, indent=2, ensure_ascii=False), extension=".json")
        self._screen.reopen()
        if text is None:
            return
        try:
            changed = json.loads(text)
        except ValueError as exc:
            self._screen.show([Entry(Tone.WARNING, "not JSON", str(exc))])
            return
        if isinstance(changed, dict):
            self._asked.close()
            self._decide(question, Decision(allow=True), changed)
            self._put_next()

    def _interrupted(self, interrupts: Interrupts) -> None:
        interrupts.count = 0
        if self._keyboard is None or isinstance(self._over_dialog, LeaveDialog):
            self.ending.left, self._over = "interrupted", True
        else:
            self._over_dialog = LeaveDialog()
            self._keyboard.forget()

    def _leave(self, how: str) -> None:
        self._over_dialog = None
        if how == "detach":
            self.ending.left, self._over = "detached", True
        elif how:
            self.ending.aborted = how
            args = {"session_id": self._session_id, "mode": how, "reason": "asked on the terminal"}
            self._request(ABORT_OP, args, self._answered)
