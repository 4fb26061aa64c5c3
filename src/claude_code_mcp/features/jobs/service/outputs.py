"""What a job has said: from a cursor, the last lines, a search; and waiting for more."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

from claude_code_mcp.features.jobs.models import Job, JobMatches, JobOutput, Match, ReadOutput, SearchOutput, TailOutput
from claude_code_mcp.features.jobs.rules.commands import pattern
from claude_code_mcp.features.jobs.rules.display import clean, whole
from claude_code_mcp.features.jobs.service.readiness import STREAMS
from claude_code_mcp.features.jobs.service.trimming import cut_of
from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.procs import excerpt
from claude_code_mcp.platform.procs.excerpt import Part
from claude_code_mcp.platform.procs.patterns import Pattern
from claude_code_mcp.platform.procs.ring import Cut
from claude_code_mcp.platform.procs.run import Run, Stream

LOOK_S = 0.25
"""How often an output is looked at where the system cannot tell that it grew."""
SHOWN = 1000
_NOTHING = Part(0, b"")


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor: so much of each output of an attempt was read; attempt 0 stands for the last one."""

    stdout: int = 0
    stderr: int = 0
    attempt: int = 0

    @classmethod
    def of(cls, cursor: str) -> "Place":
        """Return the place that a cursor names; the beginning for an empty one."""
        offsets, _, attempt = cursor.partition("@")
        first, _, second = offsets.partition(":")
        return cls(int(first or 0), int(second or 0), int(attempt or 0))

    def __str__(self) -> str:
        return f"{self.stdout}:{self.stderr}@{self.attempt}" if self.attempt else f"{self.stdout}:{self.stderr}"

    def at(self, stream: Stream) -> int:
        """Return how much of one output was read."""
        return self.stdout if stream == "stdout" else self.stderr


@dataclass(frozen=True, slots=True)
class Told:
    """The output of one attempt of a job; `run` is None where its files are gone."""

    job: Job
    attempt: int
    run: Run | None

    @property
    def past(self) -> bool:
        """Whether a later attempt has begun."""
        return self.attempt < self.job.attempt

    def size(self, stream: Stream) -> int:
        """Return the bytes of an output, those that were cut included."""
        return self.run.files.size_of(stream) if self.run is not None else 0

    def cut(self, stream: Stream) -> Cut:
        """Return what is gone from an output."""
        return cut_of(self.job, stream, self.attempt)


def wanted_streams(stream: str) -> tuple[Stream, ...]:
    """Return which outputs a wish names."""
    return tuple(one for one in STREAMS if stream in {"both", one})


def end_of(run: Run | None, attempt: int = 0) -> Place:
    """Return the place after everything that was said until now."""
    if run is None:
        return Place(attempt=attempt)
    return Place(run.files.size_of("stdout"), run.files.size_of("stderr"), attempt)


def read(told: Told, wish: ReadOutput, place: Place) -> JobOutput:
    """Return what was said after the place, at most so much of each output. After the end of an attempt that another
    one followed, the cursor goes on with that, unless the wish names its attempt."""
    parts: dict[Stream, Part] = {}
    for stream in wanted_streams(wish.stream):
        parts[stream] = _part(told, stream, place.at(stream), wish.limit_bytes)
    found = _reply(told, parts, place, raw=wish.raw)
    if told.past and not found.more and wish.attempt is None:
        return found.model_copy(update={"cursor": str(Place(attempt=told.attempt + 1)), "more": True, "over": False})
    return found


def tail(told: Told, wish: TailOutput) -> JobOutput:
    """Return the last lines of each output."""
    parts: dict[Stream, Part] = {}
    for stream in wanted_streams(wish.stream):
        if told.run is not None and told.size(stream):
            with excerpt.opened(told.run.files.path / stream) as fd:
                parts[stream] = excerpt.tail(fd, wish.lines, wish.limit_bytes, told.cut(stream))
    return _reply(told, parts, end_of(told.run), raw=wish.raw)


def search(job: Job, run: Run | None, wish: SearchOutput) -> JobMatches:
    """Return the places that fit, in order.

    Raises:
        BadPattern: it is no regular expression.
    """
    wanted, found = pattern(wish.pattern), list[Match]()
    for stream in wanted_streams(wish.stream):
        if run is None or not run.files.size_of(stream):
            continue
        with excerpt.opened(run.files.path / stream) as fd:
            for match in excerpt.matches(fd, wanted, wish.after, cut_of(job, stream)):
                if len(found) >= wish.limit:
                    return JobMatches(matches=found, more=True)
                found.append(Match(stream=stream, offset=match.start, line=one_line(clean(match.line), SHOWN)))
    return JobMatches(matches=found)


