"""Long calls become tasks for clients that know them, and are found again after a restart."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from claude_code_mcp.surfaces.mcp.surface import McpSurface, Parts
from claude_code_mcp.surfaces.mcp.task_store import MemoryTaskStore, TaskRecord
from claude_code_mcp.surfaces.mcp.tasks import TaskOptions
from tests.surfaces.mcp.library import CATALOG, Desk, context
from tests.surfaces.mcp.wire import BOUND_S, WireClient, connected

pytestmark = pytest.mark.anyio
TASKS: dict[str, Any] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
BOTH: dict[str, Any] = {**TASKS, "elicitation": {"form": {}}}


class JsonTaskStore(MemoryTaskStore):
    """Keeps what a disk would keep: the records as JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[str, bytes] = {}

    async def save(self, record: TaskRecord) -> None:
        self.stored[record.id] = msgspec.json.encode(record)

    async def load(self, task_id: str) -> TaskRecord | None:
        data = self.stored.get(task_id)
        return msgspec.json.decode(data, type=TaskRecord) if data is not None else None


@pytest.fixture
async def store() -> JsonTaskStore:
    return JsonTaskStore()


@asynccontextmanager
async def served(
    desk: Desk, store: MemoryTaskStore, capabilities: dict[str, Any] | None = None, grace_s: float = 0.01
) -> AsyncGenerator[WireClient]:
    parts = Parts(
        catalog=CATALOG,
        context=context(desk),
        version="1",
        tasks=store,
        task_options=TaskOptions(grace_s=grace_s, poll_ms=50),
        state_key=b"k" * 32,
    )
    async with McpSurface(parts) as surface, connected(surface) as client:
        client.modern, client.capabilities = True, TASKS if capabilities is None else capabilities
        yield client


async def until(client: WireClient, task_id: str, status: str) -> dict[str, Any]:
    """Poll a task until it has that status."""
    async with asyncio.timeout(BOUND_S):
        while True:
            task: dict[str, Any] = (await client.answer(client.ask("tasks/get", {"taskId": task_id})))["result"]
            if task["status"] == status:
                return task


async def begun(client: WireClient, **arguments: Any) -> str:
    """Begin some work as a task."""
    task = await client.call("clocks_work", {"name": "build", **arguments})
    assert (task["resultType"], task["status"]) == ("task", "working")
    return str(task["taskId"])


