"""The environment in which the keyring library finds the keyring of a test."""

from pathlib import Path

BACKENDS = Path(__file__).parent / "keyrings"


def keyring_env(path: Path) -> dict[str, str]:
    """Return the variables that make `path` the keyring of whoever has them."""
    return {
        "PYTHONPATH": str(BACKENDS),
        "PYTHON_KEYRING_BACKEND": "shelf_backend.Shelf",
        "XDG_TEST_KEYRING": str(path),
    }
