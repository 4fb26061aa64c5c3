"""The keys of one state directory: which one seals, which ones are known, and how they are carried elsewhere."""

import base64
import os
import threading
import time
from pathlib import Path

import msgspec

from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.seal.content import KEY_BYTES, SealKey, key_of
from claude_code_mcp.platform.seal.errors import KeyRefused, KeyUnavailable
from claude_code_mcp.platform.seal.keepers import Keeper

PREFIX = "ccmseal1:"
RETRY_S = 30.0
"""A place that did not give a key is not asked again for so long: each time may put a dialog on somebody's screen."""


class _Known(msgspec.Struct, kw_only=True):
    """What is noted beside the data: names alone, no secret."""

    current: str | None = None
    known: list[str] = msgspec.field(default_factory=list)


class SealKeys:
    """Gives keys, and remembers them as long as the process lives. For any thread."""

    def __init__(self, note: Path, keeper: Keeper) -> None:
        """`note` is the file that says which keys there are."""
        self._note = note
        self._keeper = keeper
        self._lock = threading.RLock()  # guards all below: several threads seal at once, one of them asks
        self._found: dict[bytes, SealKey] = {}
        self._refused: dict[bytes, tuple[float, KeyUnavailable]] = {}

    @property
    def place(self) -> str:
        """Where the keys lie."""
        return self._keeper.place

    @property
    def current_id(self) -> bytes | None:
        """The name of the key that seals; None where nothing was ever sealed here."""
        current = self._noted().current
        return bytes.fromhex(current) if current else None

    @property
    def known_ids(self) -> list[bytes]:
        """The names of all keys, oldest first."""
        return [bytes.fromhex(one) for one in self._noted().known]

    def key(self, key_id: bytes) -> SealKey:
        """Return a key.

        Raises:
            KeyUnavailable: its place does not give it.
        """
        with self._lock:
            if key_id in self._found:
                return self._found[key_id]
            at, refusal = self._refused.get(key_id, (0.0, None))
            if refusal is not None and time.monotonic() - at < RETRY_S:
                raise refusal.with_traceback(None)
            try:
                found = self._asked(key_id)
            except KeyUnavailable as exc:
                self._refused[key_id] = (time.monotonic(), exc)
                raise
            self._found[key_id] = found
            return found

    def ensure(self) -> SealKey:
        """Return the key that seals; the first time one is made, and kept where keys are kept.

        Raises:
            KeyUnavailable: its place does not give it, or takes none.
        """
        with self._lock:
            current = self.current_id
            if current is not None:
                self._refused.pop(current, None)  # somebody asks for it by name
                return self.key(current)
            names = self._keeper.names()
            if names:  # a file that others made for us
                return self._use(self.key(bytes.fromhex(names[-1])))
            return self.renew()

    def renew(self) -> SealKey:
        """Make a new key, which seals from now on; those before it go on opening what they sealed.

        Raises:
            KeyUnavailable: the place for keys does not take it.
        """
        with self._lock:
            return self._use(self._kept(key_of(os.urandom(KEY_BYTES))))

    def carried(self) -> str:
        """Return all keys as text, a line each, the one that seals last: whoever has it opens everything.

        Raises:
            KeyUnavailable: the place for keys does not give one of them.
        """
        noted = self._noted()
        names = [one for one in noted.known if one != noted.current] + ([noted.current] if noted.current else [])
        return "".join(f"{_text(self.key(bytes.fromhex(one)))}\n" for one in names)

    def take_in(self, text: str) -> list[SealKey]:
        """Keep the keys that `carried` gave elsewhere; the last one seals here where none did.

        Raises:
            KeyRefused: there is a line that is none; nothing was kept.
            KeyUnavailable: the place for keys does not take them.
        """
        keys = [_read(line) for line in text.splitlines() if line.strip()]
        if not keys:
            raise _no_key()
        with self._lock:
            current = self.current_id
            for key in keys:
                self._use(self._kept(key), seals=False)
            if current is None:
                self._use(keys[-1])
        return keys

    def _asked(self, key_id: bytes) -> SealKey:
        text = self._keeper.get(key_id.hex())
        if text is None:
            raise KeyUnavailable(
                f"The key {key_id.hex()[:8]} is not in {self.place}.",
                remedy="Bring it: `checkpoints key export` where it was made, `checkpoints key import` here.",
                key_id=key_id.hex(),
            )
        key = _read(text)
        if key.id != key_id:
            raise KeyUnavailable(
                f"What {self.place} holds as key {key_id.hex()[:8]} is another one.",
                remedy="Somebody changed it; bring the right one with `checkpoints key import`.",
                key_id=key_id.hex(),
            )
        return key

    def _kept(self, key: SealKey) -> SealKey:
        """Keep a key, and make sure that it was kept: what is sealed with a lost key is lost."""
        self._keeper.put(key.id.hex(), _text(key))
        if self._keeper.get(key.id.hex()) != _text(key):
            raise KeyUnavailable(
                f"{self.place} does not keep what it is given.",
                remedy="Choose another keyring, or set checkpoint_key_file and restart the daemon.",
            )
        self._found[key.id] = key
        self._refused.pop(key.id, None)
        return key

    def _use(self, key: SealKey, *, seals: bool = True) -> SealKey:
        """Note a key."""
        noted = self._noted()
        if key.id.hex() not in noted.known:
            noted.known.append(key.id.hex())
        if seals:
            noted.current = key.id.hex()
        try:
            write_atomic(self._note, msgspec.json.encode(noted))
        except OSError as exc:
            raise KeyUnavailable(
                f"It cannot be noted which key seals ({exc.strerror or exc}).",
                remedy="Make room on the disk, then call again.",
            ) from exc
        return key

    def _noted(self) -> _Known:
        try:
            found = msgspec.json.decode(self._note.read_bytes(), type=_Known)
            for one in [*found.known, *([found.current] if found.current else [])]:
                bytes.fromhex(one)
        except (OSError, ValueError, msgspec.MsgspecError):
            return _Known()  # lost or broken: keys are asked for by the names that stand in what they sealed
        return found


def _text(key: SealKey) -> str:
    return PREFIX + base64.b64encode(key.secret).decode()


def _read(text: str) -> SealKey:
    text = text.strip()
    try:
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True) if text.startswith(PREFIX) else b""
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise _no_key()
    return key_of(secret)


def _no_key() -> KeyRefused:
    return KeyRefused(
        "This is no key of ours, or not a whole one.", remedy="Nothing was kept. Take the file that key export wrote."
    )
