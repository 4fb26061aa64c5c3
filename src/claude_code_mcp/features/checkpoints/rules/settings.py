"""What a wish makes of a project's settings, and of a checkpoint's names."""

from claude_code_mcp.features.checkpoints.models import Checkpoint, Keep, TreeSettings
from claude_code_mcp.features.checkpoints.models.requests import SetCheckpoints


def changed(before: TreeSettings, wish: SetCheckpoints) -> TreeSettings:
    """Return the settings with what the wish names; a bound of 0 bytes is none."""
    keep = Keep(
        last=before.keep.last if wish.keep_last is None else wish.keep_last,
        hourly=before.keep.hourly if wish.keep_hourly is None else wish.keep_hourly,
        daily=before.keep.daily if wish.keep_daily is None else wish.keep_daily,
        stored_bytes=before.keep.stored_bytes if wish.keep_bytes is None else wish.keep_bytes or None,
    )
    return TreeSettings(
        strategy=wish.strategy or before.strategy,
        interval_s=wish.interval_s or before.interval_s,
        include=before.include if wish.include is None else tuple(wish.include),
        exclude=before.exclude if wish.exclude is None else tuple(wish.exclude),
        defaults=before.defaults if wish.defaults is None else wish.defaults,
        git=before.git if wish.git is None else wish.git,
        secrets=wish.secrets or before.secrets,
        secret_files=before.secret_files if wish.secret_files is None else tuple(wish.secret_files),
        most_file_bytes=wish.most_file_bytes or before.most_file_bytes,
        keep=keep,
    )


def named(one: Checkpoint, label: str | None, *, pin: bool) -> None:
    """Give a checkpoint a label and a pin, where they are asked for."""
    one.label = label or one.label
    one.pinned = one.pinned or pin


def labelled(one: Checkpoint, label: str | None) -> None:
    """Give a checkpoint a label, or take it away."""
    one.label = label


def pinned(one: Checkpoint, *, pin: bool) -> None:
    """Pin a checkpoint, or unpin it."""
    one.pinned = pin
