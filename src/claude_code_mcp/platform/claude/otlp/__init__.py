"""Telemetry of Claude Code (OTLP with JSON), into the facts that streams and hooks give too.

Measured on 2.1.327: `claude_code.*` log records, spans of the tracing beta, and the metric that counts sessions.
"""

from claude_code_mcp.platform.claude.otlp.read import NotOtlp, OtlpReader, batch, malformed, records
from claude_code_mcp.platform.claude.otlp.record import Record

__all__ = ["NotOtlp", "OtlpReader", "Record", "batch", "malformed", "records"]
