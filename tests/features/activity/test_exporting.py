"""Sessions as documents: whole, versioned, inert, and never over somebody's file."""

import asyncio
import json
from pathlib import Path

import pytest

from claude_code_mcp.features.activity.errors import ActivityNotFound, ExportRefused, ExportTooBig
from claude_code_mcp.features.activity.models import Exported, ExportFormat, ExportSession
from claude_code_mcp.features.activity.models.documents import SessionDocument
from claude_code_mcp.features.activity.service import ActivityResources, exporting
from claude_code_mcp.surfaces.docs.schemas_page import json_schema
from tests.features.activity.place import CALLER, Place, Story, place
from tests.features.activity.test_exports import ALLOWED, Seen
from tests.features.activity.trees import HOSTILE

pytestmark = pytest.mark.anyio
ONE = "0197a4d0-1111-7000-8000-000000000001"


def story() -> Story:
    """Return a session with a turn that went wrong in a part."""
    told = Story(ONE).opened().asked("Implement user authentication")
    return told.called("toolu_1").finished("toolu_1").called("toolu_2").failed("toolu_2").stopped()


def attack() -> Story:
    """Return a session in which every name, input, output and prompt is an attack."""
    told = Story(ONE, cwd=f"/code/{HOSTILE[0]}").opened().asked(HOSTILE[1])
    for number, text in enumerate(HOSTILE):
        call = f"toolu_{number}"
        told.called(call, f"mcp__{text}__{text}", file_path=text, command=text).failed(call, text, name=text)
    return told.stopped()


async def exported(here: Place, wished: ExportFormat, out: Path | None = None) -> Exported:
    return await here.activity.export(ExportSession(session_id=ONE, format=wished, out=out), CALLER)


async def test_the_console_log_reads_as_the_document_shows_it(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(story())
        lines = ((await exported(here, ExportFormat.LOG)).body or "").splitlines()
        assert lines[:3] == ["user: Implement user authentication", "", "🔄 Task: Implement user authentication"]
        assert lines[3].startswith("  ├─ 📁 Reading")
        assert lines[3].endswith("✅")
        assert "❌" in lines[4]
        assert any(line.startswith("  └─ ✅ Task completed") for line in lines)


async def test_the_json_fits_its_published_schema_and_has_every_field_of_the_document(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(story())
        body = (await exported(here, ExportFormat.JSON)).body or ""
        document = json.loads(body)
        assert document["schema"] == SessionDocument.schema_id == "claude-code-mcp/activity-session/1"
        assert SessionDocument.model_validate_json(body).session.id == ONE
        fields = {"timestamp", "session_id", "event_type", "status", "duration_ms", "parent_id", "correlation_id"}
        assert all(set(event) == fields | {"details", "display_info"} for event in document["events"])
        schema = json_schema(SessionDocument)
        assert set(schema["properties"]) == set(document)
        assert set(schema["$defs"]["ActivityEvent"]["properties"]) == set(document["events"][0])
        told = [event["event_type"] for event in document["events"]]
        assert [kind for kind in told if kind.startswith("t")] == [
            "task_started",
            "tool_pre_call",
            "tool_post_call",
            "tool_pre_call",
            "tool_error",
            "task_complete",
        ]


@pytest.mark.parametrize("wished", ExportFormat)
async def test_no_export_obeys_what_a_session_says(tmp_path: Path, wished: ExportFormat) -> None:
    async with place(tmp_path) as here:
        await here.tell(attack())
        body = (await exported(here, wished)).body or ""
        assert "\x1b" not in body
        assert wished in {ExportFormat.JSON, ExportFormat.OTLP} or "\u202e" not in body
        if wished is ExportFormat.HTML:
            seen = Seen()
            seen.feed(body)
            assert [(tag, attrs) for tag, attrs in seen.tags if tag not in ALLOWED or not attrs <= ALLOWED[tag]] == []


async def test_a_file_is_written_whole_for_its_owner_alone_and_never_over_another(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        await here.tell(story())
        out, link = tmp_path / "session.json", tmp_path / "link.json"
        reply = await exported(here, ExportFormat.JSON, out)
        assert (reply.body, reply.bytes, out.stat().st_mode & 0o777) == (None, out.stat().st_size, 0o600)
        assert json.loads(out.read_text("utf-8"))["schema"] == SessionDocument.schema_id
        link.symlink_to(tmp_path / "elsewhere")
        for refused in (out, link, Path("session.json"), tmp_path / "no" / "such" / "directory"):
            with pytest.raises(ExportRefused):
                await exported(here, ExportFormat.TEXT, refused)
        assert not (tmp_path / "elsewhere").exists()
        assert json.loads(out.read_text("utf-8"))["schema"] == SessionDocument.schema_id


async def test_what_does_not_fit_into_a_reply_wants_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "MOST_BYTES", 100)
    async with place(tmp_path) as here:
        await here.tell(story())
        with pytest.raises(ExportTooBig) as caught:
            await exported(here, ExportFormat.HTML)
        assert "`out`" in caught.value.remedy
        assert (await exported(here, ExportFormat.HTML, tmp_path / "a.html")).bytes > 100


async def test_an_export_that_is_called_off_leaves_no_half_file(tmp_path: Path) -> None:
    told = Story(ONE).opened().asked("work")
    for number in range(2000):
        told.called(f"toolu_{number}").finished(f"toolu_{number}", "x" * 1000)
    out = tmp_path / "session.json"
    async with place(tmp_path) as here:
        await here.tell(told)
        writing = asyncio.ensure_future(exported(here, ExportFormat.JSON, out))
        async with asyncio.timeout(60):
            while not out.exists():
                await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
        assert not out.exists()


async def test_resources_are_the_sessions_their_trees_and_their_logs(tmp_path: Path) -> None:
    async with place(tmp_path) as here:
        resources = ActivityResources(here.activity)
        await here.tell(story())
        assert [one.uri for one in await resources.resources()] == ["activity://sessions", f"activity://{ONE}/tree"]
        rows = await resources.read("activity://sessions")
        assert rows
        assert json.loads(rows[0].body)["items"][0]["id"] == ONE
        tree = await resources.read(f"activity://{ONE}/tree")
        assert tree
        assert json.loads(tree[0].body)["activity_tree"]["root_task"]["id"] == ONE
        log = await resources.read(f"activity://{ONE}/log")
        assert log
        assert str(log[0].body).startswith("user: Implement")
        assert await resources.read(f"session://{ONE}") is None
        assert await resources.read("activity://nonsense/tree") is None
        with pytest.raises(ActivityNotFound):
            await resources.read(f"activity://{ONE[:-1]}9/tree")
        assert set(resources.changed([ONE])) == {
            f"activity://{ONE}/tree",
            f"activity://{ONE}/log",
            "activity://sessions",
        }
