"""The reference pages by the name of their file."""

from collections.abc import Callable, Mapping

from claude_code_mcp.surfaces.docs.cli_page import cli_page
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.errors_page import errors_page
from claude_code_mcp.surfaces.docs.events_page import events_page
from claude_code_mcp.surfaces.docs.http_page import http_page
from claude_code_mcp.surfaces.docs.operations_page import operations_page
from claude_code_mcp.surfaces.docs.schemas_page import schemas_page
from claude_code_mcp.surfaces.docs.settings_page import settings_page
from claude_code_mcp.surfaces.docs.tools_page import tools_page

PAGES: Mapping[str, Callable[[Declared], str]] = {
    "operations.md": operations_page,
    "tools.md": tools_page,
    "cli.md": cli_page,
    "http.md": http_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "schemas.md": schemas_page,
    "settings.md": settings_page,
}
