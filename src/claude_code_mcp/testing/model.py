"""The scripted model itself: reads a request, lets the script choose, counts errors and records it all."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from claude_code_mcp.testing import conversation as conversations
from claude_code_mcp.testing.gates import Gate, Gates
from claude_code_mcp.testing.recorder import Kind, Recorder, Seen
from claude_code_mcp.testing.script import Failure, Script, Step
from claude_code_mcp.testing.selection import Choice, UnknownScenario, choose
from claude_code_mcp.testing.wire import End, Reply

_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Refused:
    """The request is answered with an API error."""

    failure: Failure
    step: Step
    id: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The request is answered with a reply."""

    reply: Reply
    stream: bool


class ScriptedModel:
    """A stand-in for the Messages API that plays a script.

    This is the model without its server: `hosting` puts it on a loopback port and sets `url`. All methods may be
    called from any thread.
    """

    def __init__(self, script: Script, *, record_path: str | os.PathLike[str] | None = None) -> None:
        """Play `script`; with `record_path` append every request to that file as a line of JSON.

        Raises:
            OSError: the record file cannot be opened.
        """
        self.script = script
        self.url = ""
        self.gates = Gates()
        self.recorder = Recorder(record_path)
        self._tries: OrderedDict[tuple[object, ...], int] = OrderedDict()

    def gate(self, name: str) -> Gate:
        """Return the gate of that name."""
        return self.gates[name]

    def add(self, script: Script) -> None:
        """Add the scenarios of `script` while the model runs; on equal names the new one wins."""
        self.script = self.script.extended(script)

    def seen(self, where: Callable[[Seen], bool] | None = None, *, kind: Kind | None = Kind.MESSAGES) -> list[Seen]:
        """Return the recorded requests of `kind` (None: all) for which `where` holds, oldest first."""
        return self.recorder.seen(where, kind=kind)

    def expect(
        self, n: int = 1, where: Callable[[Seen], bool] | None = None, *, kind: Kind | None = Kind.MESSAGES
    ) -> "Future[list[Seen]]":
        """Return a future of the first `n` such requests, for tests without an event loop: `.result(timeout)`."""
        return self.recorder.expect(n, where, kind=kind)

    async def wait_for(
        self,
        n: int = 1,
        where: Callable[[Seen], bool] | None = None,
        *,
        kind: Kind | None = Kind.MESSAGES,
        timeout_s: float = 10,
    ) -> list[Seen]:
        """Wait for the first `n` requests for which `where` holds; those already seen count.

        Raises:
            TimeoutError: they did not come within `timeout_s` seconds.
        """
        return await self.recorder.wait_for(n, where, kind=kind, timeout_s=timeout_s)

    def reset(self) -> None:
        """Forget requests, gates and counted errors, as if just started. Replies that wait at a gate go through."""
        for name in self.gates.waiting():
            self.gates[name].open()
        self.gates = Gates()
        self._tries.clear()
        self.recorder.clear()

    def close(self) -> None:
        """Close the record file."""
        self.recorder.close()

    def answer(self, path: str, headers: Mapping[str, str], raw: bytes) -> tuple[Seen, Answered | Refused]:
        """Choose what answers the request `raw` to `/v1/messages`, and record it."""
        seen = self.recorder.add(Kind.MESSAGES, "POST", path, headers, raw)
        try:
            asked = conversations.read(raw)
            choice = choose(self.script, asked, raw)
        except (ValueError, UnknownScenario) as exc:
            seen.scenario = "(refused)"
            self.recorder.announce(seen)
            failure = Failure(status=400, message=f"scripted model: {exc}")
            return seen, Refused(failure, Step(error=failure), f"req_{seen.number}")
        seen.scenario, seen.step = choice.scenario, choice.index + 1
        played = self._played(seen, choice, asked)
        self.recorder.announce(seen)
        return seen, played

    def record_other(self, kind: Kind, method: str, path: str, headers: Mapping[str, str], raw: bytes) -> Seen:
        """Record a request that no script answers."""
        seen = self.recorder.add(kind, method, path, headers, raw)
        self.recorder.announce(seen)
        return seen

    def _played(self, seen: Seen, choice: Choice, asked: conversations.Conversation) -> Answered | Refused:
        place = (seen.session_id, seen.agent_id, choice.scenario, choice.index, len(asked.messages))
        tried = self._count(place)
        number = _number(place, tried)
        failure = choice.step.error
        end = End.CUT if asked.stream and _lasts(choice.step.cut, tried) else End.COMPLETE
        if failure is not None and _strikes(failure, asked.model, tried):
            if not (failure.in_stream and asked.stream):
                return Refused(failure, choice.step, f"req_{number}")
            end = End.ERROR
        return Answered(Reply.of(choice.step, choice.values, number=number, model=asked.model, end=end), asked.stream)

    def _count(self, place: tuple[object, ...]) -> int:
        """Return how often this place in a conversation has been answered, this time included."""
        tried = self._tries.pop(place, 0) + 1
        self._tries[place] = tried
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        return tried


def _strikes(failure: Failure, model: str, tried: int) -> bool:
    if failure.model is not None and failure.model not in model:
        return False
    return failure.times is None or tried <= failure.times


def _lasts(times: bool | int, tried: int) -> bool:
    return times if isinstance(times, bool) else tried <= times


def _number(place: tuple[object, ...], tried: int) -> str:
    """Return an id that is the same whenever the same session gets to the same place, and different for a retry."""
    return hashlib.sha1(repr((place, tried)).encode(), usedforsecurity=False).hexdigest()[:20]
