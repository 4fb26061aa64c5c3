"""Which nodes are on the screen, in which order, under which guides: the tree made flat. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from claude_code_mcp.surfaces.cli import nodes
from claude_code_mcp.surfaces.cli.nodes import Node, walk

ERROR_LINES = 20


class Filter(StrEnum):
    """Which nodes are shown; those above them come along."""

    ALL = "all"
    RUNNING = "running"
    FAILED = "failed"
    WAITING = "waiting"
    SLOW = "slow"

    def takes(self, node: Node) -> bool:
        """Tell whether `node` itself is looked for."""
        match self:
            case Filter.RUNNING:
                return node.live
            case Filter.FAILED:
                return node.status == nodes.FAILED or bool(node.error_message)
            case Filter.WAITING:
                return node.status == nodes.WAITING
            case Filter.SLOW:
                return node.slow
            case _:
                return True


@dataclass(slots=True)
class View:
    """What the person wished to see. `folded` and `opened` are wishes for single nodes, by id."""

    only: Filter = Filter.ALL
    depth: int | None = None
    """Levels that are open by themselves; None for all of them."""
    query: str = ""
    folded: set[str] = field(default_factory=set)
    opened: set[str] = field(default_factory=set)
    unrolled: set[str] = field(default_factory=set)
    """Whose error is shown whole."""
    errors: bool = True
    """Why something failed is said below it."""
    whole_errors: bool = False
    """Every error is, as far as that is done at all: on paper nobody can unroll it."""

    def is_open(self, node: Node, level: int) -> bool:
        """Tell whether the children of `node`, itself at `level` (0 for the first), are shown."""
        if node.id in self.folded:
            return False
        return self.depth is None or level + 1 < self.depth or node.id in self.opened

    def finds(self, node: Node) -> bool:
        """Tell whether `node` is what is searched for."""
        wanted = self.query.casefold()
        return bool(wanted) and any(
            wanted in text.casefold()
            for text in (node.name, node.description, node.input_summary, node.output_summary, node.error_message)
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the screen: a node, or (with `error`) a line of why it failed.

    `rails` says for each level above whether more follows there, `last` whether nothing follows at its own.
    """

    node: Node
    level: int
    rails: tuple[bool, ...]
    last: bool
    folded: bool = False
    found: bool = False
    error: str | None = None


def flatten(root: Node, view: View) -> list[Row]:
    """Return the rows below `root`."""
    kept = None if view.only is Filter.ALL else _kept(root, view.only)
    rows: list[Row] = []
    stack: list[tuple[Node, int, tuple[bool, ...], bool]] = []
    stack.extend((node, 0, (), last) for node, last in reversed(_children(root, kept)))
    while stack:
        node, level, rails, last = stack.pop()
        below = _children(node, kept) if node.children else []
        is_open = view.is_open(node, level)
        rows.append(Row(node, level, rails, last, bool(below) and not is_open, view.finds(node)))
        inner = (*rails, not last)
        rows.extend(_errors(node, view, level, inner))
        if is_open:
            stack.extend((child, level + 1, inner, end) for child, end in reversed(below))
    return rows


def _children(node: Node, kept: set[str] | None) -> list[tuple[Node, bool]]:
    shown = node.children if kept is None else [child for child in node.children if child.id in kept]
    return [(child, place == len(shown)) for place, child in enumerate(shown, start=1)]


def _kept(root: Node, only: Filter) -> set[str]:
    """Return the ids of all nodes that `only` takes and of all above them."""
    above: dict[str, str] = {}
    kept: set[str] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        for child in node.children:
            above[child.id] = node.id
            stack.append(child)
    for node in walk(root):
        place = node.id if only.takes(node) else ""
        while place and place not in kept:
            kept.add(place)
            place = above.get(place, "")
    return kept


def _errors(node: Node, view: View, level: int, rails: tuple[bool, ...]) -> Iterator[Row]:
    if not view.errors or not node.error_message.strip():
        return
    lines = [line for line in node.error_message.split("\n") if line.strip()]
    whole = view.whole_errors or node.id in view.unrolled
    shown = lines[:ERROR_LINES] if whole else lines[:1]
    left = len(lines) - len(shown)
    if left:
        more = f"{left} more lines" if whole else f"{left} more lines: e shows them"
        shown[-1] = f"{shown[-1]}  ({more})"
    for line in shown:
        yield Row(node, level, rails, last=False, error=line)


def path_to(root: Node, node_id: str) -> list[Node]:
    """Return the nodes from below `root` to the one with `node_id`, that one included; none where it is not there."""
    above: dict[str, Node] = {}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.id == node_id and node is not root:
            path = [node]
            while (parent := above.get(path[-1].id)) is not None and parent is not root:
                path.append(parent)
            return path[::-1]
        for child in node.children:
            above[child.id] = node
            stack.append(child)
    return []


def newest(rows: list[Row]) -> int:
    """Return the row that follow mode stands on: the last that runs or waits and has nothing below, else the last."""
    nodes_only = [place for place, row in enumerate(rows) if row.error is None]
    live = [place for place in nodes_only if rows[place].node.live]
    return (live or nodes_only or [0])[-1]


def depth_of(root: Node) -> int:
    """Return how many levels there are below `root`."""
    deepest, stack = 0, [(child, 1) for child in root.children]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in node.children)
    return deepest
