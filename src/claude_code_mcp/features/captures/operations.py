"""What the world may ask about what is taken in."""

import sys
from typing import Protocol

from claude_code_mcp.features.captures.models.sources import ShowSources, Sources
from claude_code_mcp.features.captures.models.telemetry import ShowTelemetryEnv, TelemetryEnv
from claude_code_mcp.features.captures.rules.telemetry import telemetry_env
from claude_code_mcp.features.captures.service import Captures
from claude_code_mcp.features.daemon.errors import NoHttp
from claude_code_mcp.features.daemon.service import Daemon
from claude_code_mcp.kernel.operation import Effect, Hints, Surface, operation


class Context(Protocol):
    """What these operations need."""

    @property
    def captures(self) -> Captures:
        """What others' Claude Codes tell."""
        ...

    @property
    def daemon(self) -> Daemon:
        """The daemon."""
        ...


@operation(
    "captures.telemetry_env",
    effect=Effect.READ,
    surfaces=(Surface.CLI,),  # it may hold the token, which no model is to read
    raises=(NoHttp,),
    hints=Hints(
        cli=("telemetry", "env"),
        examples=("telemetry env", "telemetry env --form settings"),
    ),
)
async def show_telemetry_env(ctx: Context, wish: ShowTelemetryEnv) -> TelemetryEnv:
    """Print the variables that make a Claude Code send its telemetry to the daemon: what it asks the model, what that
    costs, which tools run and who allowed them."""
    access = ctx.daemon.http()
    token = access.token if wish.with_token or not sys.platform.startswith("linux") else ""
    env = telemetry_env(
        access.url, traces=wish.traces, prompts=wish.prompts, tool_details=wish.tool_details, token=token
    )
    return TelemetryEnv(env=dict(env), form=wish.form)


@operation("captures.sources", effect=Effect.READ, surfaces=(Surface.CLI, Surface.HTTP))
async def show_sources(ctx: Context, _: ShowSources) -> Sources:
    """Show where Claude Codes that others started are looked for, how many run, and how far their transcripts were
    read."""
    return ctx.captures.sources()


OPERATIONS = (show_sources, show_telemetry_env)
