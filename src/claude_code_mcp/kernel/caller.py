"""Who asks: the client behind a call, as far as an operation may know it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from claude_code_mcp.kernel.operation import Progress, Surface


class Elicit(Protocol):
    """Asks the person behind the client a question in place; only clients that can are given one."""

    async def __call__(self, message: str, schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the answers by field, or None when the person declined or closed the question.

        `schema` is the flat JSON schema of the form (MCP elicitation, form mode).
        """
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind one call.

    `env` is already reduced to the allow-list; it is what a session started by this call runs with, so it may
    hold secrets: never log it and never put it into an event.
    """

    cwd: str
    surface: Surface
    client: str = ""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    progress: Progress | None = None
    elicit: Elicit | None = None

    async def report(self, done_s: float, message: str) -> None:
        """Tell the waiting client how far we are, where it can be told."""
        if self.progress is not None:
            await self.progress(done_s, message)
