"""Exports as pure functions of a tree: inert HTML, spans that nest."""

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.exports.html import html
from claude_code_mcp.features.activity.rules.exports.otlp import otlp, span_id, trace_id
from tests.features.activity.trees import HOSTILE, SESSION, hostile, node, session, work

ALLOWED = {
    "html": {"lang"},
    "head": set(),
    "meta": {"charset", "http-equiv", "content", "name"},
    "title": set(),
    "style": set(),
    "body": set(),
    "h1": set(),
    "table": set(),
    "tr": set(),
    "th": set(),
    "td": set(),
    "details": {"open"},
    "summary": set(),
    "div": {"class"},
    "span": {"class"},
    "b": set(),
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Seen(HTMLParser):
    """Notes every tag with its attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, set[str]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name for name, _ in attrs}))

    def handle_data(self, data: str) -> None:
        self.text += data


def page(root: ActivityNode, **more: object) -> str:
    return "".join(html(session(**more), root))


def spans(root: ActivityNode) -> dict[str, dict[str, Any]]:
    """Return the spans by the id of their node, their attributes as a plain object."""
    document = json.loads("".join(otlp(session(), root)))
    found = document["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for span in found:
        span["attributes"] = {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
    return {span["attributes"]["claude_code_mcp.node"]: span for span in found}


def test_a_page_has_only_tags_and_attributes_that_do_nothing_whatever_the_texts_are() -> None:
    seen = Seen()
    seen.feed(page(hostile(), root_task=HOSTILE[1], project_path=HOSTILE[2]))
    strange = [(tag, attrs) for tag, attrs in seen.tags if tag not in ALLOWED or not attrs <= ALLOWED[tag]]
    assert strange == []
    assert all(text in seen.text for text in HOSTILE[:4])


def test_what_a_terminal_or_a_reader_would_obey_is_shown_as_signs() -> None:
    written = page(hostile())
    assert "\x1b" not in written
    assert "\u202e" not in written
    assert "␛]0;owned␇" in written


def test_a_page_forbids_itself_to_load_or_run_anything_and_names_nothing_elsewhere() -> None:
    written = page(work())
    assert "default-src 'none'; style-src 'sha256-" in written
    assert "http://" not in written
    assert "https://" not in written
    assert written.count("<style>") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium on PATH")
def test_a_real_browser_runs_nothing_of_a_hostile_page_and_keeps_its_style(tmp_path: Path) -> None:
    file = tmp_path / "session.html"
    file.write_text(page(hostile(), root_task=HOSTILE[1]), encoding="utf-8")
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={tmp_path / 'profile'}",
        "--enable-logging=stderr",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    seen = Seen()
    seen.feed(done.stdout)
    names = {tag for tag, _ in seen.tags}
    # A script that ran, or a tag that a text smuggled in, would be in the page's tree now.
    assert {"details", "summary"} <= names
    assert not names & {"script", "img", "svg", "a", "iframe"}
    # Nor did the page's own policy have anything to refuse: the style is the one that the policy names.
    assert "CONSOLE" not in done.stderr


def test_what_failed_or_still_runs_is_open_and_what_went_well_is_folded_away() -> None:
    agent = node("fine", NodeType.SUBAGENT, children=[node("inside")])
    bad = node("bad", NodeType.SUBAGENT, children=[node("broke", status=NodeStatus.FAILED)])
    written = page(node("root", NodeType.SESSION, children=[agent, bad]))
    assert written.count("<details open>") == 1
    assert written.count("<details>") == 1


def test_spans_nest_as_the_tree_does_in_one_trace_named_by_the_session() -> None:
    found = spans(work())
    assert {span["traceId"] for span in found.values()} == {SESSION.replace("-", "")}
    parents = {name: span.get("parentSpanId", "") for name, span in found.items()}
    assert parents == {
        "root": "",
        "turn": span_id(SESSION, "root"),
        "Read": span_id(SESSION, "turn"),
        "security_review": span_id(SESSION, "turn"),
        "database_query": span_id(SESSION, "security_review"),
        "Bash": span_id(SESSION, "turn"),
    }


def test_spans_are_told_in_the_words_of_the_genai_and_mcp_conventions() -> None:
    found = spans(work())
    assert found["Read"]["name"] == "execute_tool Read"
    assert found["Read"]["attributes"]["gen_ai.operation.name"] == "execute_tool"
    assert found["Read"]["attributes"]["gen_ai.tool.call.id"] == "toolu_1"
    assert found["database_query"]["attributes"]["mcp.method.name"] == "tools/call"
    assert (found["database_query"]["name"], found["database_query"]["kind"]) == ("tools/call database_query", 3)
    agent = found["security_review"]["attributes"]
    assert (agent["gen_ai.operation.name"], agent["gen_ai.agent.name"]) == ("invoke_agent", "security_review")
    assert (agent["gen_ai.usage.input_tokens"], agent["gen_ai.usage.cache_read.input_tokens"]) == ("1110", "100")
    assert {span["attributes"]["gen_ai.conversation.id"] for span in found.values()} == {SESSION}


def test_a_spans_status_says_what_failed_and_its_times_are_nanoseconds() -> None:
    found = spans(work())
    assert found["Bash"]["status"] == {"code": 2, "message": "exit 1"}
    assert found["Bash"]["attributes"]["error.type"] == "failed"
    assert found["Read"]["status"] == {"code": 1}
    took = int(found["Read"]["endTimeUnixNano"]) - int(found["Read"]["startTimeUnixNano"])
    assert took == 1_000_000_000
    assert int(found["root"]["endTimeUnixNano"]) - int(found["root"]["startTimeUnixNano"]) == 9_000_000_000


def test_a_node_whose_start_was_not_seen_is_no_span_and_what_is_in_it_hangs_above() -> None:
    unseen = node("unseen", NodeType.TASK, started_at=None, children=[node("call")])
    found = spans(node("root", NodeType.SESSION, children=[unseen]))
    assert set(found) == {"root", "call"}
    assert found["call"]["parentSpanId"] == span_id(SESSION, "root")


def test_a_session_that_is_named_otherwise_has_a_trace_all_the_same() -> None:
    assert len(trace_id("sess-123")) == 32
    assert int(trace_id("sess-123"), 16) > 0
