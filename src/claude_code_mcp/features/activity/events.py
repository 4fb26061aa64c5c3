"""Facts that this feature records itself: only how a person wants to see things."""

from typing import ClassVar

from claude_code_mcp.kernel.events import Fact


class DisplayConfigured(Fact, frozen=True, kw_only=True):
    """Activity is shown in another way from now on. Subject: the session, "" for the default of all.

    `settings`: all that is set there now, by name; what is not in it is the default's.
    """

    kind: ClassVar[str] = "display.configured"

    settings: dict[str, bool | int]
