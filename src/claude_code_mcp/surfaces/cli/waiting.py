"""What a person sees while an operation waits: one line on standard error that goes away again."""

from types import TracebackType
from typing import Self, TextIO

from claude_code_mcp.kernel.display import one_line

_WIPE = "\r\x1b[K"
WIDTH = 76


class Waiting:
    """Shows progress on `stream` while the `with` block runs, where that is a terminal."""

    def __init__(self, stream: TextIO, *, quiet: bool = False) -> None:
        self._stream = stream
        self._shown = False
        self._speaks = not quiet and stream.isatty()

    def __enter__(self) -> Self:
        return self

    def show(self, done_s: float, message: str) -> None:
        """Put the newest word of progress into the line."""
        if self._speaks:
            self._stream.write(f"{_WIPE}{one_line(f'{done_s:.0f}s {message}', WIDTH)}")
            self._stream.flush()
            self._shown = True

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wipe()

    def wipe(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write(_WIPE)
            self._stream.flush()
            self._shown = False
