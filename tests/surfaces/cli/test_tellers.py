"""What a watcher is told of each event: compared whole, from recordings of the real CLI."""

import io
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from claude_code_mcp.platform.claude.facts import FACTS
from claude_code_mcp.surfaces.cli.drawing import plain_line
from claude_code_mcp.surfaces.cli.scene import Entry, Scene, Tone, count, dollars, span
from claude_code_mcp.surfaces.cli.screens import Printer
from claude_code_mcp.surfaces.cli.tellers import TABLE, tell
from tests.surfaces.cli.recordings import recorded

PLAIN = {
    "basic-tool-turn": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
● I will run a command.
▸ Bash echo hello-from-tool
✓ Bash echo hello-from-tool (0.1s)
● All done now.
■ turn 1 2 model calls, 0.3s, $0.0027
""",
    "subagent-agent-bg": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
● Delegating bg.
◆ general-purpose sub work (in the background)
● Agent launched.
  ● Sleeping.
  ▸ Bash sleep 5; echo slept
■ turn 1 2 model calls, 0.3s, $0.0041
  ✓ Bash sleep 5; echo slept (5.2s)
  ● Slept fine.
✓ general-purpose sub work (5.5s, 1 tool)
● Agent launched.
■ turn 2 1 model call, 0.0s, $0.0027
""",
    "permission-denied-no-host": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
● Touching.
▸ Bash touch made-by-bash.txt
⊘ Bash touch made-by-bash.txt (denied, 0.1s) - touch in '/home/dev/code/proj/made-by-bash.txt' needs approval. \
The path is inside the working directories for this session ('/home/dev/code/proj'), and Claude Code asks before \
a shell command create…
● Touched.
■ turn 1 2 model calls, 0.4s, $0.0027
""",
    "parallel-tool-calls-serial-permission": """\
· claude-opus-5-5 · mode default · /home/dev/code/dur/par/proj
▸ Bash touch p1.txt
? Bash touch p1.txt
▸ Bash touch p2.txt
✓ Bash touch p1.txt (1.1s)
? Bash touch p2.txt
✓ Bash touch p2.txt (2.1s)
● perm2 done
■ turn 1 3 model calls, 2.3s, $0.0027
""",
    "interrupt-mid-tool-with-queued": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
» x [s:sleep60]
● Sleeping long.
▸ Bash for i in $(seq 60); do sleep 1; done; echo slept
✗ Bash for i in $(seq 60); do sleep 1; done; echo slept (1.2s, interrupted) - The user doesn't want to proceed \
with this tool use. The tool use was rejected (eg. if it was a file edit, the new_string was NOT written to the \
file). STOP what you are doing and wait for the user t…
■ turn 1 3 model calls, 1.7s, $0.0014
· interrupted
· message not run cancelled
» queued [s:hi]
● Hello there, this is the answer.
■ turn 2 1 model call, 0.0s, $0.0014
""",
    "api-error-529-exhausted": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
! API overloaded (529), attempt 1 of 2, again in 0.5s
! API overloaded (529), attempt 2 of 2, again in 1.0s
✗ API Error: 529 fake 529. This is a server-side issue, usually temporary — try again in a moment. If it \
persists, check your inference gateway (127.0.0.1:19100).
■ turn 1 1 model call, 1.8s, $0.0000
""",
    "error-max-turns": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
▸ Bash echo loop0
✓ Bash echo loop0 (0.1s)
▸ Bash echo loop1
✓ Bash echo loop1 (0.0s)
■ turn 1 3 model calls, 0.2s, $0.0027
✗ max_turns Reached maximum number of turns (2)
""",
    "rate-limit-event": """\
· claude-sonnet-5-5 · mode default · /home/dev/code/proj
● Hello there, this is the answer.
! rate limit five_hour 92% used: allowed_warning
■ turn 1 1 model call, 0.4s, $0.0007
""",
    "thinking-partial": """\
· claude-sonnet-5-5 · mode default · /home/dev/code/proj
∴ Let me think about this carefully.
● Thought and answered.
■ turn 1 1 model call, 0.1s, $0.0007
""",
    "mcp-stdio": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
▸ t: echo hi
✓ t: echo hi (0.0s)
● mcp done
■ turn 1 2 model calls, 0.2s, $0.0027
""",
    "bg-taskstop": """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
▸ Bash sleep 300
◆ background long sleeper
✓ Bash sleep 300 (0.1s, in the background)
▸ TaskStop b4bzqzb2i
✗ background long sleeper (stopped) - long sleeper
✓ TaskStop b4bzqzb2i (0.0s)
● Stopped it.
■ turn 1 3 model calls, 0.3s, $0.0041
""",
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_recording_reads_as_one_line_for_each_event(name: str) -> None:
    scene = Scene()
    lines = [plain_line(entry) for event in recorded(name) for entry in tell(scene, event)]
    assert "\n".join(lines) + "\n" == PLAIN[name]


def drawn_text(name: str, width: int = 72) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None, record=True)
    scene, printer = Scene(), Printer(console)
    for event in recorded(name):
        printer.show(tell(scene, event))
    return "\n".join(line.rstrip() for line in console.export_text().splitlines()) + "\n"


def test_on_a_terminal_output_stands_below_its_tool_and_subagents_are_indented() -> None:
    assert (
        drawn_text("subagent-agent-fg")
        == """\
· claude-opus-5-5 · mode default · /home/dev/code/proj
● Delegating fg.
◆ general-purpose  sub work
  ✓ Bash  echo hello-from-tool  0.1s
    │ hello-from-tool
✓ general-purpose  sub work  0.2s, 1 tool
  │ All done now.
● Agent finished fg.
■ turn 1  2 model calls, 0.4s, $0.0055
"""
    )


def test_what_a_session_used_is_counted_once() -> None:
    scene = Scene()
    for event in recorded("subagent-agent-bg"):
        tell(scene, event)
    totals = scene.totals
    assert (totals.turns, totals.tools, totals.subagents) == (2, 1, 1)
    assert (totals.input_tokens, totals.output_tokens, totals.cost_microusd) == (750, 210, 6870)
    assert (scene.running, scene.background, scene.tasks) == ({}, {}, {})


def test_background_work_counts_until_it_is_over() -> None:
    scene, seen = Scene(), []
    for event in recorded("bg-bash"):
        tell(scene, event)
        seen.append(len(scene.background))
    assert max(seen) == 1
    assert scene.background == {}


def event(kind: str, payload: Any, **more: Any) -> dict[str, Any]:
    return {"seq": 1, "at": "2026-11-20T04:00:00.000000Z", "kind": kind, "payload": payload, **more}


def test_an_unknown_kind_is_shown_compactly() -> None:
    told = tell(Scene(), event("moon.rose", {"phase": "full", "at_s": 3, "where": ["x"]}))
    assert [plain_line(entry) for entry in told] == ['· moon.rose phase=full at_s=3 where=["x"]']


def test_what_was_seen_from_outside_as_well_is_not_told_twice() -> None:
    begun = event("tool.started", {"name": "Bash", "summary": "ls"}, tool_use_id="t1", source="stream")
    assert len(tell(Scene(), begun)) == 1
    assert [tell(Scene(), {**begun, "source": source}) for source in ("hook", "otlp")] == [[], []]


def test_every_fact_of_claude_code_has_a_teller_of_its_own() -> None:
    shown_raw = {"line.unknown", "line.garbled", "line.oversized"}
    assert {fact.kind for fact in FACTS} - shown_raw <= set(TABLE)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted({name for fact in FACTS for name in fact.__struct_fields__} | {"left_out", "code", "signal", "stderr"})


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted({*TABLE, "line.unknown", "no.such"})),
            st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8) | JSON,
            st.sampled_from(["", "t1", None]),
        ),
        max_size=6,
    )
)
def test_no_payload_whatever_can_break_the_view(happened: list[tuple[str, Any, str | None]]) -> None:
    scene, console = Scene(), Console(file=io.StringIO(), width=50)
    for kind, payload, ref in happened:
        for entry in tell(scene, event(kind, payload, tool_use_id=ref, parent=ref, agent_id=ref)):
            assert "\n" not in plain_line(entry)
            Printer(console).show([entry])


TEXTS = st.text(alphabet=st.characters(exclude_categories=()), max_size=200) | st.text(
    alphabet=st.sampled_from("#*_`~[]()<>!|-+.1\n \t\x1b\x07\x9b\u202e\u2028\ud800aé"), max_size=80
)


@given(TEXTS, TEXTS, st.sampled_from(list(Tone)), st.integers(10, 90))
def test_nothing_that_is_drawn_can_act_on_the_terminal(text: str, output: str, tone: Tone, width: int) -> None:
    out = io.StringIO()
    Printer(Console(file=out, width=width, color_system=None)).show([Entry(tone, text, text, text, output, 1)])
    shown = out.getvalue() + plain_line(Entry(tone, text, text, text, output))
    bad = [char for char in shown if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char not in "\n"]
    bad += [char for char in shown if unicodedata.bidirectional(char) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI"}]
    assert bad == []


def test_screens_that_know_only_ascii_get_words_for_signs() -> None:
    assert plain_line(Entry(Tone.DONE, "Bash", "true", "0.1s"), only_ascii=True) == "ok Bash true (0.1s)"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (span(0.34), "0.3s"),
        (span(12.9), "12s"),
        (span(184), "3m04s"),
        (span(7500), "2h05m"),
        (dollars(2748), "$0.0027"),
        (dollars(12_345_678), "$12.35"),
        (count(950), "950"),
        (count(12_345), "12.3k"),
        (count(1_204_000), "1.20M"),
    ],
)
def test_figures_are_short(shown: str, text: str) -> None:
    assert shown == text
