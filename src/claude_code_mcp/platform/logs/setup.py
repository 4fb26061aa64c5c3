"""Decides, once per process, where log records go."""

import logging
import sys
from pathlib import Path
from typing import TextIO

from claude_code_mcp.platform.logs.files import PrivateRotatingFile
from claude_code_mcp.platform.logs.formats import JsonLines, Readable, Redact
from claude_code_mcp.platform.logs.uncaught import log_uncaught

OURS = "claude_code_mcp"
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


class Logs:
    """The handlers of this process; `close` takes them away again."""

    def __init__(self, handlers: list[logging.Handler], level: int) -> None:
        self._handlers = handlers
        self._root = logging.getLogger()
        self._ours = logging.getLogger(OURS)
        self._before = (self._root.level, self._ours.level)
        # Other libraries speak of their own insides: only what they warn about is for our keeper.
        self._root.setLevel(max(level, logging.INFO if level <= logging.DEBUG else logging.WARNING))
        self._ours.setLevel(level)
        for handler in handlers:
            self._root.addHandler(handler)
        self._restore = log_uncaught()

    def set_level(self, level: str) -> None:
        """Log what is at least as bad as `level` (debug, info, warning, error) from now on."""
        self._ours.setLevel(LEVELS[level])

    def close(self) -> None:
        """Write out and close everything, and leave logging as it was."""
        self._restore()
        for handler in self._handlers:
            self._root.removeHandler(handler)
            handler.close()
        self._root.setLevel(self._before[0])
        self._ours.setLevel(self._before[1])


def configure(
    level: str,
    redact: Redact,
    *,
    stream: TextIO | None = None,
    file: Path | None = None,
    file_bytes: int = 10 * 2**20,
    files: int = 5,
) -> Logs:
    """Send log records at `level` (debug, info, warning, error) and worse to `stream` and to `file`.

    `stream` is written as readable lines when it is a terminal, else as JSON lines; None leaves it out (a daemon
    has no stderr to speak of). `file` is created 0600, begun anew at `file_bytes`, with `files` old ones kept; its
    directory must exist. `redact` takes the secrets out of each text. Uncaught exceptions are logged too.

    Raises:
        OSError: the file cannot be opened.
    """
    handlers: list[logging.Handler] = []
    if file is not None:
        rotating = PrivateRotatingFile(file, max_bytes=file_bytes, files=files)
        rotating.setFormatter(JsonLines(redact))
        handlers.append(rotating)
    if stream is not None:
        shown = _Stream(stream)
        shown.setFormatter(Readable(redact) if stream.isatty() else JsonLines(redact))
        handlers.append(shown)
    return Logs(handlers, LEVELS[level])


class _Stream(logging.StreamHandler[TextIO]):
    """Writes to stderr; a reader that went away is no reason to fail, and nowhere to complain to."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  (logging's own name)
        if not isinstance(sys.exc_info()[1], OSError | ValueError):
            raise  # noqa: PLE0704  (called by logging from inside its except clause)
