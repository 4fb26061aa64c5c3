"""`watch`: what each key does."""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

from textual.actions import SkipAction
from textual.binding import Binding, BindingType
from textual.widgets import Input

from claude_code_mcp.platform.files.offload import off_loop
from claude_code_mcp.surfaces.cli.answering import ANSWER_OP, LIST_OP, answer_args, question_of
from claude_code_mcp.surfaces.cli.client import ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.node_lines import Piece
from claude_code_mcp.surfaces.cli.nodes import Node, Session
from claude_code_mcp.surfaces.cli.questions import Question
from claude_code_mcp.surfaces.tui import lent
from claude_code_mcp.surfaces.tui.frame import Frame, waiting_nodes
from claude_code_mcp.surfaces.tui.rows import Filter
from claude_code_mcp.surfaces.tui.screens import Answering, Reader, Stopping
from claude_code_mcp.surfaces.tui.texts import KEYS

ABORT_OP, EXPORT_OP = "sessions.abort", "activity.export"


class WatchApp(Frame):
    """Sessions on the left, the tree of the chosen one on the right, and a key for everything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,ctrl+c", "leave", show=False),
        Binding("question_mark", "keys", show=False),
        Binding("tab,shift+tab", "side", show=False, priority=True),
        Binding("enter", "details", show=False),
        Binding("escape", "close_pane", show=False),
        # First of all, so that what is typed in one go with it (a slow line) is what is searched for.
        Binding("slash", "search", show=False, priority=True),
        Binding("n", "found(1)", show=False),
        Binding("N", "found(-1)", show=False),
        *(Binding(str(key), f"only('{one.value}')", show=False) for key, one in enumerate(Filter, start=1)),
        Binding("f", "follow", show=False),
        Binding("w", "waiting", show=False),
        Binding("a,y", "answer", show=False),
        Binding("x", "stop", show=False),
        Binding("t", "transcript", show=False),
        Binding("P", "past", show=False),
        Binding("plus,equals_sign", "depth(1)", show=False),
        Binding("minus", "depth(-1)", show=False),
        Binding("left", "fold(True)", show=False),
        Binding("right", "fold(False)", show=False),
        Binding("space", "open_close", show=False),
        Binding("c", "fold_ended", show=False),
        Binding("e", "unroll", show=False),
    ]

    def action_keys(self) -> None:
        """Show what each key does."""
        self.push_screen(Reader("Keys", [Piece(line) for line in KEYS.split("\n")]))

    def action_side(self) -> None:
        """Go to the other side."""
        if self.screen.id == "_default" or len(self.screen_stack) == 1:
            self.screen.set_focus(self.outline if self.sessions.has_focus else self.sessions)

    def action_details(self) -> None:
        """Open or close the details of the node under the cursor."""
        if self.sessions.has_focus:
            self.screen.set_focus(self.outline)
            return
        self.query_one("#detail").toggle_class("open")
        self.node_chosen()

    def action_close_pane(self) -> None:
        """Close what is open, then forget the search, then go to the sessions."""
        detail = self.query_one("#detail")
        if self.query_one("#query").display:
            self._close_search()
        elif detail.has_class("open"):
            detail.remove_class("open")
        elif self.outline.view.query:
            self.outline.search("")
            self.say("")
        else:
            self.screen.set_focus(self.sessions)

    def action_leave(self) -> None:
        """Quit."""
        self.exit(int(Exit.OK))

    # What is shown

    def action_only(self, what: str) -> None:
        """Show only such nodes."""
        self.outline.only(Filter(what))
        self.title_changed()
        self.node_chosen()

    def action_follow(self) -> None:
        """Stand on the newest from now on, or stay where the cursor is."""
        self.outline.follow = not self.outline.follow
        self.outline.flatten()
        self.title_changed()

    def action_depth(self, by: int) -> None:
        """Open or close a level of all."""
        self.outline.deeper(by)
        self.title_changed()

    def action_fold(self, close: bool) -> None:
        """Close or open the node under the cursor."""
        self.outline.fold(close=close)

    def action_open_close(self) -> None:
        """Close the node under the cursor, or open it."""
        self.outline.toggle()

    def action_fold_ended(self) -> None:
        """Close what has ended."""
        self.outline.fold_ended()

    def action_unroll(self) -> None:
        """Show the whole error."""
        self.outline.unroll()

    def action_past(self) -> None:
        """Show past sessions too, or only live ones."""
        self.past = not self.past
        self.say("Past sessions are shown." if self.past else "Only live sessions are shown.")
        self.watch_sessions()

    # Search

    def action_search(self) -> None:
        """Ask what to search for."""
        query = self.query_one("#query", Input)
        if self.focused is query:
            raise SkipAction  # a slash is typed
        query.display = True
        query.value = ""
        # Not `query.focus()`: that takes its turn after the keys that came in one go with the first.
        self.screen.set_focus(query)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search."""
        self._close_search()
        found = self.outline.search(event.value)
        if event.value.strip():
            self.say(f"{found} found; n and N go on." if found else "Nothing in this tree has that.")
        self.title_changed()
        self.node_chosen()

    def _close_search(self) -> None:
        self.query_one("#query", Input).display = False
        self.screen.set_focus(self.outline)

    def action_found(self, by: int) -> None:
        """Go to another match."""
        if not self.outline.next_found(by):
            self.say("Nothing is searched for: / begins.")
        self.node_chosen()

    # What waits

    def action_waiting(self) -> None:
        """Go to the next that waits for a person: in this tree, then in the next session that has something."""
        waiting = [node.id for node in waiting_nodes(self.outline.root)]
        here = self.outline.chosen.id if self.outline.chosen is not None else ""
        if here in waiting[:-1] or (waiting and here not in waiting):
            self.outline.reveal(waiting[waiting.index(here) + 1 if here in waiting else 0])
        elif not self._next_waiting_session():
            self.say("Nothing waits for you." if not waiting else "Nothing else waits for you.")
            return
        self.screen.set_focus(self.outline)
        self.title_changed()
        self.node_chosen()

    def _next_waiting_session(self) -> bool:
        order = self.sessions.sessions
        places = [place for place, one in enumerate(order) if one.waiting_for and one.id != self.shown_id]
        if not places:
            return False
        after = [place for place in places if place > self.sessions.cursor]
        self.sessions.place((after or places)[0])
        self.to_reveal = True
        self.session_chosen()
        return True

    def action_answer(self) -> None:
        """Answer what waits under the cursor, or the first that waits in this tree."""
        node = self._question_node()
        if node is None:
            theirs = self.session is not None and self.session.waiting_for and not self.session.ours
            self.say("It was not started by claude-code-mcp: answer it where it runs." if theirs else "Nothing asks.")
            return
        self.run_worker(self._answer(node.approval_id, self.shown_id), group="answer", exclusive=True)

    def _question_node(self) -> Node | None:
        chosen = self.outline.chosen
        waiting = [node for node in waiting_nodes(self.outline.root) if node.approval_id]
        near = [] if chosen is None else [chosen, *chosen.children]
        return next((node for node in [*near, *waiting] if node in waiting), None)

    async def _answer(self, approval_id: str, session_id: str) -> None:
        found = await self._ask(LIST_OP, {"session_id": session_id})
        if found is None:
            return
        items = [item for item in found.get("items") or [] if item.get("approval_id") == approval_id]
        if not items:
            self.say("It was answered elsewhere.")
            return
        question = question_of(items[0])
        screen = Answering(question, self._edited)
        decision = await self.push_screen_wait(screen)
        if decision is None:
            return
        done = await self._ask(ANSWER_OP, answer_args(question, decision, screen.changed))
        if done is not None:
            said = "always allowed" if decision.always else "allowed" if decision.allow else "denied"
            self.say(f"{question.tool}: {said}.")

    def _edited(self, question: Question) -> dict[str, Any] | None:
        """Let the person change the input in their editor; what is no JSON object changes nothing."""
        try:
            return lent.edited(self, question.input)
        except ValueError as exc:
            self.say(str(exc), "yellow")
        return None

    async def _ask(self, op: str, args: dict[str, Any]) -> dict[str, Any] | None:
        """Return the reply, None where there is none: then the line for messages says why."""
        try:
            return await self.feeds.ask(op, args)
        except Failure as failure:
            self.say(failure.as_line(), "red")
        except ConnectionLost:
            self.say("The daemon went away before it answered; look whether it was done.", "red")
        return None

    # The session

    def action_stop(self) -> None:
        """Ask whether the session is to be stopped."""
        session = self.session
        if session is None:
            return
        if not session.ours:
            self.say("It was not started by claude-code-mcp: it can be watched, not stopped.")
            return
        self.run_worker(self._stop(session), group="stop", exclusive=True)

    async def _stop(self, session: Session) -> None:
        how = await self.push_screen_wait(Stopping(session.root_task or session.id))
        if how and await self._ask(ABORT_OP, {"session_id": session.id, "mode": how, "reason": "asked in watch"}):
            self.say("It is being stopped." if how == "stop" else "Its turn is being interrupted.")

    def action_transcript(self) -> None:
        """Read what was said and done."""
        if self.session is not None:
            self.run_worker(self._transcript(self.session), group="transcript", exclusive=True)

    async def _transcript(self, session: Session) -> None:
        with tempfile.TemporaryDirectory(prefix="ccm-watch-") as folder:
            file = Path(folder) / "transcript.txt"
            args = {"session_id": session.id, "format": "text", "out": str(file)}
            if await self._ask(EXPORT_OP, args) is None:
                return
            text = await off_loop(lent.read, file)
            if not lent.paged(self, file, text):
                lines = [Piece(line) for line in text.split("\n")]
                await self.push_screen_wait(Reader(f"{session.project}: {session.root_task}", lines))
