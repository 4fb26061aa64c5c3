"""The left side: every session in two lines, what waits for a person on top."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from claude_code_mcp.kernel import clock
from claude_code_mcp.surfaces.cli.node_lines import Line, Look, Now, Piece, duration, fit
from claude_code_mcp.surfaces.cli.nodes import TASK, Session, in_order
from claude_code_mcp.surfaces.cli.scene import dollars
from claude_code_mcp.surfaces.tui.lines import LineView

_STYLES: Mapping[str, str] = {
    "waiting": "bold yellow",
    "active": "green",
    "paused": "cyan",
    "completed": "dim",
    "failed": "red",
}
TICKS_A_SECOND = 4
_WORDS: Mapping[str, str] = {"active": "works", "paused": "rests", "completed": "done", "failed": "failed"}


class SessionList(LineView):
    """The sessions; the cursor stays on its session when the order changes."""

    PER_ITEM = 2

    def __init__(self, look: Look, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(id="sessions")
        self._look = look
        self._now = now
        self.sessions: list[Session] = []
        self.frame = 0
        self.told = False

    @property
    def chosen(self) -> Session | None:
        """The session under the cursor."""
        return self.sessions[self.cursor] if self.cursor < len(self.sessions) else None

    def show(self, sessions: list[Session]) -> None:
        """Show `sessions` in their order."""
        before, self.told = self.chosen, True
        self.sessions = in_order(sessions)
        self.changed(self.index(before.id) if before is not None else 0)

    def index(self, session_id: str) -> int:
        """Return where a session stands, the cursor's place where it does not."""
        places = (place for place, one in enumerate(self.sessions) if one.id == session_id)
        return next(places, self.cursor)

    def choose(self, session_id: str) -> None:
        """Put the cursor on a session."""
        self.place(self.index(session_id))

    def tick(self) -> None:
        """Turn the spinners that are on the screen."""
        self.frame += 1
        for item in self.in_view():
            session = self.sessions[item]
            # Who does not work has no spinner: only its seconds go by.
            if session.live and (state_of(session) == "active" or self.frame % TICKS_A_SECOND == 0):
                self.redraw(item)

    def count(self) -> int:
        """Return how many sessions there are."""
        return len(self.sessions)

    def empty(self) -> str:
        """Return what is shown without any session."""
        return "No session is live. P: past ones." if self.told else "Looking ..."

    def line(self, item: int, part: int) -> Line:
        """Return one of the two lines of a session."""
        return (self._first if part == 0 else self._second)(self.sessions[item])

    def _first(self, session: Session) -> Line:
        state = state_of(session)
        running = state == "active" and session.live
        mark = self._look.mark("running", Now(self.frame)) if running else self._look.set.bullet
        about = fit(session.root_task, 100)
        head = [Piece(f"{mark} ", _STYLES.get(state, "")), Piece(fit(session.project, 30), "bold")]
        return Line(
            (*head, Piece(f" {about}" if about else "")), (Piece(f" {self.elapsed(session)}", "dim"),), spread=True
        )

    def _second(self, session: Session) -> Line:
        cost = "" if session.cost_microusd is None else f" {dollars(session.cost_microusd)}"
        tail = (Piece(cost, "dim"),)
        if session.waiting_for:
            return Line((Piece(f"  waits: {fit(session.waiting_for, 80)}", "bold yellow"),), tail, spread=True)
        running = [one.name for one in session.active_operations if one.type != TASK]
        doing = ", ".join(fit(name, 30) for name in running[:3])
        words = doing if doing and session.live else _WORDS.get(session.status, fit(session.status, 12))
        theirs = "" if session.ours else ", not ours"
        return Line((Piece(f"  {words}{theirs}", _STYLES.get(state_of(session), "")),), tail, spread=True)

    def elapsed(self, session: Session) -> str:
        """Return how long a session has gone on, or went on."""
        if session.start_time is None:
            return ""
        try:
            began = clock.parse(session.start_time)
            ended = clock.parse(session.last_event_at) if session.last_event_at and not session.live else self._now()
        except ValueError:
            return ""
        return duration(int((ended - began).total_seconds() * 1000))


def state_of(session: Session) -> str:
    """Return the state that a session is shown in: `waiting`, or its own word."""
    return "waiting" if session.waiting_for else session.status
