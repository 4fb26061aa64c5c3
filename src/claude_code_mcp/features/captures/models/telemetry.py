"""How a Claude Code is told to send its telemetry to us."""

import json
import shlex
from typing import Literal

from pydantic import Field

from claude_code_mcp.kernel.operation import Reply, Request


class ShowTelemetryEnv(Request):
    """Ask for the variables that make a Claude Code send its telemetry here."""

    traces: bool = True
    """Spans too (a beta of Claude Code's): the exact times of tools, and which call launched which subagent."""
    prompts: bool = False
    """The text of prompts too, not only their length."""
    tool_details: bool = False
    """The arguments of tools too, not only which tool."""
    with_token: bool = False
    """The token too: for a sender that is not a process of yours. Systems other than Linux always need it."""
    form: Literal["shell", "settings"] = "shell"
    """`shell` prints `export` lines, `settings` the `env` block of a settings file of Claude Code."""


class TelemetryEnv(Reply):
    """The variables that make a Claude Code send its telemetry here."""

    env: dict[str, str] = Field(default_factory=dict)
    """The variables."""
    form: Literal["shell", "settings"] = "shell"
    """How `text` writes them."""

    def text(self) -> str:
        """Return them as lines for a shell, or as JSON for a settings file."""
        if self.form == "settings":
            return json.dumps({"env": self.env}, indent=2)
        return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in self.env.items())
