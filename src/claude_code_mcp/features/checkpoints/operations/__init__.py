"""What the world may ask about checkpoints."""

from claude_code_mcp.features.checkpoints.operations import branches, keeping, looking, restoring

OPERATIONS = (*restoring.OPERATIONS, *looking.OPERATIONS, *keeping.OPERATIONS, *branches.OPERATIONS)
