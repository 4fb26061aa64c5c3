"""Requests, replies and things of checkpoints."""

from claude_code_mcp.features.checkpoints.models.things import (
    AUTOMATIC,
    Checkpoint,
    Keep,
    PendingRestore,
    Point,
    Project,
    SecretsPolicy,
    Strategy,
    TreeSettings,
    Trigger,
)

__all__ = [
    "AUTOMATIC",
    "Checkpoint",
    "Keep",
    "PendingRestore",
    "Point",
    "Project",
    "SecretsPolicy",
    "Strategy",
    "TreeSettings",
    "Trigger",
]
