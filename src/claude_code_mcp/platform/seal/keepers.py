"""Where keys lie: in the system's keyring, or in a file that somebody else looks after (a mounted secret, a volume)."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.seal.errors import KeyUnavailable

SERVICE = "claude-code-mcp checkpoints"
ASK_S = 30.0
"""How long the keyring may take: somebody may have to type a password."""
_FILE_BYTES = 1024 * 1024
Ask = Callable[[dict[str, str]], dict[str, Any]]


class Keeper(Protocol):
    """A place for keys, each a line of text under its name."""

    @property
    def place(self) -> str:
        """What it is, for people; known once it was asked."""
        ...

    def get(self, name: str) -> str | None:
        """Return what is kept under a name, None where nothing is.

        Raises:
            KeyUnavailable: the place does not answer.
        """
        ...

    def put(self, name: str, secret: str) -> None:
        """Keep something new.

        Raises:
            KeyUnavailable: the place does not take it.
        """
        ...

    def names(self) -> list[str]:
        """Return the names that it can list, oldest first; a keyring can list none.

        Raises:
            KeyUnavailable: the place does not answer.
        """
        ...


def ask_keyring(wish: dict[str, str]) -> dict[str, Any]:
    """Ask the keyring in a process of its own, which is ended when it takes too long.

    Raises:
        KeyUnavailable: it did not answer.
    """
    try:
        done = subprocess.run(
            # The secret goes by a pipe: no command line shows it.
            [sys.executable, "-m", "claude_code_mcp.platform.seal.ask"],
            input=json.dumps(wish),
            capture_output=True,
            text=True,
            timeout=ASK_S,
            check=True,
            start_new_session=True,
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise _silent(f"did not answer within {ASK_S:g} s") from None
    except (OSError, ValueError, subprocess.CalledProcessError) as exc:
        raise _silent(f"could not be asked ({type(exc).__name__})") from None
    if "error" in said:
        raise _silent(f"({said.get('keyring', 'none')}) refused: {said['error']}")
    return said


def _silent(why: str) -> KeyUnavailable:
    return KeyUnavailable(
        f"The system's keyring {why}.",
        remedy="Unlock it and call again; where there is none (a server, a container), set checkpoint_key_file to a"
        " file outside this machine's backups, and restart the daemon.",
    )


class SystemKeyring:
    """The keyring of the user: Keychain, Secret Service, KWallet, or what the keyring library is set to."""

    def __init__(self, ask: Ask = ask_keyring) -> None:
        self._ask = ask
        self._name = ""

    @property
    def place(self) -> str:
        """The keyring, with the name of its kind once it was asked."""
        return f"keyring {self._name}".rstrip()

    def get(self, name: str) -> str | None:
        """See `Keeper`."""
        said = self._said({"do": "get", "service": SERVICE, "name": name})
        found = said.get("found")
        return found if isinstance(found, str) else None

    def put(self, name: str, secret: str) -> None:
        """See `Keeper`."""
        self._said({"do": "put", "service": SERVICE, "name": name, "secret": secret})

    def names(self) -> list[str]:
        """Return nothing: keyrings cannot be listed."""
        return []

    def _said(self, wish: dict[str, str]) -> dict[str, Any]:
        said = self._ask(wish)
        self._name = str(said.get("keyring", ""))
        return said


class KeyFile:
    """A file with a line for each key, `NAME SECRET`, readable by its owner alone; the last one is the newest."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The file."""
        return str(self._path)

    def get(self, name: str) -> str | None:
        """See `Keeper`."""
        return self._lines().get(name)

    def put(self, name: str, secret: str) -> None:
        """See `Keeper`."""
        lines = self._lines()
        if lines.get(name) == secret:
            return
        lines[name] = secret
        text = "".join(f"{key} {value}\n" for key, value in lines.items())
        try:
            write_atomic(Path(os.path.realpath(self._path)), text.encode(), mode=0o600)
        except OSError as exc:
            raise self._unusable(exc.strerror or str(exc)) from exc

    def names(self) -> list[str]:
        """See `Keeper`."""
        return list(self._lines())

    def _lines(self) -> dict[str, str]:
        try:
            with self._path.open("rb") as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode) or info.st_mode & 0o077:
                    raise self._unusable("it must be a file that only its owner may read (chmod 600)")
                data = file.read(_FILE_BYTES)
        except FileNotFoundError:
            return {}
        except OSError as exc:
            raise self._unusable(exc.strerror or str(exc)) from exc
        found: dict[str, str] = {}
        with suppress(UnicodeDecodeError):
            for line in data.decode("ascii").splitlines():
                name, _, secret = line.partition(" ")
                if secret:
                    found[name] = secret.strip()
        if data.strip() and not found:
            raise self._unusable("it holds no keys of ours")
        return found

    def _unusable(self, why: str) -> KeyUnavailable:
        return KeyUnavailable(
            f"The key file {self._path} cannot be used: {why}.",
            remedy="Mend it, or name another (checkpoint_key_file).",
        )
