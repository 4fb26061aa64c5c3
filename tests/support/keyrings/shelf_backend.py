"""A keyring for tests, behind the real keyring library: a file of the test's own, chosen by PYTHON_KEYRING_BACKEND."""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

PATH = Path(os.environ["XDG_TEST_KEYRING"])


class Shelf(KeyringBackend):
    """Keeps passwords in a JSON object; a file `locked` beside it locks it."""

    priority = 1.0  # pyright: ignore[reportAssignmentType]  # the library computes it in a class property

    def get_password(self, service: str, username: str) -> str | None:
        """Return what is kept."""
        return self._held().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep something."""
        PATH.write_text(json.dumps({**self._held(), f"{service}/{username}": password}))

    def _held(self) -> dict[str, str]:
        if PATH.with_name("locked").exists():
            raise KeyringLocked("Failed to unlock the collection!")
        found: dict[str, str] = json.loads(PATH.read_text()) if PATH.exists() else {}
        return found
