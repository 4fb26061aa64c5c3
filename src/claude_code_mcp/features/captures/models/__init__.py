"""What is known of transcripts and processes of others."""

from claude_code_mcp.features.captures.models.processes import ProcessRow
from claude_code_mcp.features.captures.models.transcripts import PastTranscript, TranscriptRow

__all__ = ["PastTranscript", "ProcessRow", "TranscriptRow"]
