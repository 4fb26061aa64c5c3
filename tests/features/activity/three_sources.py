"""A session of the real Claude Code as its stream, its transcript and its hooks tell of it, and what must agree."""

import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path

from claude_code_mcp.features.activity.models import ActivityNode, NodeType
from claude_code_mcp.kernel.clock import parse
from claude_code_mcp.kernel.events import Event, Recorded
from claude_code_mcp.platform.claude import hooks, transcript
from claude_code_mcp.platform.claude.hooks.read import EVENTS
from tests.features.activity.mixing import differences, folded, lanes_of, tree
from tests.features.activity.seen import by_session, streamed
from tests.support.claude_cli import ClaudeCli, Line

Skeleton = tuple[str, str, str, tuple["Skeleton", ...]]
Told = dict[str, list[Recorded]]
_BEYOND = frozenset((NodeType.APPROVAL, NodeType.NOTICE, NodeType.RETRY))
"""What only some sources have a word for at all: questions, remarks, retries."""
_HOOK = """F="$OUT.$$"; (date +%s.%N | tr "\\n" " "; cat; echo) >"$F"; cat "$F" >>"$OUT"; rm "$F\""""


def hook_settings() -> str:
    """Return settings that write each hook with its time into the file that `OUT` names."""
    command = {"type": "command", "command": _HOOK}
    events = [event for event in EVENTS if event not in ("WorktreeCreate", "MessageDisplay")]
    return json.dumps({"hooks": {event: [{"hooks": [command]}] for event in events}})


def told_of(claude: ClaudeCli, lines: Sequence[Line], out: Path) -> Told:
    """Return what each source told of the session of which `lines` were printed and hooks wrote into `out`."""
    seen = streamed_lines(lines)
    session = str(seen[0].session_id)
    home = Path(claude.env["HOME"]) / ".claude" / "projects"
    (path,) = home.glob(f"*/{session}.jsonl")
    return {
        "stream": seen,
        "transcript": by_session(transcript.events_of(path))[session],
        "hook": by_session(_hooked(out))[session],
    }


def streamed_lines(lines: Sequence[Line], run: str = "run") -> list[Recorded]:
    """Return the events of what one process printed."""
    printed = [json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines]
    (seen,) = streamed(printed, run=run).values()
    return seen


def _hooked(out: Path) -> Iterator[Event]:
    entries = sorted(line.split(" ", 1) for line in out.read_text().splitlines() if " " in line)
    for number, (at, text) in enumerate(entries):
        payload = hooks.read_payload(text.encode())
        when = datetime.fromtimestamp(float(at), UTC)
        meta = hooks.agent_meta(payload) if payload.event.startswith("Subagent") else None
        yield from hooks.events_of(payload, stem=f"h{number}", at=when, meta=meta)


def skeleton(node: ActivityNode) -> Skeleton:
    """Return type, name and status of a node and of what is in it."""
    children = sorted(skeleton(child) for child in node.children if child.type not in _BEYOND)
    name = "" if node.type in (NodeType.TASK, NodeType.SESSION) else node.name
    return node.type.value, name, node.status.value, tuple(children)


def skeletons(told: Told, how: str = "session_end") -> dict[str, Skeleton]:
    """Return the tree as each source, each two and all of them tell it; the session ended as `how` says."""
    now = datetime.fromtimestamp(time.time() + 60, UTC)
    trees = {}
    pairs = {f"{one} and {other}": [*told[one], *told[other]] for one, other in combinations(told, 2)}
    for source, events in {**told, **pairs}.items():
        fold = folded(events)
        fold.close(parse(max(event.at for event in events)), how)
        trees[source] = skeleton(fold.root(now))
    fold = folded(event for events in told.values() for event in events)
    if how != "session_end":
        fold.close(parse(max(event.at for events in told.values() for event in events)), how)
    trees["all"] = skeleton(fold.root(now))
    return trees


def assert_one_tree(told: Told, how: str = "session_end", unseen: Sequence[str] = ()) -> Skeleton:
    """Assert that all sources but those `unseen` tell the same tree, in any order of the sources; return it."""
    trees = skeletons(told, how)
    whole = {source: one for source, one in trees.items() if source not in unseen}
    assert len(set(whole.values())) == 1, whole
    for source in unseen:
        assert trees[source] != trees["all"], f"{source} sees it whole by now"
    everything = [event for events in told.values() for event in events]
    backwards = [event for lane in reversed(lanes_of(everything)) for event in lane]
    assert not differences(tree(folded(backwards)), tree(folded(everything)))
    return trees["all"]
