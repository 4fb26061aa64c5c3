"""What may hold secrets and must survive a restart: one 0600 JSON file per session, never the database or a log."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from claude_code_mcp.kernel.errors import Unavailable
from claude_code_mcp.kernel.ids import is_uuid


class VaultUnavailable(Unavailable):
    """The disk refused what a session is to run with."""

    code = "vault_unavailable"


class Vault:
    """The files below `root` (0700). A file is whole or absent, whatever is killed meanwhile."""

    def __init__(self, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._root = root

    def get(self, session_id: str) -> dict[str, Any]:
        """Return what is kept for a session, an empty object where nothing is."""
        try:
            found = json.loads(self._path(session_id).read_bytes())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def put(self, session_id: str, values: Mapping[str, Any], *, durable: bool = True) -> None:
        """Keep `values` beside what is kept already; the same names are replaced. What is not `durable` survives the
        death of any process, but perhaps not that of the machine.

        Raises:
            VaultUnavailable: the disk refused it; what was kept before is still kept.
        """
        whole = {**self.get(session_id), **values}
        path = self._path(session_id)
        new = path.with_suffix(".new")
        try:
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "w", encoding="utf-8") as file:
                json.dump(whole, file)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            new.replace(path)
        except OSError as exc:
            raise VaultUnavailable(
                f"What session {session_id} is to run with cannot be kept: {exc.strerror or exc}.",
                remedy="Nothing was changed. Free disk space or check the disk, then call again.",
            ) from exc

    def copy(self, source: str, target: str) -> None:
        """Keep for `target` what is kept for `source`."""
        found = self.get(source)
        if found:
            self.put(target, found)

    def drop(self, session_id: str, name: str) -> None:
        """Forget one value."""
        found = self.get(session_id)
        if name in found:
            del found[name]
            self._path(session_id).unlink(missing_ok=True)
            if found:
                self.put(session_id, found)

    def forget(self, session_id: str) -> None:
        """Forget everything about a session."""
        with contextlib.suppress(FileNotFoundError):
            self._path(session_id).unlink()

    def names(self) -> list[str]:
        """Return the ids for which something is kept."""
        return [path.stem for path in self._root.glob("*.json") if is_uuid(path.stem)]

    def _path(self, session_id: str) -> Path:
        if not is_uuid(session_id):
            raise ValueError(f"{session_id[:60]!r} names no session")
        return self._root / f"{session_id}.json"
