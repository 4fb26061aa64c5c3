"""The model on its port: what a client of the API gets, how gates are opened over HTTP, and that nothing is left."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

from claude_code_mcp.testing import (
    Kind,
    Outcome,
    PortTaken,
    ScriptedModel,
    parse_script,
    scripted_model,
    scripted_model_thread,
)

pytestmark = pytest.mark.anyio

SCRIPT = parse_script(
    """
    scenarios:
      hi: [Hello there.]
      wait:
        - {text: one two, gate: "${arg}"}
      mid:
        - {text: one two, gate_within: inside}
      torn:
        - {text: one two, cut: true}
      limited:
        - {error: {status: 429, retry_after_s: 3}}
      broken:
        - {text: one, error: {status: 529, in_stream: true}}
      forever:
        - {text: x, delay_s: 3600}
    """
)


def question(prompt: str, *, stream: bool = False) -> dict[str, Any]:
    return {"model": "claude-x", "max_tokens": 9, "stream": stream, "messages": [{"role": "user", "content": prompt}]}


async def ask(model: ScriptedModel, prompt: str, *, stream: bool = False) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=model.url) as client:
        return await client.post("/v1/messages?beta=true", json=question(prompt, stream=stream))


def kinds(text: str) -> list[str]:
    return [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]


async def test_a_question_is_answered_whole_or_as_a_stream() -> None:
    async with scripted_model(SCRIPT) as model:
        whole = await ask(model, "[s:hi]")
        streamed = await ask(model, "[s:hi]", stream=True)
    assert whole.json()["content"] == [{"type": "text", "text": "Hello there."}]
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert kinds(streamed.text) == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert [(one.scenario, one.outcome, one.status) for one in model.seen()] == [("hi", Outcome.ANSWERED, 200)] * 2


async def test_errors_have_their_status_headers_and_body() -> None:
    async with scripted_model(SCRIPT) as model:
        limited = await ask(model, "[s:limited]")
        unknown = await ask(model, "[s:nope]")
        broken = await ask(model, "[s:broken]", stream=True)
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "3")
    assert limited.json()["error"]["type"] == "rate_limit_error"
    assert unknown.status_code == 400
    assert (broken.status_code, kinds(broken.text)[-1]) == (200, "error")
    assert [one.outcome for one in model.seen()] == [Outcome.ERROR] * 3


async def test_a_cut_stream_is_a_broken_connection() -> None:
    async with scripted_model(SCRIPT) as model:
        with pytest.raises(httpx2.RemoteProtocolError):
            await ask(model, "[s:torn]", stream=True)
        assert [one.outcome for one in model.seen()] == [Outcome.CUT]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_reply_waits_at_its_gate_until_released(stream: bool) -> None:
    answers: list[str] = []

    async def get() -> None:
        answers.append((await ask(model, "[s:wait:here]", stream=stream)).text)

    async with scripted_model(SCRIPT) as model, anyio.create_task_group() as group:
        group.start_soon(get)
        await model.gate("here").wait_reached()
        assert answers == []
        model.gate("here").release()
    assert "two" in answers[0]


async def test_a_gate_within_holds_the_stream_after_its_first_word() -> None:
    async with scripted_model(SCRIPT) as model, httpx2.AsyncClient(base_url=model.url) as client:
        async with client.stream("POST", "/v1/messages", json=question("[s:mid]", stream=True)) as reply:
            lines = reply.aiter_lines()
            while '"one ' not in await anext(lines):
                pass
            await model.gate("inside").wait_reached()
            model.gate("inside").open()
            rest = [line async for line in lines]
        assert any('"two"' in line for line in rest)


async def test_a_client_that_goes_away_is_noticed() -> None:
    async with scripted_model(SCRIPT) as model, httpx2.AsyncClient(base_url=model.url) as client:
        async with client.stream("POST", "/v1/messages", json=question("[s:mid]", stream=True)):
            await model.gate("inside").wait_reached()
        await model.wait_for(where=lambda one: one.outcome is Outcome.GONE)
        assert model.gates.waiting() == {"inside": 0}


async def test_the_model_is_controlled_over_http() -> None:
    async with scripted_model(SCRIPT) as model, httpx2.AsyncClient(base_url=model.url) as client:
        assert (await client.post("/_model/gates/here/release?count=2")).json() == {"gate": "here", "waiting": 0}
        for _ in range(2):
            await client.post("/v1/messages", json=question("[s:wait:here]"))
        await client.post("/_model/gates/there/open")
        await client.post("/v1/messages", json=question("[s:wait:there]"))
        assert (await client.post("/_model/gates/here/shut")).status_code == 404
        (third,) = (await client.get("/_model/requests?after=2")).json()
        status = (await client.get("/_model")).json()
        await client.post("/_model/reset")
        assert model.seen() == []
    assert (third["number"], third["scenario"], third["outcome"]) == (3, "wait", "answered")
    assert (status["requests"], status["gates"]) == (3, {"here": 0, "there": 0})
    assert status["scenarios"].keys() == SCRIPT.scenarios.keys()


async def test_tokens_are_counted_and_everything_else_is_refused_and_recorded() -> None:
    async with scripted_model(SCRIPT) as model, httpx2.AsyncClient(base_url=model.url) as client:
        count = await client.post("/v1/messages/count_tokens", json=question("x" * 400))
        head = await client.head("/")
        other = await client.get("/v1/models")
        wrong = await client.get("/v1/messages")
    assert count.json()["input_tokens"] > 100
    assert (head.status_code, other.status_code, wrong.status_code) == (200, 404, 404)
    assert [(one.kind, one.path) for one in model.seen(kind=None)] == [
        (Kind.COUNT_TOKENS, "/v1/messages/count_tokens"),
        (Kind.OTHER, "/"),
        (Kind.OTHER, "/v1/models"),
        (Kind.OTHER, "/v1/messages"),
    ]


async def test_stopping_ends_open_replies_and_closes_the_port() -> None:
    port = 0
    with anyio.fail_after(60):
        async with anyio.create_task_group() as group, scripted_model(SCRIPT) as model:
            port = int(model.url.rsplit(":", 1)[1])
            group.start_soon(_expect_broken, model)
            await model.wait_for()
    assert [one.outcome for one in model.seen()] == [Outcome.GONE]
    with pytest.raises(OSError, match="connection attempts failed"):
        await anyio.connect_tcp("127.0.0.1", port)


async def _expect_broken(model: ScriptedModel) -> None:
    with pytest.raises(httpx2.TransportError):
        await ask(model, "[s:forever]", stream=True)


async def test_a_taken_port_is_said_to_be_taken() -> None:
    async with scripted_model(SCRIPT) as model:
        port = int(model.url.rsplit(":", 1)[1])
        with pytest.raises(PortTaken, match=f"Port {port} on 127.0.0.1"):
            async with scripted_model(SCRIPT, port=port):
                pass


def test_a_thread_hosts_the_model_for_code_without_a_loop() -> None:
    before = threading.active_count()
    with scripted_model_thread(SCRIPT) as model, httpx2.Client(base_url=model.url) as client:
        assert client.post("/v1/messages", json=question("[s:hi]")).status_code == 200
        (seen,) = model.expect(1, lambda one: one.outcome is Outcome.ANSWERED).result(60)
        assert seen.scenario == "hi"
    assert threading.active_count() == before


def test_replies_are_not_held_back_by_the_network() -> None:
    """Without TCP_NODELAY each reply takes 40 ms more: 100 of them took 4 s."""
    with scripted_model_thread(SCRIPT) as model, httpx2.Client(base_url=model.url) as client:
        times = [client.post("/v1/messages", json=question("[s:hi]", stream=True)).elapsed for _ in range(20)]
    assert sorted(times)[10].total_seconds() < 0.03


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_serves_until_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    code = (
        "from claude_code_mcp.testing import builtin_script, serve\n"
        f"serve(builtin_script(), 0, {str(tmp_path / 'seen.jsonl')!r}, ready=lambda url: print(url, flush=True))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx2.Client(base_url=url) as client:
            client.post("/v1/messages", json=question("[s:hi]"))
        os.kill(process.pid, number)
        assert process.wait(60) == 0
    first, last = map(json.loads, (tmp_path / "seen.jsonl").read_text().splitlines())
    assert (first["scenario"], last["outcome"]) == ("hi", "answered")


def test_only_loopback_is_listened_on() -> None:
    with scripted_model_thread(SCRIPT) as model:
        host, port = model.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"
