"""Both eras of the protocol from one server: the first request decides."""

import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface
from tests.surfaces.mcp.wire import MODERN, connected

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_the_handshake_speaks_every_older_version(surface: McpSurface, version: str) -> None:
    async with connected(surface) as client:
        hello = await client.initialize(version)
        assert hello["protocolVersion"] == version
        assert hello["instructions"] == "Keep notes."
        assert hello["serverInfo"]["name"] == "claude-code-mcp"
        assert (await client.call("notes_list"))["content"] == [{"type": "text", "text": "No notes."}]


async def test_an_unknown_version_is_offered_the_newest_of_the_handshake_era(surface: McpSurface) -> None:
    async with connected(surface) as client:
        assert (await client.initialize("2199-01-01"))["protocolVersion"] == "2025-11-25"


async def test_the_stateless_era_needs_no_handshake(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        result = await client.call("notes_list")
        assert result["resultType"] == "complete"
        assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"] == "0.1.0"


async def test_discovery_names_the_version_the_tasks_extension_and_the_instructions(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        found = (await client.answer(client.ask("server/discover")))["result"]
        assert found["supportedVersions"] == [MODERN]
        assert "io.modelcontextprotocol/tasks" in found["capabilities"]["extensions"]
        assert found["instructions"] == "Keep notes."


async def test_the_handshake_era_hears_nothing_of_the_tasks_extension(surface: McpSurface) -> None:
    async with connected(surface) as client:
        assert "io.modelcontextprotocol/tasks" not in str(await client.initialize())


async def test_a_handshake_on_a_stateless_connection_is_told_the_versions(surface: McpSurface) -> None:
    async with connected(surface) as client:
        client.modern = True
        await client.call("notes_list")
        client.modern = False
        error = (await client.answer(client.ask("initialize", {"protocolVersion": "2025-11-25"})))["error"]
        assert (error["code"], error["data"]["supported"]) == (-32022, [MODERN])


async def test_an_envelope_on_a_handshake_connection_is_refused(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        client.modern = True
        assert (await client.answer(client.ask("tools/list")))["error"]["code"] == -32600


@pytest.mark.parametrize(
    ("meta", "code"),
    [
        ({"io.modelcontextprotocol/protocolVersion": MODERN}, -32602),
        (
            {
                "io.modelcontextprotocol/protocolVersion": "2199-01-01",
                "io.modelcontextprotocol/clientCapabilities": {},
            },
            -32022,
        ),
        (
            {
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientCapabilities": "none",
            },
            -32602,
        ),
    ],
)
async def test_a_broken_envelope_is_refused_by_its_code(
    surface: McpSurface, meta: dict[str, object], code: int
) -> None:
    async with connected(surface) as client:
        error = (await client.answer(client.ask("tools/call", {"name": "notes_list"}, meta)))["error"]
        assert error["code"] == code


async def test_calls_before_the_handshake_are_refused(surface: McpSurface) -> None:
    async with connected(surface) as client:
        assert (await client.answer(client.ask("tools/call", {"name": "notes_list"})))["error"]["code"] == -32602


async def test_a_client_that_does_not_wait_for_the_handshake_is_served(surface: McpSurface) -> None:
    async with connected(surface) as client:
        info = {"name": "hasty", "version": "1"}
        hello = client.ask("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info})
        listed = client.ask("tools/list")
        assert (await client.answer(hello))["result"]["protocolVersion"] == "2025-11-25"
        assert (await client.answer(listed))["result"]["tools"]


async def test_ping_is_answered(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        assert (await client.answer(client.ask("ping")))["result"] == {}


async def test_methods_that_nobody_serves_are_not_found(surface: McpSurface) -> None:
    async with connected(surface) as client:
        await client.initialize()
        for method in ("prompts/list", "tasks/list", "no/such"):
            assert (await client.answer(client.ask(method)))["error"]["code"] == -32601
