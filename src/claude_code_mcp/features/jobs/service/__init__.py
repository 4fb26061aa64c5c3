"""What may be asked of jobs, and who does it."""

from claude_code_mcp.features.jobs.service.jobs import Jobs
from claude_code_mcp.features.jobs.service.tasks import BackgroundTasks

__all__ = ["BackgroundTasks", "Jobs"]
