"""What the world may ask: is everything well?"""

from typing import Protocol

from claude_code_mcp.features.diagnoses.models import Diagnosis, RunChecks
from claude_code_mcp.features.diagnoses.service import Diagnoses
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation


class Context(Protocol):
    """What these operations need."""

    @property
    def diagnoses(self) -> Diagnoses:
        """Diagnoses."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "diagnoses.run",
    tool="doctor",
    effect=Effect.READ,
    hints=Hints(
        cli=("doctor",),
        search="health check problem fix install login",
        examples=("claude-code-mcp doctor", "claude-code-mcp doctor --json"),
    ),
)
async def run(ctx: Context, wish: RunChecks) -> Diagnosis:
    """Check binary, login, daemon, store, disk, MCP clients, hooks and the project's trust, each with its fix."""
    return await ctx.diagnoses.run(wish, ctx.caller)


OPERATIONS = (run,)
