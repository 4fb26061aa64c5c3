"""The window of `watch`: how it is laid out, and what the feeds bring into it."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.filter import LineFilter
from textual.widgets import Input

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.surfaces.cli.client import ConnectionLost
from claude_code_mcp.surfaces.cli.exits import Failure
from claude_code_mcp.surfaces.cli.node_lines import Line, Look, Piece, Signs
from claude_code_mcp.surfaces.cli.nodes import WAITING, Node, Session, walk
from claude_code_mcp.surfaces.tui.feeds import Feeds, NodeDetail
from claude_code_mcp.surfaces.tui.lines import AsciiOnly, Band, LineView, TextPane
from claude_code_mcp.surfaces.tui.link import Link
from claude_code_mcp.surfaces.tui.rows import Filter
from claude_code_mcp.surfaces.tui.session_list import TICKS_A_SECOND, SessionList, state_of
from claude_code_mcp.surfaces.tui.texts import detail_lines, session_line, title_line
from claude_code_mcp.surfaces.tui.tree_view import TreeView

TICK_S = 1 / TICKS_A_SECOND
"""How often spinners turn: seldom enough for a slow line."""
SETTLE_S = 0.1
"""How long the cursor must rest before what it stands on is asked for."""
_ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end it with the terminal put in order."""
HINTS = " q quit  ? help  Tab side  / find  1-5 only  f follow  w waits  a answer  x stop"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line says: how to draw, which session first, of which project, past ones too."""

    look: Look = field(default_factory=Look)
    session: str | None = None
    project: str | None = None
    past: bool = False
    still: bool = False
    """Spinners do not turn, and no time goes by by itself."""


class Frame(App[int]):
    """Sessions on the left, the tree of the chosen one on the right."""

    ENABLE_COMMAND_PALETTE = False
    ALLOW_SELECT = False
    TITLE = "claude-code-mcp watch"
    CSS = """
    #title, #about, #message, #hints { height: 1; }
    #query { height: 1; border: none; padding: 0; display: none; background: ansi_default; }
    #sessions { width: 36%; min-width: 26; max-width: 48; padding-right: 1; }
    #right { width: 1fr; }
    #tree { height: 3fr; }
    #detail { height: 2fr; display: none; border-top: ascii ansi_blue; }
    #detail.open { display: block; }
    .sheet { background: ansi_default; padding: 0 1; }
    .sheet TextPane { height: 1fr; }
    .head { height: 1; } .foot { height: auto; }
    Stopping { align: center middle; }
    .box { width: 64; max-width: 96%; height: auto; border: ascii ansi_yellow; padding: 1 2; background: ansi_default; }
    """

    def __init__(self, link: Link, wishes: Wishes | None = None, *, settle_s: float = SETTLE_S) -> None:
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.link = link
        self.wishes = wishes or Wishes()
        self.feeds = Feeds(link, self.wishes.project)
        self.past = self.wishes.past
        self.sessions = SessionList(self.wishes.look)
        self.outline = TreeView(self.wishes.look)
        self.session: Session | None = None
        """The one whose tree is shown, as its own feed told it."""
        self.shown_id = ""
        self._wanted = self.wishes.session or ""
        self.to_reveal = False
        """The tree that comes next is to be opened where it waits."""
        self._settle_s = settle_s

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Band(id="title")
        with Horizontal():
            yield self.sessions
            with Vertical(id="right"):
                yield Band(id="about")
                yield self.outline
                yield TextPane(id="detail")
        yield Input(id="query", placeholder="search", compact=True)
        yield Band(id="message")
        yield Band(Line((Piece(HINTS, "dim"),)), id="hints")

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through: where the terminal has only ASCII, nothing else reaches it."""
        ascii_only = [AsciiOnly()] if self.wishes.look.signs is Signs.ASCII else []
        return [*super().get_line_filters(), *ascii_only]

    def on_mount(self) -> None:
        """Begin to listen."""
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.add_signal_handler(number, self.exit, 128 + number)
        self.sessions.focus()
        self.title_changed()
        self.watch_sessions()
        if not self.wishes.still:
            self.set_interval(TICK_S, self.tick)

    def tick(self) -> None:
        """Let time go by on the screen."""
        if len(self.screen_stack) == 1:
            self.sessions.tick()
            self.outline.tick()

    async def on_unmount(self) -> None:
        """Hang up."""
        loop = asyncio.get_running_loop()
        for number in _ENDING:
            loop.remove_signal_handler(number)
        await self.link.close()

    # What the feeds bring

    def watch_sessions(self) -> None:
        """Listen to the list anew: its scope may be another one."""
        self.run_worker(self._listen_sessions(), group="sessions", exclusive=True)

    async def _listen_sessions(self) -> None:
        async for news in self.feeds.sessions("all" if self.past else "live"):
            if isinstance(news, Failure):
                self.say(news.as_line(), "red")
                continue
            self.sessions.show(news.items)
            if self._wanted and not self._chose_wanted(news.items):
                continue
            self.title_changed()
            self.session_chosen()

    def _chose_wanted(self, sessions: list[Session]) -> bool:
        """Go to the session that the command line names; a past one needs another list first."""
        wanted = next((one.id for one in sessions if one.id.startswith(self._wanted)), "")
        if not wanted and not self.past:
            self.past = True
            self.watch_sessions()
            return False
        if not wanted:
            self.say(f"There is no session {self._wanted}.", "yellow")
        self._wanted = ""
        self.sessions.choose(wanted)
        return True

    def session_chosen(self) -> None:
        """Show the tree of the session under the cursor, where it is another one."""
        chosen = self.sessions.chosen
        if chosen is None or chosen.id == self.shown_id:
            return
        self.shown_id = chosen.id
        self.session = chosen
        self.outline.follow = True
        self.outline.view.folded.clear()
        self.outline.show(None)
        self.about_changed()
        self.run_worker(self._listen_tree(chosen.id), group="tree", exclusive=True)

    async def _listen_tree(self, session_id: str) -> None:
        await asyncio.sleep(self._settle_s)
        with contextlib.suppress(Failure, ConnectionLost):  # the tree's own feed says what is wrong
            self.outline.configure(await self.feeds.settings(session_id))
        async for news in self.feeds.tree(session_id):
            if isinstance(news, Failure):
                self.say(news.as_line(), "red")
                continue
            self.session = news.session
            self.outline.home = news.session.project_path
            self.outline.show(news.root)
            self.about_changed()
            if self.to_reveal and self._reveal_waiting():
                self.to_reveal = False
            self.node_chosen()

    def title_changed(self) -> None:
        """Write the figures of all sessions."""
        figures = title_line(self.sessions.sessions)
        notes = [] if self.outline.view.only is Filter.ALL else [f"only {self.outline.view.only.value}"]
        notes += ["following"] if self.outline.follow else []
        notes += [f"depth {self.outline.view.depth}"] if self.outline.view.depth is not None else []
        self.query_one("#title", Band).show(Line(tuple(figures), (Piece(f" {', '.join(notes)} "),), spread=True))

    def about_changed(self) -> None:
        """Write the figures of the session that is looked at."""
        words = session_line(self.session, state_of(self.session)) if self.session is not None else ""
        self.query_one("#about", Band).show(Line((Piece(words, "bold"),)))

    def say(self, words: str, style: str = "") -> None:
        """Write into the line for messages; nothing takes it away but the next one."""
        if self.is_running:
            self.query_one("#message", Band).show(Line((Piece(one_line(words, 400), style),)))

    def _reveal_waiting(self) -> bool:
        waiting = waiting_nodes(self.outline.root)
        return bool(waiting) and self.outline.reveal(waiting[0].id)

    # The cursor

    def on_line_view_moved(self, event: LineView.Moved) -> None:
        """Follow the person."""
        if event.view is self.sessions:
            self.session_chosen()
        else:
            self.outline.follow = False
            self.title_changed()
            self.node_chosen()

    def node_chosen(self) -> None:
        """Show what is known of the node under the cursor, where the pane is open."""
        node = self.outline.chosen
        pane = self.query_one("#detail", TextPane)
        if not pane.has_class("open") or node is None:
            return
        self.run_worker(self._detail(node, pane), group="detail", exclusive=True)

    async def _detail(self, node: Node, pane: TextPane) -> None:
        pane.show(detail_lines(node, None))
        await asyncio.sleep(self._settle_s)
        detail: NodeDetail | None = None
        problem = ""
        try:
            detail = await self.feeds.detail(self.shown_id, node.id)
        except Failure as failure:
            problem = failure.message
        except ConnectionLost:
            problem = "The daemon went away."
        pane.show(detail_lines(node, detail, problem))


def waiting_nodes(root: Node | None) -> list[Node]:
    """Return what waits for a person, the innermost of each: the question rather than the call that it is about."""
    waiting = [node for node in walk(root) if node.status == WAITING] if root is not None else []
    return [node for node in waiting if not any(child.status == WAITING for child in node.children)]
