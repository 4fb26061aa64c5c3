"""The keys of sealed secrets, for people: looked at, renewed, carried to another machine."""

import os
from pathlib import Path

from claude_code_mcp.features.checkpoints.errors import BadCheckpointRequest
from claude_code_mcp.features.checkpoints.models.care import KeyReply
from claude_code_mcp.features.checkpoints.models.requests import ManageKeys
from claude_code_mcp.features.checkpoints.service.taking import Taking
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.platform.seal.errors import KeyUnavailable

_FILE_BYTES = 1024 * 1024


class Sealing:
    """Looks after the keys; no reply holds one."""

    def __init__(self, taking: Taking) -> None:
        self._taking = taking
        self._keys = taking.keys

    async def ensure(self) -> None:
        """Make sure that there is a key to seal with, and that it can be had.

        Raises:
            KeyUnavailable: its place does not give it, or takes none.
        """
        await self._taking.on_thread(self._keys.ensure)

    async def manage(self, wish: ManageKeys, caller: Caller) -> KeyReply:
        """Show the keys, after doing what is asked.

        Raises:
            BadCheckpointRequest: a path is missing, cannot be read, or is there already.
            KeyUnavailable: the place for keys does not answer.
            KeyRefused: the file holds none; nothing was changed.
        """
        if wish.action in {"export", "import"} and not wish.path:
            raise BadCheckpointRequest(f"{wish.action} needs a file.", remedy="Name it: path.")
        return await self._taking.on_thread(lambda: self._managed(wish, caller.cwd))

    def _managed(self, wish: ManageKeys, cwd: str) -> KeyReply:
        path = Path(cwd) / Path(wish.path or "").expanduser()
        if wish.action == "new":
            self._keys.renew()
        elif wish.action == "export":
            _write(path, self._keys.carried())
        elif wish.action == "import":
            self._keys.take_in(_read(path))
        return self._shown(str(path) if wish.action == "export" else None)

    def _shown(self, path: str | None) -> KeyReply:
        current = self._keys.current_id
        why = None
        if current is not None:
            try:
                self._keys.key(current)
            except KeyUnavailable as exc:
                why = exc.message
        return KeyReply(
            place=self._keys.place,
            key_id=current.hex() if current is not None else None,
            known=[one.hex() for one in self._keys.known_ids],
            available=current is not None and why is None,
            why=why,
            path=path,
        )


def _write(path: Path, text: str) -> None:
    if not text:
        raise BadCheckpointRequest("There is no key yet.", remedy="Choose `secrets: seal` first, or make one: key new.")
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise _unusable(path, exc) from exc
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        path.unlink(missing_ok=True)
        raise _unusable(path, exc) from exc


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_BYTES).decode("ascii", "replace")
    except OSError as exc:
        raise _unusable(path, exc) from exc


def _unusable(path: Path, exc: OSError) -> BadCheckpointRequest:
    return BadCheckpointRequest(
        f"{path} cannot be used: {exc.strerror or exc}.", remedy="Name another file; nothing was changed."
    )
