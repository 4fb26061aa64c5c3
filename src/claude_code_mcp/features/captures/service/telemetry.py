"""Takes in the telemetry (OTLP) of Claude Codes that were told to send it to us."""

import asyncio
from datetime import datetime, timedelta

from claude_code_mcp.features.captures.service.recorder import Recorder
from claude_code_mcp.platform.claude.otlp import OtlpReader, batch, malformed, records
from claude_code_mcp.platform.claude.otlp.read import HOLD_S
from claude_code_mcp.platform.claude.redaction import PLAIN, Scrubber

SLICE = 200
"""Records after which others on the loop have their turn."""


class TelemetryIntake:
    """One batch in, its events in the log: the same batch once, however often it is sent."""

    def __init__(self, recorder: Recorder, scrubber: Scrubber = PLAIN) -> None:
        self._recorder = recorder
        self._scrubber = scrubber
        self._reader = OtlpReader()
        self._settling: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()  # batches are read one after the other: what they say about each other is state

    async def take(self, signal: str, body: bytes, at: datetime) -> int:
        """Take a batch of `logs`, `traces` or `metrics`; return how many records in it are none.

        Its events are in the log soon; waits while too many are on their way to the disk.

        Raises:
            NotOtlp: it is no such batch; nothing was taken.
        """
        message = batch(signal, body, self._scrubber)
        async with self._turn:
            for number, record in enumerate(records(signal, message, at), 1):
                self._recorder.record_soon(self._reader.take(record))
                if number % SLICE == 0:
                    await self._recorder.room()
                    await asyncio.sleep(0)
            self._recorder.record_soon(self._reader.settle(at, logs=signal == "logs"))
        await self._recorder.room()
        self._settle_later()
        return malformed(signal, message)

    def close(self) -> None:
        """Wait for nothing more; to be called before the recorder is closed."""
        if self._settling is not None:
            self._settling.cancel()
        self._recorder.record_soon(self._reader.settle(self._recorder.clock.now() + timedelta(seconds=HOLD_S)))

    def _settle_later(self) -> None:
        if self._reader.holds and self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(HOLD_S, self._settle)

    def _settle(self) -> None:
        self._settling = None
        self._recorder.record_soon(self._reader.settle(self._recorder.clock.now()))
        self._settle_later()
