"""Recorded events in the document's shape."""

import pytest

from claude_code_mcp.features.activity.models.events_out import EventStatus, EventType
from claude_code_mcp.features.activity.rules.exporting import event_of, node_event
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.platform.claude import facts
from tests.features.activity.mixing import folded
from tests.features.activity.seen import NOW, STREAMS, stream
from tests.features.activity.telling import Story

FIELDS = {
    "timestamp", "session_id", "event_type", "status", "duration_ms", "parent_id", "correlation_id", "details",
    "display_info",
}  # fmt: skip


def of(name: str) -> list[tuple[Recorded, dict[str, object]]]:
    found = []
    for events in stream(name).values():
        fold = folded(events)
        found += [(event, made.model_dump(mode="json")) for event in events if (made := event_of(event, fold))]
    return found


@pytest.mark.parametrize("name", STREAMS)
def test_every_exported_event_has_exactly_the_fields_of_the_document(name: str) -> None:
    for event, made in of(name):
        assert made.keys() == FIELDS
        assert made["timestamp"] == event.at
        assert made["correlation_id"]
        assert (made["parent_id"] is None) == (made["correlation_id"] == made["session_id"])


def test_a_call_is_told_before_and_after_under_one_correlation() -> None:
    made = [one for event, one in of("basic-tool-turn") if event.kind.startswith("tool.")]
    assert [(one["event_type"], one["status"]) for one in made] == [
        ("tool_pre_call", "started"),
        ("tool_post_call", "success"),
    ]
    assert len({one["correlation_id"] for one in made}) == 1
    assert (made[0]["duration_ms"], made[1]["duration_ms"]) == (None, 108)


def test_subagents_mcp_calls_and_turns_have_their_own_types() -> None:
    kinds = {str(one["event_type"]) for name in ("subagent-agent-default", "mcp-stdio") for _, one in of(name)}
    assert kinds >= {"task_started", "task_progress", "task_complete", "subagent_spawn", "subagent_complete"}
    assert kinds >= {"mcp_request", "mcp_response"}
    assert "task_failed" in {str(one["event_type"]) for _, one in of("api-error-400")}


def test_what_goes_beyond_the_document_is_told_too() -> None:
    names = ("compact-boundary", "api-retry-529", "rate-limit-event", "ask-user-question", "bg-bash")
    kinds = {str(one["event_type"]) for name in names for _, one in of(name)}
    assert kinds >= {"compaction_started", "compaction_complete", "api_retry", "rate_limit", "approval_asked"}
    assert kinds >= {"background_task_started", "background_task_complete"}


def test_how_a_node_stands_is_an_event() -> None:
    story = Story().prompt(0).begin(10, "t1").tell(30, facts.ToolDenied(name="Bash", reason="no"), call="t1")
    made = node_event(story.node("t1"), story.fold.session_id, "turn-p1", 2)
    assert (made.event_type, made.status) == (EventType.TOOL_ERROR, EventStatus.ERROR)
    assert (made.details.error_message, made.display_info.color, made.display_info.indent_level) == ("no", "red", 2)
    story.begin(40, "t2").tell(50, facts.ProcessGone(pid=1), source="daemon")
    assert node_event(story.node("t2"), story.fold.session_id, "turn-p1", 2).status is EventStatus.TIMEOUT


def test_what_the_process_uses_is_told_once_it_was_measured() -> None:
    story = Story().prompt(0).tell(5, facts.ProcessMeasured(pid=1, cpu_percent=2.1, memory_bytes=15 * 2**20))
    events = stream("basic-tool-turn")
    ended = next(event for found in events.values() for event in found if event.kind == "tool.finished")
    story.begin(10, ended.tool_use_id or "").end(20, ended.tool_use_id or "")
    made = event_of(ended, story.fold)
    assert made is not None
    assert made.details.resource_usage is not None
    assert made.details.resource_usage.model_dump() == {"memory_mb": 15.0, "cpu_percent": 2.1}
    assert story.fold.summary(NOW).memory_bytes == 15 * 2**20