async def grown(run: Run | None, place: Place, stream: str, wait_s: float) -> bool:
    """Wait until an output has more than was read at `place`, or nothing more can come; False when the time passed."""
    if run is None:
        return True
    news = asyncio.Event()
    streams = wanted_streams(stream)
    with ExitStack() as held:
        heard = [_listen(held, run.on_output(one, news.set)) for one in streams]
        held.callback(run.on_end(news.set))
        try:
            async with asyncio.timeout(wait_s):
                while not run.ended() and all(run.files.size_of(one) == place.at(one) for one in streams):
                    news.clear()
                    await _news(news, None if all(heard) else LOOK_S)
        except TimeoutError:
            return False
    return True


async def quiet(run: Run, stream: str, still_s: float, most_s: float) -> None:
    """Wait until the output has stood still for `still_s`, `most_s` at most."""
    began = asyncio.get_running_loop().time()
    while (left := most_s - (asyncio.get_running_loop().time() - began)) > 0:
        if not await grown(run, end_of(run), stream, min(still_s, left)) or run.ended():
            return


async def matching(run: Run | None, wanted: Pattern, place: Place, wait_s: float) -> tuple[str | None, Place]:
    """Wait for a line that fits, from `place` on; return it, and where the output is then."""
    began = asyncio.get_running_loop().time()
    while run is not None:
        over, here = run.ended(), end_of(run)
        for stream in STREAMS:
            line = await asyncio.to_thread(_line, run, stream, wanted, place.at(stream))
            if line is not None:
                return line, end_of(run)
        # What was looked at is not looked at again, but for the end: it may have been half a line.
        place = Place(*(max(place.at(stream), here.at(stream) - excerpt.OVERLAP) for stream in STREAMS))
        left = wait_s - (asyncio.get_running_loop().time() - began)
        if over or left <= 0 or not await grown(run, here, "both", left):
            break
    return None, end_of(run)


def _line(run: Run, stream: Stream, wanted: Pattern, start: int) -> str | None:
    if run.files.size_of(stream) <= start:
        return None
    with excerpt.opened(run.files.path / stream) as fd:
        for match in excerpt.matches(fd, wanted, start, Cut()):
            return one_line(clean(match.line), SHOWN)
    return None


def _listen(held: ExitStack, forget: Callable[[], None] | None) -> bool:
    if forget is not None:
        held.callback(forget)
    return forget is not None


async def _news(news: asyncio.Event, timeout_s: float | None) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await news.wait()
    except TimeoutError:
        pass


def _part(told: Told, stream: Stream, start: int, limit: int) -> Part:
    size = told.size(stream)
    start = start if start <= size else 0  # it was truncated under its writer, by `> /dev/stderr` say
    if told.run is None or size <= start:
        return Part(start, b"")
    with excerpt.opened(told.run.files.path / stream) as fd:
        found = excerpt.part(fd, start, limit, told.cut(stream))
    # What is cut in the middle of a character or of an escape sequence comes whole with the next piece.
    goes_on = (told.job.alive and not told.past) or told.size(stream) > found.end
    kept = found.data[: whole(found.data)] if goes_on else found.data
    return Part(found.start, kept or found.data, found.gap_bytes)


def _reply(told: Told, parts: Mapping[Stream, Part], place: Place, *, raw: bool) -> JobOutput:
    ends = {stream: parts[stream].end if stream in parts else place.at(stream) for stream in STREAMS}
    more = any(stream in parts and told.size(stream) > ends[stream] for stream in STREAMS)
    out, err = parts.get("stdout", _NOTHING), parts.get("stderr", _NOTHING)
    return JobOutput(
        stdout=_text(out.data, raw=raw),
        stderr=_text(err.data, raw=raw),
        cursor=str(Place(ends["stdout"], ends["stderr"], told.attempt)),
        more=more,
        over=not told.job.alive and not more,
        state=told.job.state.value,
        stdout_gap_bytes=out.gap_bytes,
        stderr_gap_bytes=err.gap_bytes,
    )


def _text(data: bytes, *, raw: bool) -> str:
    """Return output as text; what is not UTF-8 is shown as such, also where escape sequences are kept."""
    return data.decode("utf-8", "replace") if raw else clean(data)
