"""All operations of the program, listed once."""

from claude_code_mcp.features.approvals import operations as approvals
from claude_code_mcp.features.binaries import operations as binaries
from claude_code_mcp.features.daemon import operations as daemon
from claude_code_mcp.features.diagnoses import operations as diagnoses
from claude_code_mcp.features.installations import operations as installations
from claude_code_mcp.features.projects import operations as projects
from claude_code_mcp.features.sessions import operations as sessions
from claude_code_mcp.kernel.operation import Catalog


def build_catalog() -> Catalog:
    """Return the catalog, in the order in which surfaces show it."""
    return Catalog.of(
        sessions.OPERATIONS,
        approvals.OPERATIONS,
        projects.OPERATIONS,
        binaries.OPERATIONS,
        daemon.OPERATIONS,
        installations.OPERATIONS,
        diagnoses.OPERATIONS,
    )
