"""Events of several sources in every order that keeps each source's own, with repetitions."""

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from claude_code_mcp.features.activity.rules.fold import SessionFold
from claude_code_mcp.features.activity.rules.view import WHOLE, View
from claude_code_mcp.kernel.events import Recorded
from tests.features.activity.seen import NOW


def lanes_of(events: Iterable[Recorded]) -> list[list[Recorded]]:
    """Return events by what keeps them in order: the source, of a transcript each file, of a stream each run."""
    lanes: dict[tuple[str, str], list[Recorded]] = {}
    for event in events:
        key = event.source_key or ""
        part = ":".join(key.split(":")[1:3]) if event.source == "transcript" else ""
        if event.source == "stream":
            part = key.partition(":")[0]
        lanes.setdefault((event.source, part), []).append(event)
    return list(lanes.values())


@st.composite
def mixed(draw: st.DrawFn, lanes: list[list[Recorded]]) -> list[Recorded]:
    """Draw an order: lanes interleaved, some events told again later."""
    left = [list(reversed(lane)) for lane in lanes if lane]
    out: list[Recorded] = []
    while left:
        lane = left[draw(st.integers(0, len(left) - 1))]
        out += [lane.pop() for _ in range(min(len(lane), draw(st.integers(1, 8))))]
        if out and draw(st.integers(0, 9)) == 0:
            out.append(out[draw(st.integers(0, len(out) - 1))])
        left = [lane for lane in left if lane]
    return out


def folded(events: Iterable[Recorded]) -> SessionFold:
    """Return the fold of events of one session."""
    given = list(events)
    fold = SessionFold(str(given[0].session_id) if given else "none")
    fold.extend(given)
    return fold


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two outcomes differ, one line each."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [line for key in keys for line in differences(one.get(key), other.get(key), f"{path}.{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [line for place, (a, b) in pairs for line in differences(a, b, f"{path}[{place}]")]
    return [] if one == other else [f"{path}: {one!r} != {other!r}"]


def tree(fold: SessionFold, view: View = WHOLE) -> dict[str, Any]:
    """Return the whole outcome as plain data."""
    return {
        "root": fold.root(NOW, view).model_dump(mode="json"),
        "summary": fold.summary(NOW).model_dump(mode="json"),
    }
