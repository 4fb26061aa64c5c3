"""The parts of the manifest that was encoded last, kept in memory: most of the next one, and of its neighbours."""

from collections.abc import Iterable

from claude_code_mcp.platform.worktrees.checking import CheckedPart, checked_part
from claude_code_mcp.platform.worktrees.models import Entry


class Parts:
    """Spares encoding, decoding and checking parts that are the same again. For one thread at a time."""

    def __init__(self) -> None:
        self._by_path: dict[bytes, tuple[list[Entry], bytes, bytes]] = {}
        self._by_digest: dict[bytes, list[Entry]] = {}
        self._checked: dict[bytes, CheckedPart] = {}

    def find(self, group: list[Entry]) -> tuple[bytes, bytes] | None:
        """Return digest and bytes of a part that holds exactly these entries."""
        known = self._by_path.get(group[0].path)
        return known[1:] if known is not None and known[0] == group else None

    def checked(self, digest: bytes) -> CheckedPart | None:
        """Return the part of this digest, None where it is not among those that were kept."""
        found = self._checked.get(digest)
        if found is None and digest in self._by_digest:
            found = self._checked[digest] = checked_part(self._by_digest[digest])
        return found

    def keep(self, groups: Iterable[tuple[list[Entry], bytes, bytes]]) -> None:
        """Remember these parts, and no others."""
        self._by_path = {one[0][0].path: one for one in groups}
        self._by_digest = {digest: group for group, digest, _ in self._by_path.values()}
        self._checked = {digest: one for digest, one in self._checked.items() if digest in self._by_digest}
