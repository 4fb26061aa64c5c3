"""Input that said nothing we know: kept as it came, as far as it is small. Subject: the run.

The whole line is in the run's output file, at the byte offset in the event's `source_key`.
"""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class LineUnknown(Fact, frozen=True, kw_only=True):
    """A well-formed line, or a part of one, that this version does not know.

    `type`, `subtype`: what it calls itself. `raw`: its JSON text, cut to 4 KiB; `raw_bytes`: its whole size in
    bytes when it was cut, else 0.
    """

    kind: ClassVar[str] = "line.unknown"

    type: str = ""
    subtype: str = ""
    raw: str = ""
    raw_bytes: int = 0


class LineGarbled(Fact, frozen=True, kw_only=True):
    """Bytes that are no JSON line: cut off by a full disk, glued together, or not written by Claude Code at all.

    `raw`: the bytes that could not be read, cut to 4 KiB, with what is not UTF-8 written as `\\xNN`;
    `raw_bytes`: how many they were. `recovered`: how many whole lines were found between them; those became
    events of their own.
    """

    kind: ClassVar[str] = "line.garbled"

    raw: str = ""
    raw_bytes: int = 0
    recovered: int = 0


class LineOversized(Fact, frozen=True, kw_only=True):
    """A line too long to be read. `raw`: its beginning, cut to 4 KiB. `line_bytes`: its length in bytes.

    `sha256`: the hash of the whole line, where it was made.
    """

    kind: ClassVar[str] = "line.oversized"

    raw: str = ""
    line_bytes: int = 0
    sha256: str = ""
