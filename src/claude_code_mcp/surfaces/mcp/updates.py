"""Who wants to hear that a resource or a task changed, and telling them: at most twice a second about each.

Notifications are cues, not facts: a change that comes while the last one is not told yet is the same cue. So what
waits for a client is bounded by what it watches, however fast things change and however slowly it reads.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

INTERVAL_S = 0.5
MOST_WATCHED = 1000
"""How many addresses one client may watch."""


class Kind(StrEnum):
    """What changed."""

    RESOURCE = "resource"
    TASK = "task"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Topic:
    """Something that changes; `name` is a URI, a task id, or the list's: `tools`, `prompts`, `resources`."""

    kind: Kind
    name: str


class Updates:
    """The place where changes are told, by anybody in the event loop."""

    def __init__(self) -> None:
        self._watches: defaultdict[Topic, set[Watch]] = defaultdict(set)

    def resource_changed(self, uri: str) -> None:
        """Tell that what stands at `uri` changed."""
        self._tell(Topic(Kind.RESOURCE, uri))

    def list_changed(self, name: str = "resources") -> None:
        """Tell that there are other `resources` (or `tools`, or `prompts`) now."""
        self._tell(Topic(Kind.LIST, name))

    def task_changed(self, task_id: str) -> None:
        """Tell that a task's status or message changed."""
        self._tell(Topic(Kind.TASK, task_id))

    def watch(self, topic: Topic, watch: "Watch") -> None:
        """Let `watch` hear of `topic`."""
        self._watches[topic].add(watch)

    def unwatch(self, topic: Topic, watch: "Watch") -> None:
        """Let `watch` hear no more of `topic`."""
        watches = self._watches.get(topic)
        if watches is not None:
            watches.discard(watch)
            if not watches:
                del self._watches[topic]

    def _tell(self, topic: Topic) -> None:
        for watch in self._watches.get(topic, ()):
            watch.mark(topic)


class Watch:
    """What one client watches. `send` tells it of one topic, and may wait while the client is slow."""

    def __init__(self, updates: Updates, send: Callable[[Topic], Awaitable[None]]) -> None:
        self._updates = updates
        self._send = send
        self._topics: set[Topic] = set()
        self._changed: dict[Topic, None] = {}
        self._told_at: dict[Topic, float] = {}
        self._cue = asyncio.Event()

    def __len__(self) -> int:
        return len(self._topics)

    def add(self, topic: Topic) -> None:
        """Watch a topic; twice is once."""
        self._topics.add(topic)
        self._updates.watch(topic, self)

    def discard(self, topic: Topic) -> None:
        """Watch a topic no more."""
        self._topics.discard(topic)
        self._changed.pop(topic, None)
        self._told_at.pop(topic, None)
        self._updates.unwatch(topic, self)

    def close(self) -> None:
        """Watch nothing more."""
        for topic in list(self._topics):
            self.discard(topic)

    def mark(self, topic: Topic) -> None:
        """Note that a topic changed; `run` tells the client."""
        self._changed[topic] = None
        self._cue.set()

    async def run(self) -> None:
        """Tell the client of changes until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            self._cue.clear()
            now = loop.time()
            due = {topic: self._told_at.get(topic, now - INTERVAL_S) + INTERVAL_S for topic in self._changed}
            for topic in [topic for topic, at in due.items() if at <= now]:
                self._changed.pop(topic, None)
                self._told_at[topic] = now
                await self._send(topic)
            later = [at - now for at in due.values() if at > now]
            await self._wait(min(later) if later else None)

    async def _wait(self, timeout_s: float | None) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                await self._cue.wait()
        except TimeoutError:
            return
