"""The suite's prompts, completion and log level: our surface has none, so they are added to its server here."""

import json
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CompleteRequestParams,
    GetPromptRequestParams,
    PaginatedRequestParams,
    SetLevelRequestParams,
)

from claude_code_mcp.surfaces.mcp.handlers import complete
from tests.surfaces.mcp.conformance.tools import IMAGE, embedded, form, text

Context = ServerRequestContext[Any, Any]
Result = dict[str, Any]
ARGUMENTS: dict[str, list[str]] = {
    "test_simple_prompt": [],
    "test_prompt_with_arguments": ["arg1", "arg2"],
    "test_prompt_with_embedded_resource": ["resourceUri"],
    "test_prompt_with_image": [],
    "test_input_required_result_prompt": [],
}


def add_prompts(server: Server[Any]) -> None:
    """Let `server` answer what the suite asks beside tools and resources."""
    server.add_request_handler("prompts/list", PaginatedRequestParams, complete(list_prompts))
    server.add_request_handler("prompts/get", GetPromptRequestParams, complete(get_prompt))
    server.add_request_handler("completion/complete", CompleteRequestParams, complete(suggest))
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, set_level)


async def list_prompts(_ctx: Context, _params: PaginatedRequestParams) -> Result:
    return {
        "prompts": [
            {
                "name": name,
                "description": f"Conformance fixture {name}.",
                "arguments": [{"name": arg, "description": arg, "required": True} for arg in arguments],
            }
            for name, arguments in ARGUMENTS.items()
        ]
    }


async def get_prompt(ctx: Context, params: GetPromptRequestParams) -> Result:
    given = params.arguments or {}
    match params.name:
        case "test_simple_prompt":
            return messages(text("This is a simple prompt for testing."))
        case "test_prompt_with_arguments":
            return messages(text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))
        case "test_prompt_with_embedded_resource":
            resource = embedded(given["resourceUri"], "text/plain", "Embedded resource content for testing.")
            return messages(resource, text("Please process the embedded resource above."))
        case "test_prompt_with_image":
            return messages(IMAGE, text("Please analyze the image above."))
        case "test_input_required_result_prompt":
            answers = (ctx.params or {}).get("inputResponses") or {}
            if "user_context" in answers:
                return messages(text(json.dumps(answers["user_context"])))
            question = form("What context should the prompt use?", context={"type": "string"})
            return {"resultType": "input_required", "inputRequests": {"user_context": question}}
        case name:
            raise MCPError(INVALID_PARAMS, f"Unknown prompt: {name}")


async def suggest(_ctx: Context, _params: CompleteRequestParams) -> Result:
    return {"completion": {"values": ["paris", "park"], "total": 2, "hasMore": False}}


async def set_level(_ctx: Context, _params: SetLevelRequestParams) -> Result:
    return {}


def messages(*contents: dict[str, Any]) -> Result:
    return {"messages": [{"role": "user", "content": content} for content in contents]}
