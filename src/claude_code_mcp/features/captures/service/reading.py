"""One pass over what was appended to transcripts: counted for the index, and read for the log where it is followed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from claude_code_mcp.features.captures.models import TranscriptRow
from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.transcript.agents import agent_events, read_meta
from claude_code_mcp.platform.claude.transcript.entry import Origin, TranscriptState
from claude_code_mcp.platform.claude.transcript.files import Found
from claude_code_mcp.platform.claude.transcript.history import first_moment, known, read_piece
from claude_code_mcp.platform.claude.transcript.tally import Tally
from claude_code_mcp.platform.files.appended import Piece, Place, read_on

FOLLOWED_BYTES = 1 << 17
"""How much of a transcript is taken into the log at once; its events are on the loop's hands for some milliseconds."""
_STATE = msgspec.json.Decoder(TranscriptState).decode
_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Errand:
    """One transcript to read on: what is known of it, and whose events it gives; None has it counted only.

    `told`: what is passed over now came into the log by another way, and is never read for it.
    """

    found: Found
    row: TranscriptRow
    origin: Origin | None
    told: bool = False


@dataclass(slots=True)
class Outcome:
    """What reading on came to. `gone`: there is no such file any more. `more`: it was not read to its end."""

    errand: Errand
    events: list[Event] = field(default_factory=list)
    gone: bool = False
    more: bool = False


def new_row(found: Found) -> TranscriptRow:
    """Return the row of a transcript that was never looked at."""
    file = found.file
    return TranscriptRow(path=str(file.path), session_id=file.session_id, agent_id=file.agent_id)


def read_all(errands: Sequence[Errand], at: datetime, budget_s: float) -> list[Outcome]:
    """Read on one transcript after the other until the time is up; those that are left out have no outcome.

    `at`: the time for lines that tell none. The rows are changed.
    """
    until = time.monotonic() + budget_s
    outcomes: list[Outcome] = []
    for errand in errands:
        outcomes.append(_Reader(errand, at).read())
        if time.monotonic() >= until:
            break
    return outcomes


class _Reader:
    """Reads one transcript on, for all who want something of it."""

    def __init__(self, errand: Errand, at: datetime) -> None:
        self._outcome = Outcome(errand)
        self._row = row = errand.row
        self._file = errand.found.file
        self._at = at
        self._place = Place(device=row.device, inode=row.inode, offset=row.offset, mark=row.mark) if row.mark else None

    def read(self) -> Outcome:
        """Read on and say what came of it."""
        row, found = self._row, self._outcome.errand.found
        # What the directory said before the reading: what is written in between is found at the next look.
        row.device, row.inode, row.size_bytes, row.mtime_ns = (
            found.device,
            found.inode,
            found.size_bytes,
            found.mtime_ns,
        )
        origin = self._outcome.errand.origin
        try:
            if origin is None:
                for piece in read_on(self._file.path, self._place):
                    self._tally(piece)
                if self._outcome.errand.told:
                    row.followed, row.state = row.offset, b"{}"
            else:
                self._follow(origin)
        except OSError:
            # One that may not be read is left alone until it changes.
            self._outcome.gone = not self._file.path.exists()
        return self._outcome

    def _follow(self, origin: Origin) -> None:
        row = self._row
        state = _STATE(row.state) if row.followed is not None else TranscriptState()
        row.followed = row.followed or 0
        behind = self._place is not None and row.followed < self._place.offset
        start = row.followed if behind else None
        pieces = read_on(self._file.path, self._place, start=start, piece_bytes=FOLLOWED_BYTES)
        # One piece: then the others get their turn.
        piece = next(pieces, None)
        pieces.close()
        if piece is not None:
            if piece.restarted:
                state = TranscriptState()
            if piece.restarted or not behind:
                self._tally(piece)
            state = self._described(state, origin, piece)
            reading = read_piece(state, piece, origin, self._at)
            self._outcome.events += reading.events
            state, row.followed = known(reading), piece.after.offset
            self._outcome.more = row.followed < row.size_bytes
        if not self._outcome.more:
            state = self._ended(state, origin)
        row.state = _ENCODE(state)

    def _described(self, state: TranscriptState, origin: Origin, piece: Piece) -> TranscriptState:
        """Tell which call launched a subagent, before its first lines."""
        meta = read_meta(self._file.meta_path) if origin.agent_id and not state.launched_by else None
        if meta is None:
            return state
        began_at = first_moment(piece.lines) or self._at
        reading = agent_events(state, meta, origin=origin, began_at=began_at, read_whole=False)
        self._outcome.events += reading.events
        return known(reading)

    def _ended(self, state: TranscriptState, origin: Origin) -> TranscriptState:
        """Tell that a subagent is over once its description says so and all its lines were told."""
        meta = read_meta(self._file.meta_path) if origin.agent_id and not state.finished else None
        if meta is None:
            return state
        reading = agent_events(state, meta, origin=origin, began_at=self._at, read_whole=True)
        self._outcome.events += reading.events
        return known(reading)

    def _tally(self, piece: Piece) -> None:
        row = self._row
        if piece.restarted or piece.start == 0:
            row.tally = Tally()
        row.tally.take(piece.lines, subagent=bool(row.agent_id))
        row.device, row.inode = piece.after.device, piece.after.inode
        row.offset, row.mark = piece.after.offset, piece.after.mark
