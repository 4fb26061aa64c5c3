"""All operations of the program, listed once."""

from claude_code_mcp.features.activity import operations as activity
from claude_code_mcp.features.approvals import operations as approvals
from claude_code_mcp.features.binaries import operations as binaries
from claude_code_mcp.features.captures import operations as captures
from claude_code_mcp.features.checkpoints import operations as checkpoints
from claude_code_mcp.features.daemon import operations as daemon
from claude_code_mcp.features.diagnoses import operations as diagnoses
from claude_code_mcp.features.hooks import operations as hooks
from claude_code_mcp.features.installations import operations as installations
from claude_code_mcp.features.jobs import operations as jobs
from claude_code_mcp.features.processes import operations as processes
from claude_code_mcp.features.projects import operations as projects
from claude_code_mcp.features.sessions import operations as sessions
from claude_code_mcp.kernel.operation import Catalog


def build_catalog() -> Catalog:
    """Return the catalog, in the order in which surfaces show it."""
    return Catalog.of(
        sessions.OPERATIONS,
        approvals.OPERATIONS,
        activity.OPERATIONS,
        jobs.OPERATIONS,
        checkpoints.OPERATIONS,
        processes.OPERATIONS,
        projects.OPERATIONS,
        binaries.OPERATIONS,
        captures.OPERATIONS,
        daemon.OPERATIONS,
        installations.OPERATIONS,
        hooks.OPERATIONS,
        diagnoses.OPERATIONS,
    )
