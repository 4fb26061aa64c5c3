"""Which variables make a Claude Code send its telemetry, measured on 2.1.327."""

from collections.abc import Mapping

TOKEN_HEADER = "X-Claude-Code-Mcp-Token"  # noqa: S105 - the name of a header


def telemetry_env(
    url: str, *, traces: bool = True, prompts: bool = False, tool_details: bool = False, token: str = ""
) -> Mapping[str, str]:
    """Return the variables for a Claude Code that sends to `url`; with `token` where the receiver wants one."""
    env = {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
    }
    if traces:
        env |= {"CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1", "OTEL_TRACES_EXPORTER": "otlp"}
    if prompts:
        env["OTEL_LOG_USER_PROMPTS"] = "1"
    if tool_details:
        env["OTEL_LOG_TOOL_DETAILS"] = "1"
    if token:
        env["OTEL_EXPORTER_OTLP_HEADERS"] = f"{TOKEN_HEADER}={token}"
    return env
