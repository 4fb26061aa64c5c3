"""Which turns of a stream and which turns of prompts are the same: by message, else by calls, else by time."""

from bisect import bisect_left
from collections.abc import Mapping

from claude_code_mcp.features.activity.rules.book import Book
from claude_code_mcp.features.activity.rules.records import Turn

_FAR = 600 * 1_000_000
"""Turns that began further apart than ten minutes are not the same for being the nearest."""


def joined(book: Book) -> dict[str, str]:
    """Return for each turn of a stream the turn of a prompt that it is; those that are nobody's are left out.

    A function of what is known alone. A message that both name decides; else the prompt that most of its calls are
    seen in; what is left on both sides is paired where each is the other's nearest in time.
    """
    streams = [turn for turn in book.turns.values() if turn.run]
    if not streams:
        return {}
    found: dict[str, str] = {}
    for turn in streams:
        key = next((book.by_uuid[uuid] for uuid in turn.uuids if uuid in book.by_uuid), "") or _voted(turn)
        if key:
            found[turn.key] = key
    taken = set(found.values())
    prompts = [turn for turn in book.turns.values() if not turn.run and turn.key not in taken and turn.start]
    lonely = [turn for turn in streams if turn.key not in found and turn.start]
    if prompts and lonely:
        found.update(_paired(lonely, prompts))
    return found


def _voted(turn: Turn) -> str:
    return max(turn.votes.items(), key=lambda item: (item[1], item[0]))[0] if turn.votes else ""


def _paired(streams: list[Turn], prompts: list[Turn]) -> Mapping[str, str]:
    pairs: dict[str, str] = {}
    left = sorted((began(turn), turn.key) for turn in streams)
    right = sorted((began(turn), turn.key) for turn in prompts)
    while left and right:
        nearest = {key: _nearest(at, right) for at, key in left}
        back = {key: _nearest(at, left) for at, key in right}
        agreed = {one: other for one, other in nearest.items() if other and back.get(other) == one}
        if not agreed:
            break
        pairs.update(agreed)
        paired = set(agreed.values())
        left = [turn for turn in left if turn[1] not in agreed]
        right = [turn for turn in right if turn[1] not in paired]
    return pairs


def _nearest(at: int, begun: list[tuple[int, str]]) -> str:
    place = bisect_left(begun, (at, ""))
    around = begun[max(0, place - 1) : place + 1]
    distance, key = min((abs(start - at), key) for start, key in around)
    return key if distance <= _FAR else ""


def began(turn: Turn) -> int:
    """Return when a turn began, as far as it is known by itself. Lines without a time may have been read late, so
    what it took, as its result says, counts too; it did not begin before the turn before it was over."""
    own = -turn.start[1] if turn.start else turn.first
    if turn.run and turn.ended:
        own = min(own, max(int(turn.ended[1]) - int(turn.ended[4]), turn.floor))
    return min(own, turn.first)
