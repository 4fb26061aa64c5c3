"""The `test_*` tools of the official conformance suite (SERVER_REQUIREMENTS.md and the scenarios' own texts)."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, MISSING_REQUIRED_CLIENT_CAPABILITY

from claude_code_mcp.surfaces.mcp.call import Call
from claude_code_mcp.surfaces.mcp.exchanges import SdkExchange
from claude_code_mcp.surfaces.mcp.tools import Result, Tool, text_result
from claude_code_mcp.surfaces.mcp.updates import Updates

Run = Callable[[Call], Awaitable[Result]]

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="
LOG_LEVEL = "io.modelcontextprotocol/logLevel"

NEW_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
ENUMS: dict[str, Any] = {
    "untitledSingle": {"type": "string", "enum": ["option1", "option2", "option3"]},
    "titledSingle": {
        "type": "string",
        "oneOf": [{"const": f"value{n}", "title": f"Option {n}"} for n in (1, 2, 3)],
    },
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": ["option1", "option2"]}},
    "titledMulti": {
        "type": "array",
        "items": {"anyOf": [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2)]},
    },
}
DEFAULTS: dict[str, Any] = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}


def tool(name: str, run: Run, properties: dict[str, Any] | None = None, **flags: Any) -> Tool:
    """Return a fixture tool."""
    schema = {"type": "object", "properties": properties or {}}
    wire = {"name": name, "description": f"Conformance fixture {name}.", "inputSchema": schema}
    return Tool(name=name, wire=wire, run=run, **flags)


def form(message: str, **properties: Any) -> dict[str, Any]:
    """Return an elicitation request."""
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(text: str, tokens: int) -> dict[str, Any]:
    """Return a sampling request."""
    messages = [{"role": "user", "content": {"type": "text", "text": text}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": tokens}}


ROOTS: dict[str, Any] = {"method": "roots/list", "params": {}}


def says(*content: dict[str, Any]) -> Run:
    """Return a tool that always answers the same."""

    async def run(_: Call) -> Result:
        return {"content": list(content)}

    return run


def asks(requests: dict[str, Any], then: Callable[[dict[str, Any]], str] = json.dumps) -> Run:
    """Return a tool that puts questions and answers with what came back."""

    async def run(call: Call) -> Result:
        return text_result(then(await call.ask(requests)))

    return run


def elicits(done: str, properties: Callable[[Call], tuple[str, dict[str, Any]]]) -> Run:
    """Return a tool of the handshake era that asks for a form."""

    async def run(call: Call) -> Result:
        message, fields = properties(call)
        answer = (await call.ask({"form": form(message, **fields)}))["form"]
        return text_result(f"{done}: action={answer['action']}, content={json.dumps(answer.get('content'))}")

    return run


async def log(call: Call, text: str) -> None:
    """Send a log message, in the stateless era only where the request asked for it."""
    exchange = call.exchange
    assert isinstance(exchange, SdkExchange)
    if not exchange.abilities.modern or LOG_LEVEL in (exchange.ctx.meta or {}):
        await call.notify("notifications/message", {"level": "info", "data": text})


async def logs(call: Call) -> Result:
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await log(call, text)
    return text_result("Tool with logging executed successfully")


async def progresses(call: Call) -> Result:
    exchange = call.exchange
    assert isinstance(exchange, SdkExchange)
    for step in (0, 50, 100):
        await exchange.ctx.session.report_progress(step, 100, f"Completed step {step} of 100")
    return text_result("done")


async def fails(_: Call) -> Result:
    return {**text_result("This tool intentionally returns an error for testing"), "isError": True}


async def reconnects(call: Call) -> Result:
    exchange = call.exchange
    assert isinstance(exchange, SdkExchange)
    if exchange.ctx.close_sse_stream is not None:
        await exchange.ctx.close_sse_stream()
    await asyncio.sleep(0.2)  # measured: the suite's client comes back meanwhile
    return text_result("Reconnection test completed")


async def needs_sampling(call: Call) -> Result:
    if "sampling" not in (call.exchange.abilities.raw or {}):
        needed: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing required client capability", needed)
    return text_result("sampling is there")


async def asks_what_it_can(call: Call) -> Result:
    """Put only those questions that the client declared."""
    declared = call.exchange.abilities.raw or {}
    wanted = {"elicitation": form("Your name?", name={"type": "string"}), "sampling": sample("Hello?", 50)}
    return text_result(json.dumps(await call.ask({key: wanted[key] for key in wanted if key in declared})))


async def asks_twice(call: Call) -> Result:
    first = await call.ask({"step1": form("Step 1: What is your name?", name={"type": "string"})})
    second = await call.ask({"step2": form("Step 2: What is your favorite color?", color={"type": "string"})})
    return text_result(json.dumps([first, second]))


async def computes(call: Call) -> Result:
    await asyncio.sleep(float(call.arguments.get("seconds", 0)))  # measured: what the suite asks for
    return text_result("computed")


async def breaks(_: Call) -> Result:
    raise MCPError(INTERNAL_ERROR, "the job broke the protocol")


async def greets(call: Call) -> Result:
    return text_result(f"Hello, {call.arguments.get('name')}!")


async def asks_then_works(call: Call) -> Result:
    """Ask before becoming a task, then take long enough to become one."""
    answer = await call.ask({"user_name": form("What is your name?", name={"type": "string"})})
    await asyncio.sleep(0.5)  # measured: longer than the moment after which a call becomes a task
    return text_result(f"Hello, {answer['user_name']['content']['name']}!")


def text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": body}


def embedded(uri: str, mime_type: str, body: str) -> dict[str, Any]:
    return {"type": "resource", "resource": {"uri": uri, "mimeType": mime_type, "text": body}}


IMAGE: dict[str, Any] = {"type": "image", "data": PNG, "mimeType": "image/png"}
NAME = {"name": {"type": "string"}}


def content_tools() -> list[Tool]:
    """Return the tools that show what a result can hold."""
    mixed = embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}')
    plain = embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")
    return [
        tool("test_simple_text", says(text("This is a simple text response for testing."))),
        tool("test_image_content", says(IMAGE)),
        tool("test_audio_content", says({"type": "audio", "data": WAV, "mimeType": "audio/wav"})),
        tool("test_embedded_resource", says(plain)),
        tool("test_multiple_content_types", says(text("Multiple content types test:"), IMAGE, mixed)),
        tool("test_tool_with_logging", logs),
        tool("test_logging_tool", logs),
        tool("test_tool_with_progress", progresses),
        tool("test_error_handling", fails),
        tool("test_reconnection", reconnects),
        tool("test_missing_capability", needs_sampling),
        tool(
            "test_headers",
            says(text("ok")),
            {"region": {"type": "string", "x-mcp-header": "Region"}},
        ),
        Tool(
            name="json_schema_2020_12_tool",
            wire={
                "name": "json_schema_2020_12_tool",
                "description": "Tool with JSON Schema 2020-12 features",
                "inputSchema": NEW_SCHEMA,
            },
            run=says(text("ok")),
        ),
    ]


def question_tools() -> list[Tool]:
    """Return the tools that ask the client."""
    name = form("What is your name?", **NAME)
    confirm = form("Please confirm", ok={"type": "boolean"})
    contact = {"username": {"type": "string"}, "email": {"type": "string"}}
    several = {"user_name": name, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS}
    capital = {"capital_question": sample("What is the capital of France?", 100)}

    def heard(answers: dict[str, Any]) -> str:
        return f"LLM response: {answers['model']['content']['text']}"

    async def samples(call: Call) -> Result:
        return await asks({"model": sample(str(call.arguments.get("prompt")), 100)}, heard)(call)

    prefix = "test_input_required_result"
    forms = elicits("User response", lambda call: (str(call.arguments.get("message")), contact))
    defaults = elicits("Elicitation completed", lambda _: ("Please provide user information", DEFAULTS))
    enums = elicits("Elicitation completed", lambda _: ("Please select", ENUMS))
    return [
        tool("test_sampling", samples, {"prompt": {"type": "string"}}, asks=True),
        tool("test_elicitation", forms, {"message": {"type": "string"}}, asks=True),
        tool("test_elicitation_sep1034_defaults", defaults, asks=True),
        tool("test_elicitation_sep1330_enums", enums, asks=True),
        tool("test_streaming_elicitation", asks({"user_name": name}), asks=True),
        tool(f"{prefix}_elicitation", asks({"user_name": name}), asks=True),
        tool(f"{prefix}_sampling", asks(capital), asks=True),
        tool(f"{prefix}_list_roots", asks({"client_roots": ROOTS}), asks=True),
        tool(f"{prefix}_request_state", asks({"confirm": confirm}, lambda _: "state-ok"), asks=True),
        tool(f"{prefix}_multiple_inputs", asks(several), asks=True),
        tool(f"{prefix}_multi_round", asks_twice, asks=True),
        tool(f"{prefix}_tampered_state", asks({"confirm": confirm}), asks=True),
        tool(f"{prefix}_capabilities", asks_what_it_can, asks=True),
    ]


def task_tools() -> list[Tool]:
    """Return the tools of the tasks extension's scenarios."""
    seconds = {"seconds": {"type": "number"}}
    confirm = {"confirm": form("Delete it?", ok={"type": "boolean"})}
    two = {"first": form("First?", a={"type": "string"}), "second": form("Second?", b={"type": "string"})}
    now: dict[str, Any] = {"task": True, "task_at_once": True}
    return [
        tool("greet", greets, NAME),
        tool("slow_compute", computes, seconds, **now),
        tool("failing_job", fails, task_only=True, **now),
        tool("protocol_error_job", breaks, **now),
        tool("confirm_delete", asks(confirm), asks=True, **now),
        tool("multi_input", asks(two), asks=True, **now),
        tool("test_tool_with_task", asks_then_works, asks=True, task=True, task_only=True),
    ]


def trigger_tools(updates: Updates) -> list[Tool]:
    """Return the tools that make lists change."""

    def changes(name: str) -> Run:
        async def run(_: Call) -> Result:
            updates.list_changed(name)
            return text_result("changed")

        return run

    return [
        tool("test_trigger_tool_change", changes("tools")),
        tool("test_trigger_prompt_change", changes("prompts")),
    ]
