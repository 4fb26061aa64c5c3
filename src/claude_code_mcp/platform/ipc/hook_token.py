"""What hooks show to the listener, which may not be able to tell whose they are: a word that opens no other door."""

import hashlib
import hmac
import json
from pathlib import Path

FILE = "http.json"


def hook_token(token: str) -> str:
    """Return the word for hooks that belongs to the listener's `token`; the token cannot be told from it.

    It may stand in settings files, which other users can often read: it lets somebody tell us of sessions, no more.
    """
    return "cch_" + hmac.new(token.encode(), b"hooks", hashlib.sha256).hexdigest()[:40]


def kept_hook_token(state_dir: Path) -> str:
    """Return the word for hooks of a state directory, "" where its daemon never listened.

    The listener also takes hooks of the same user without it, while it can tell: not on every system, and not of a
    process that has hung up because we were slow.
    """
    try:
        found = json.loads((state_dir / FILE).read_bytes())
    except (OSError, ValueError):
        return ""
    token = found.get("token") if isinstance(found, dict) else None
    return hook_token(token) if isinstance(token, str) and token else ""
