"""What the world may ask about projects."""

from typing import Protocol

from claude_code_mcp.features.projects.errors import BadProjectPath, ProjectNotADirectory, ProjectNotFound
from claude_code_mcp.features.projects.models import (
    ListProjects,
    ProjectInfo,
    ProjectList,
    ShowProject,
    TrustProject,
    UntrustProject,
)
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.operation import Effect, Hints, operation

_PATH = (ProjectNotFound, ProjectNotADirectory, BadProjectPath)


class Context(Protocol):
    """What these operations need."""

    @property
    def projects(self) -> Projects:
        """Projects."""
        ...

    @property
    def caller(self) -> Caller:
        """Who asks."""
        ...


@operation(
    "projects.show",
    tool="project_show",
    effect=Effect.READ,
    raises=_PATH,
    hints=Hints(positional=("project_path",), search="trust hooks settings mcp executable configuration"),
)
async def show(ctx: Context, wish: ShowProject) -> ProjectInfo:
    """Show whether a project is trusted, and which of its configuration can run code."""
    return await ctx.projects.show(wish.project_path, ctx.caller)


@operation(
    "projects.trust",
    tool="project_trust",
    effect=Effect.WRITE,
    raises=_PATH,
    hints=Hints(
        positional=("project_path",),
        idempotent=True,
        search="trust allow hooks settings mcp servers",
        examples=("claude-code-mcp projects trust ~/code/app",),
    ),
)
async def trust(ctx: Context, wish: TrustProject) -> ProjectInfo:
    """Trust a project's settings, hooks, agents and MCP servers as they are now; a change ends it."""
    project = ctx.projects.locate(wish.project_path, ctx.caller)
    await ctx.projects.trust(project, ctx.caller.env)
    return await ctx.projects.show(str(project), ctx.caller)


@operation(
    "projects.untrust",
    tool="project_untrust",
    effect=Effect.WRITE,
    raises=_PATH,
    hints=Hints(positional=("project_path",), idempotent=True, search="trust revoke"),
)
async def untrust(ctx: Context, wish: UntrustProject) -> ProjectInfo:
    """Take back the trust that was given here; Claude Code's own record stays."""
    project = ctx.projects.locate(wish.project_path, ctx.caller)
    await ctx.projects.untrust(project)
    return await ctx.projects.show(str(project), ctx.caller)


@operation("projects.list", tool="project_list", effect=Effect.READ, hints=Hints(search="trusted projects"))
async def list_(ctx: Context, _: ListProjects) -> ProjectList:
    """List the projects that were trusted here."""
    return await ctx.projects.list(ctx.caller)


OPERATIONS = (show, trust, untrust, list_)