async def test_a_long_call_becomes_a_task_and_its_answer_is_polled(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        task_id = await begun(client)
        task = await until(client, task_id, "working")
        assert task["resultType"] == "complete"
        assert (task["statusMessage"], task["pollIntervalMs"]) == ("working on build", 50)
        assert task["ttlMs"] >= 86_400_000
        desk.rung.set()
        task = await until(client, task_id, "completed")
        assert task["result"] == {"content": [{"type": "text", "text": "build done"}]}


async def test_ids_are_random_and_long(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        ids = {await begun(client) for _ in range(20)}
        assert len(ids) == 20
        assert all(len(task_id) >= 32 for task_id in ids)


async def test_a_quick_call_is_answered_at_once(desk: Desk, store: JsonTaskStore) -> None:
    desk.rung.set()
    async with served(desk, store, grace_s=5) as client:
        result = await client.call("clocks_work", {"name": "build"})
        assert (result["resultType"], result["content"][0]["text"]) == ("complete", "build done")
        assert store.stored == {}


async def test_without_the_extension_a_call_waits_and_the_task_methods_are_refused(
    desk: Desk, store: JsonTaskStore
) -> None:
    desk.rung.set()
    async with served(desk, store, capabilities={}) as client:
        result = await client.call("clocks_work", {"name": "build"})
        assert result["resultType"] == "complete"
        for method in ("tasks/get", "tasks/cancel"):
            error = (await client.answer(client.ask(method, {"taskId": "x"})))["error"]
            assert error["code"] == -32021
            assert error["data"] == {"requiredCapabilities": TASKS}


async def test_a_task_is_told_that_nobodys_clock_runs(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        await begun(client)
        assert desk.callers[-1].patient
        client.capabilities = {}
        desk.rung.set()
        await client.call("clocks_work", {"name": "build"})
        assert not desk.callers[-1].patient


async def test_unknown_tasks_are_invalid_parameters(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            answer = await client.answer(client.ask(method, {"taskId": "nope", "inputResponses": {}}))
            assert answer["error"]["code"] == -32602


async def test_calling_a_task_off_runs_what_the_operation_named_for_it(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        task_id = await begun(client)
        assert "error" not in await client.answer(client.ask("tasks/cancel", {"taskId": task_id}))
        await until(client, task_id, "cancelled")
        assert desk.stopped == ["build"]
        assert "error" not in await client.answer(client.ask("tasks/cancel", {"taskId": task_id}))
        assert desk.stopped == ["build"]


async def test_cancelling_the_request_or_leaving_does_not_touch_a_task(desk: Desk, store: JsonTaskStore) -> None:
    parts = Parts(
        catalog=CATALOG, context=context(desk), version="1", tasks=store, task_options=TaskOptions(grace_s=0.01)
    )
    async with McpSurface(parts) as surface:
        async with connected(surface) as client:
            client.modern, client.capabilities = True, TASKS
            task_id = await begun(client)
            client.notify("notifications/cancelled", {"requestId": 1})
        async with connected(surface) as client:
            client.modern, client.capabilities = True, TASKS
            await until(client, task_id, "working")
            desk.rung.set()
            await until(client, task_id, "completed")
    assert (desk.started, desk.stopped) == (1, [])


async def test_a_task_asks_and_is_answered_by_update(desk: Desk, store: JsonTaskStore) -> None:
    desk.rung.set()
    async with served(desk, store, BOTH, grace_s=0) as client:
        task_id = await begun(client, ask=True)
        task = await until(client, task_id, "input_required")
        [(key, request)] = task["inputRequests"].items()
        assert request["params"]["message"] == "Go on with build?"
        responses = {key: {"action": "accept", "content": {"choice": "yes"}}, "other": {"action": "decline"}}
        ack = await client.answer(client.ask("tasks/update", {"taskId": task_id, "inputResponses": responses}))
        assert ack["result"]["resultType"] == "complete"
        task = await until(client, task_id, "completed")
        assert task["result"]["content"][0]["text"] == "build done yes"


async def test_a_question_within_the_first_moment_is_put_directly(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store, BOTH, grace_s=5) as client:
        arguments = {"name": "build", "ask": True}
        first = await client.call("clocks_work", arguments)
        assert first["resultType"] == "input_required"
        assert "taskId" not in first


async def test_after_a_restart_a_task_goes_on_with_what_is_left_of_it(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        task_id = await begun(client)
    async with served(desk, store) as client:
        await until(client, task_id, "working")
        desk.rung.set()
        task = await until(client, task_id, "completed")
        assert task["result"]["content"][0]["text"] == "build done"
    assert desk.started == 1
    async with served(desk, store) as client:
        assert (await until(client, task_id, "completed"))["result"] == task["result"]


async def test_after_a_restart_a_task_can_be_called_off_and_asks_again(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store, BOTH, grace_s=0) as client:
        first, second = await begun(client), await begun(client)
    async with served(desk, store, BOTH, grace_s=0) as client:
        await client.answer(client.ask("tasks/cancel", {"taskId": first}))
        await until(client, first, "cancelled")
        assert desk.stopped == ["build"]
        await until(client, second, "working")


async def test_a_task_that_had_not_begun_before_a_restart_fails_clearly(desk: Desk, store: JsonTaskStore) -> None:
    await store.save(TaskRecord(id="t", tool="x", created_at="2026-01-01T00:00:00Z", updated_at="2026-01-01T00:00:00Z"))
    async with served(desk, store) as client:
        await until(client, "t", "working")
        task = await until(client, "t", "failed")
        assert task["error"]["code"] == -32603
        assert "call again" in task["error"]["message"]


async def test_an_old_task_has_expired(desk: Desk, store: JsonTaskStore) -> None:
    record = TaskRecord(
        id="t", tool="x", created_at="2020-01-01T00:00:00Z", updated_at="2020-01-01T00:00:00Z", status="completed"
    )
    await store.save(record)
    async with served(desk, store) as client:
        error = (await client.answer(client.ask("tasks/get", {"taskId": "t"})))["error"]
        assert (error["code"], "expired" in error["message"]) == (-32602, True)


async def test_a_task_that_cannot_be_stored_is_an_error_and_its_call_ends(desk: Desk) -> None:
    class FullDisk(MemoryTaskStore):
        async def save(self, record: TaskRecord) -> None:
            raise OSError(f"no space left for {record.id}")

    async with served(desk, FullDisk()) as client:
        answer = await client.answer(client.ask("tools/call", {"name": "clocks_work", "arguments": {"name": "build"}}))
        assert answer["error"]["code"] == -32603
        assert "no space" not in answer["error"]["message"]
        assert desk.finished == 0


async def test_a_listener_hears_of_its_tasks_until_they_end(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store) as client:
        task_id = await begun(client)
        stream = client.ask("subscriptions/listen", {"notifications": {"taskIds": [task_id]}})
        granted = await client.next()
        assert granted["params"]["notifications"] == {"taskIds": [task_id]}
        desk.rung.set()
        told = await client.next()
        assert told["method"] == "notifications/tasks"
        assert (told["params"]["taskId"], told["params"]["status"]) == (task_id, "completed")
        assert told["params"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": stream}


async def test_listening_for_tasks_needs_the_extension(desk: Desk, store: JsonTaskStore) -> None:
    async with served(desk, store, capabilities={}) as client:
        number = client.ask("subscriptions/listen", {"notifications": {"taskIds": ["t"]}})
        assert (await client.answer(number))["error"]["code"] == -32021


async def test_the_store_in_memory_forgets_what_has_ended() -> None:
    memory = MemoryTaskStore()
    for name, status in (("a", "completed"), ("b", "working")):
        await memory.save(
            msgspec.convert(
                {"id": name, "tool": "x", "created_at": "2026-01-01", "updated_at": "2026-01-01", "status": status},
                TaskRecord,
            )
        )
    await memory.prune("2026-01-02")
    assert list(memory.records) == ["b"]
