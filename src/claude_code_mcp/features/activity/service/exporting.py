"""Exports: into a reply, or piece by piece into a new file."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from claude_code_mcp.features.activity.errors import ExportRefused, ExportTooBig
from claude_code_mcp.features.activity.models import (
    ActivityNode,
    DisplaySettings,
    Exported,
    ExportFormat,
    ExportSession,
    SessionActivity,
)
from claude_code_mcp.features.activity.models.documents import SessionDocument
from claude_code_mcp.features.activity.rules.exporting import event_of
from claude_code_mcp.features.activity.rules.exports.html import html
from claude_code_mcp.features.activity.rules.exports.otlp import otlp
from claude_code_mcp.features.activity.rules.exports.text import console_log, plain_text
from claude_code_mcp.features.activity.rules.view import View
from claude_code_mcp.features.activity.service.shelf import Kept, Shelf
from claude_code_mcp.features.activity.service.showing import style_of
from claude_code_mcp.kernel.clock import Clock
from claude_code_mcp.kernel.ids import SessionId

MOST_BYTES = 16 * 2**20
"""The biggest document that goes into a reply."""
PIECE = 64 * 1024
DEEPEST = 100
MEDIA_TYPES = {
    ExportFormat.LOG: "text/plain; charset=utf-8",
    ExportFormat.TEXT: "text/plain; charset=utf-8",
    ExportFormat.JSON: "application/json",
    ExportFormat.HTML: "text/html; charset=utf-8",
    ExportFormat.OTLP: "application/json",
}


class Exporting:
    """Sessions as documents."""

    def __init__(self, shelf: Shelf, clock: Clock) -> None:
        self._shelf = shelf
        self._clock = clock

    async def export(
        self, session_id: SessionId, kept: Kept, wish: ExportSession, settings: DisplaySettings
    ) -> Exported:
        """Return the document, or write it to the file that is wished.

        Raises:
            ExportTooBig: it does not fit into a reply, and no file was named.
            ExportRefused: the file cannot be written.
        """
        pieces = self._pieces(session_id, kept, wish.format, settings)
        about = {"session_id": session_id, "format": wish.format.value, "media_type": MEDIA_TYPES[wish.format]}
        if wish.out is not None:
            size = await _write(wish.out, pieces)
            return Exported(**about, bytes=size, out=str(wish.out))
        body, size = list[str](), 0
        async for piece in pieces:
            size += len(piece.encode())
            if size > MOST_BYTES:
                raise ExportTooBig(
                    f"Session {session_id} is more than {MOST_BYTES >> 20} MiB as {wish.format.value}.",
                    remedy="Name a new file with `out`; it is written there piece by piece.",
                )
            body.append(piece)
        return Exported(**about, bytes=size, body="".join(body))

    async def text(self, session_id: SessionId, settings: DisplaySettings) -> str:
        """Return the console log of a session.

        Raises:
            ActivityNotFound: there is no such session.
        """
        kept = await self._shelf.kept(session_id)
        _, root = self._now(kept, settings)
        return "".join(console_log(root, style_of(settings)))

    def _now(self, kept: Kept, settings: DisplaySettings) -> tuple[SessionActivity, ActivityNode]:
        now = self._clock.now()
        view = View(max_depth=DEEPEST, slow_ms=settings.threshold_slow_ms)
        return kept.fold.summary(now), kept.fold.root(now, view)

    async def _pieces(
        self, session_id: SessionId, kept: Kept, wished: ExportFormat, settings: DisplaySettings
    ) -> AsyncIterator[str]:
        """Yield the document in pieces of about `PIECE` characters; others run in between."""
        session, root = self._now(kept, settings)
        if wished is ExportFormat.JSON:
            async for piece in self._json(session_id, kept, session, root):
                yield piece
            return
        for piece in _joined(_rendered(wished, session, root, settings)):
            yield piece
            await asyncio.sleep(0)

    async def _json(
        self, session_id: SessionId, kept: Kept, session: SessionActivity, root: ActivityNode
    ) -> AsyncIterator[str]:
        """Yield one object: schema, session, tree, and all events of the session in the document's shape."""
        yield f'{{"schema":"{SessionDocument.schema_id}","session":{session.model_dump_json()},'
        yield f'"tree":{root.model_dump_json()},"events":['
        comma = ""
        async for events in self._shelf.events(session_id):
            made = [event for one in events if (event := event_of(one, kept.fold)) is not None]
            if made:
                yield comma + ",\n".join(event.model_dump_json() for event in made)
                comma = ",\n"
            await asyncio.sleep(0)
        yield "]}\n"


def _rendered(
    wished: ExportFormat, session: SessionActivity, root: ActivityNode, settings: DisplaySettings
) -> Iterator[str]:
    match wished:
        case ExportFormat.HTML:
            return html(session, root)
        case ExportFormat.OTLP:
            return otlp(session, root)
        case ExportFormat.TEXT:
            return plain_text(session, root, style_of(settings, emoji=False))
        case _:
            return console_log(root, style_of(settings))


def _joined(pieces: Iterator[str]) -> Iterator[str]:
    """Yield the same text in pieces that are worth a write."""
    held: list[str] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield "".join(held)
            held, size = [], 0
    yield "".join(held)


async def _write(path: Path, pieces: AsyncIterator[str]) -> int:
    """Write a new file that only its owner can read; return its size. Nothing is left where it cannot be whole."""
    fd = _opened(path)
    size = 0
    try:
        with os.fdopen(fd, "wb") as file:
            async for piece in pieces:
                size += await asyncio.to_thread(file.write, piece.encode())
    except OSError as exc:
        _removed(path)
        raise ExportRefused(f"{path} cannot be written: {exc.strerror}.", remedy="Free space, then again.") from exc
    except BaseException:
        _removed(path)
        raise
    return size


def _opened(path: Path) -> int:
    if not path.is_absolute():
        raise ExportRefused(f"{path} is no absolute path.", remedy="Name the file from / on.")
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError as exc:
        raise ExportRefused(f"{path} exists, and nothing is overwritten.", remedy="Name another file.") from exc
    except OSError as exc:
        raise ExportRefused(f"{path} cannot be written: {exc.strerror}.", remedy="Name another file.") from exc


def _removed(path: Path) -> None:
    path.unlink(missing_ok=True)
