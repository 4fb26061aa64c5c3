"""A thing that a client may read by its address, and be told of when it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Resource:
    """A thing with an address of its own."""

    uri: str
    name: str
    description: str = ""
    mime_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class ResourceTemplate:
    """A family of addresses: `uri_template` as in RFC 6570, e.g. `session://{session_id}/events`."""

    uri_template: str
    name: str
    description: str = ""
    mime_type: str = "text/plain"


@dataclass(frozen=True, slots=True)
class ResourceContent:
    """What was read: text, or bytes."""

    uri: str
    body: str | bytes
    mime_type: str = "text/plain"


class ResourceProvider(Protocol):
    """Answers for the addresses of one feature."""

    @property
    def templates(self) -> Sequence[ResourceTemplate]:
        """The families of addresses that `read` knows."""
        ...

    async def resources(self) -> Sequence[Resource]:
        """Return what is there now, in a stable order; keep it short, the templates reach the rest."""
        ...

    async def read(self, uri: str) -> Sequence[ResourceContent] | None:
        """Return what stands at `uri`; None where the address is not of this provider's kind.

        Raises:
            NotFound: the address is of this kind, but nothing stands there.
        """
        ...


class SessionResourceProvider(ResourceProvider, Protocol):
    """Answers for addresses whose content comes from the events of sessions."""

    def changed(self, sessions: Sequence[str]) -> Sequence[str]:
        """Return the addresses that read otherwise now that these sessions have new events."""
        ...
