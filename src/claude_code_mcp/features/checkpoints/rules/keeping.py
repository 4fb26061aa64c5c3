"""Which checkpoints retention forgets."""

from collections.abc import Collection, Sequence

from claude_code_mcp.features.checkpoints.models import AUTOMATIC, Checkpoint, Keep
from claude_code_mcp.kernel.ids import CheckpointId

_HOUR = len("2026-11-20T04")
_DAY = len("2026-11-20")


def expired(checkpoints: Sequence[Checkpoint], keep: Keep, held: Collection[str]) -> list[CheckpointId]:
    """Return what is to be forgotten of one project's checkpoints, oldest first.

    Only what was taken by itself ever is. `held` (where the project stands, what redo needs) stays, and so does what
    is pinned or has a label. Of the rest the `last` so many stay, and the newest of each of the last so many hours
    and days in which there is one.
    """
    newest_first = sorted(_may_go(checkpoints, held), key=lambda one: one.id, reverse=True)
    kept = {one.id for one in newest_first[: keep.last]}
    for length, most in ((_HOUR, keep.hourly), (_DAY, keep.daily)):
        seen: dict[str, CheckpointId] = {}
        for one in newest_first:
            seen.setdefault(one.created_at[:length], one.id)
        kept.update(list(seen.values())[:most])
    return [one.id for one in reversed(newest_first) if one.id not in kept]


def oldest_first(checkpoints: Sequence[Checkpoint], held: Collection[str]) -> list[CheckpointId]:
    """Return what may be forgotten when the store takes too much room, the oldest first."""
    return [one.id for one in sorted(_may_go(checkpoints, held), key=lambda one: one.id)]


def _may_go(checkpoints: Sequence[Checkpoint], held: Collection[str]) -> list[Checkpoint]:
    return [
        one
        for one in checkpoints
        if one.trigger in AUTOMATIC and not one.pinned and one.label is None and one.id not in held
    ]
