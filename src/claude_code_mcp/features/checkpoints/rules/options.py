"""What a project's settings mean for the scan of its tree."""

from collections.abc import Collection, Sequence

from claude_code_mcp.features.checkpoints.models import TreeSettings
from claude_code_mcp.platform.seal.content import SealWith
from claude_code_mcp.platform.worktrees.ignoring import IgnoreOptions, Secrets
from claude_code_mcp.platform.worktrees.looked import ScanOptions


def ignore_options(settings: TreeSettings, include: Sequence[str] = ()) -> IgnoreOptions:
    """Return which things are left out; `include` comes on top of what the settings include."""
    return IgnoreOptions(
        include=(*settings.include, *include),
        exclude=settings.exclude,
        defaults=settings.defaults,
        git=settings.git,
        secrets=Secrets(settings.secrets.value),
        secret_files=settings.secret_files,
    )


def scan_options(
    settings: TreeSettings,
    include: Sequence[str] = (),
    also: Collection[bytes] = (),
    seal_with: SealWith | None = None,
) -> ScanOptions:
    """Return what a scan takes; `also` are exact paths that are taken whatever the rules say."""
    return ScanOptions(
        ignore=ignore_options(settings, include),
        most_file_bytes=settings.most_file_bytes,
        also=frozenset(also),
        seal=seal_with,
    )
