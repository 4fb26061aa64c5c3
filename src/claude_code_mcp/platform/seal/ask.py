"""The process that asks the system's keyring, so that one that hangs or wants a password can be given up, and what its
libraries take is given back. Standard input is one JSON object, standard output another:

    {"do": "get", "service": S, "name": N}              {"keyring": K, "found": secret or null}
    {"do": "put", "service": S, "name": N, "secret": X}  {"keyring": K}
                                                        {"keyring": K, "error": what went wrong}
"""

import json
import os
import sys
from typing import Any


def main() -> None:
    """Answer one question."""
    wish = json.load(sys.stdin)
    _find_bus()
    json.dump(_answer(wish), sys.stdout)


def _answer(wish: dict[str, Any]) -> dict[str, Any]:
    import keyring  # noqa: PLC0415 - what it costs is paid in this process only
    from keyring.errors import KeyringError  # noqa: PLC0415 - likewise

    said: dict[str, Any] = {}
    try:
        place = keyring.get_keyring()
        said["keyring"] = f"{type(place).__module__}.{type(place).__qualname__}"
        if wish["do"] == "get":
            said["found"] = place.get_password(wish["service"], wish["name"])
        else:
            place.set_password(wish["service"], wish["name"], wish["secret"])
    except (KeyringError, OSError, RuntimeError) as exc:
        said["error"] = (str(exc) or type(exc).__name__).splitlines()[0][:300]
    return said


def _find_bus() -> None:
    """Name the session's bus where nobody did: a daemon that was started over ssh or by cron still has its user's."""
    bus = f"{os.environ.get('XDG_RUNTIME_DIR') or f'/run/user/{os.getuid()}'}/bus"
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ and os.path.exists(bus):
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={bus}"


if __name__ == "__main__":
    main()
