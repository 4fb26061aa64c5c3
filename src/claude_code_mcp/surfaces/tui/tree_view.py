"""The right side: one session's tree, as many nodes as it has; only the lines in view are drawn."""

import time
from collections.abc import Callable
from dataclasses import replace

from claude_code_mcp.surfaces.cli.node_lines import Line, Look, Now, Piece, fit
from claude_code_mcp.surfaces.cli.nodes import RUNNING, Node, Settings, walk
from claude_code_mcp.surfaces.tui.lines import LineView
from claude_code_mcp.surfaces.tui.rows import Filter, Row, View, depth_of, flatten, newest, path_to
from claude_code_mcp.surfaces.tui.session_list import TICKS_A_SECOND

_ERROR = 400
_RAIL_SHARE = 8
"""Each so many cells one level is drawn as such; what lies deeper says its level instead."""


class TreeView(LineView):
    """The tree below `root`; the cursor stays on its node when others come and go."""

    def __init__(self, look: Look, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(id="tree")
        self.look = look
        self.view = View()
        self.follow = True
        self.root: Node | None = None
        self.home = ""
        """Where the session works: paths in it are shown from there."""
        self.rows: list[Row] = []
        self._now_s = now_s
        self._told_s = now_s()
        self._frame = 0

    @property
    def chosen(self) -> Node | None:
        """The node under the cursor."""
        return self.rows[self.cursor].node if self.cursor < len(self.rows) else None

    def show(self, root: Node | None) -> None:
        """Show another state of the tree, or (None) none."""
        self.root = root
        self._told_s = self._now_s()
        self.flatten()

    def configure(self, settings: Settings) -> None:
        """Show what comes as the session is to be shown."""
        self.look = replace(self.look, timings=settings.show_timings)
        self.view.errors = settings.highlight_errors

    def flatten(self) -> None:
        """Lay the tree out by what the person wished to see."""
        before = self.rows[self.cursor] if self.cursor < len(self.rows) else None
        self.rows = flatten(self.root, self.view) if self.root is not None else []
        if self.follow:
            self.changed(newest(self.rows))
        else:
            self.changed(self._row_of(before.node.id) if before is not None else 0)

    def _row_of(self, node_id: str) -> int:
        places = (place for place, row in enumerate(self.rows) if row.node.id == node_id)
        return next(places, self.cursor)

    def tick(self) -> None:
        """Turn the spinners that are on the screen."""
        self._frame += 1
        for place in self.in_view():
            node = self.rows[place].node
            if node.status == RUNNING or (node.live and self._frame % TICKS_A_SECOND == 0):
                self.redraw(place)

    # What is drawn

    def count(self) -> int:
        """Return how many rows there are."""
        return len(self.rows)

    def empty(self) -> str:
        """Return what is shown without any row."""
        if self.root is None:
            return ""
        return "Nothing has happened yet." if self.view.only is Filter.ALL else f"Nothing is {self.view.only.value}."

    def line(self, item: int, part: int) -> Line:  # noqa: ARG002 - each row is one line
        """Return a row under its guides."""
        row = self.rows[item]
        inner, last, below, none = self.look.set.guides
        deep = len(row.rails) > max(3, self.size.width // _RAIL_SHARE)
        shown = row.rails[-2:] if deep else row.rails
        rails = f"{len(row.rails) - 2}{self.look.set.rest} " if deep else ""
        rails += "".join(below if more else none for more in shown)
        if row.error is not None:
            return Line((Piece(rails, "dim"), Piece(f"  {fit(row.error, _ERROR)}", "red")))
        joint = last if row.last else inner
        gone_ms = round((self._now_s() - self._told_s) * 1000)
        line = self.look.line(row.node, Now(self._frame, gone_ms), self.home)
        folded = (Piece(f"{self.look.set.folded} ", "bold"),) if row.folded else ()
        body = tuple(Piece(piece.text, "bold magenta") for piece in line.head) if row.found else line.head
        return Line((Piece(rails + joint, "dim"), *folded, *body), line.tail)

    # What the person wishes

    def only(self, what: Filter) -> None:
        """Show only these nodes and what they are part of."""
        self.view.only = what
        self.flatten()

    def deeper(self, by: int) -> None:
        """Open or close one level of all."""
        if self.root is None:
            return
        deepest = depth_of(self.root)
        depth = max(1, (deepest if self.view.depth is None else self.view.depth) + by)
        self.view.depth = None if depth >= deepest else depth
        self.view.opened.clear()
        self.flatten()

    def fold(self, *, close: bool) -> None:
        """Close the node under the cursor, or the one that it is part of; or open it."""
        node = self.chosen
        if node is None or self.root is None:
            return
        row = self.rows[self.cursor]
        if close and (row.folded or not node.children):
            path = path_to(self.root, node.id)
            self.follow = False
            self.place(self._row_of(path[-2].id) if len(path) > 1 else self.cursor)
            return
        (self.view.folded.add if close else self.view.folded.discard)(node.id)
        (self.view.opened.discard if close else self.view.opened.add)(node.id)
        self.flatten()

    def toggle(self) -> None:
        """Close the node under the cursor, or open it."""
        if self.chosen is not None and self.chosen.children:
            self.fold(close=not self.rows[self.cursor].folded)

    def fold_ended(self) -> None:
        """Close everything that has ended; once more opens it again."""
        if self.root is None:
            return
        ended = {node.id for node in walk(self.root) if node.children and not node.live}
        self.view.folded = set() if ended and ended <= self.view.folded else ended
        self.flatten()

    def unroll(self) -> None:
        """Show the whole error of the node under the cursor, or its first line again."""
        if self.chosen is not None and self.chosen.error_message:
            self.view.unrolled ^= {self.chosen.id}
            self.flatten()

    def search(self, query: str) -> int:
        """Mark what has `query` in it, go to the first from the cursor on, and return how many there are."""
        self.view.query = query.strip()
        self.flatten()
        found = self._found()
        if found:
            self.next_found(0)
        return len(found)

    def _found(self) -> list[str]:
        return [node.id for node in walk(self.root) if self.view.finds(node)] if self.root is not None else []

    def next_found(self, by: int) -> bool:
        """Go to the next (1), the previous (-1) or the nearest (0) match, opening what it is in."""
        found = self._found()
        if not found or self.root is None:
            return False
        order = {node.id: place for place, node in enumerate(walk(self.root))}
        here = order.get(self.chosen.id, 0) if self.chosen is not None else 0
        if by < 0:
            before = [node_id for node_id in found if order[node_id] < here]
            self.reveal((before or found)[-1])
        else:
            after = [node_id for node_id in found if order[node_id] >= here + by]
            self.reveal((after or found)[0])
        return True

    def reveal(self, node_id: str) -> bool:
        """Put the cursor on a node, opening what it is in; tell whether it is there."""
        path = path_to(self.root, node_id) if self.root is not None else []
        if self.root is None or not path:
            return False
        self.follow = False
        above = {node.id for node in path[:-1]}
        self.view.folded -= above
        self.view.opened |= above
        if not any(row.node.id == node_id for row in flatten(self.root, self.view)):
            self.view.only = Filter.ALL
        self.flatten()
        self.place(self._row_of(node_id))
        return True
