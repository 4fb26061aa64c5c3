"""The port of this machine on which the daemon of a directory listens for HTTP: chosen once, then kept."""

import os
import secrets
import socket
from pathlib import Path

PORT = "http.port"
HOST = "127.0.0.1"


def kept_port(directory: Path, wished: int = 0) -> int:
    """Return the port of `directory`: the one that is `wished`, else the one that was chosen for it.

    The first call chooses one that is free now and keeps it; of many first calls at once all return the same. The
    port may be taken by somebody else later on: what names it (hooks, clients) would not follow another choice.

    Raises:
        OSError: the directory cannot be written, or the machine has no port left.
    """
    return wished or _read(directory / PORT) or _choose(directory / PORT)


def _read(path: Path) -> int:
    try:
        text = path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() and 0 < int(text) < 65536 else 0


def _choose(path: Path) -> int:
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        port = int(sock.getsockname()[1])
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.ccmtmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "w", encoding="ascii") as file:
            file.write(f"{port}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            # A link never replaces: who comes second reads what the first one chose.
            os.link(temporary, path)
        except FileExistsError:
            return _read(path) or _replace(temporary, path, port)
    finally:
        temporary.unlink(missing_ok=True)
    return port


def _replace(temporary: Path, path: Path, port: int) -> int:
    """Replace a file that holds no port."""
    temporary.rename(path)
    return port
