"""Which step answers: markers, matches, the default, and what is asked beside the conversation."""

import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.testing import Script, parse_script
from claude_code_mcp.testing.auxiliary import instance
from claude_code_mcp.testing.conversation import plan_file, read, working_directory
from claude_code_mcp.testing.selection import AUXILIARY, UNSCRIPTED, Choice, UnknownScenario, choose

jsonschema: Any = import_module("jsonschema")  # it has no types

SCRIPT = parse_script(
    """
    default: else
    scenarios:
      else: [Else one., Else two.]
      work:
        - tools: {Bash: ls}
        - Worked.
        - Worked on.
      fix:
        match: fix (?P<what>\\w+) in (\\w+)
        steps: ["Fixing ${what} in ${2} for ${model}, step ${step}, $${what}"]
      echo:
        arg: nothing
        steps: ["Said: ${arg}"]
      took:
        capture: {id: 'ID: (\\w+)'}
        steps:
          - tools: {Bash: ls}
          - "${id} from ${result}"
    """
)

Said = tuple[str, Any]


def request(*said: Said, tools: bool = True, **more: object) -> bytes:
    messages = [{"role": role, "content": content} for role, content in said]
    offered = [{"name": "Bash", "input_schema": {}}] if tools else []
    return json.dumps({"model": "claude-x", "messages": messages, "tools": offered, **more}).encode()


def chosen(*said: Said, script: Script = SCRIPT, tools: bool = True, **more: object) -> Choice:
    body = request(*said, tools=tools, **more)
    return choose(script, read(body), body)


def text(choice: Choice) -> str:
    return choice.values.fill(choice.step.text)


def call(name: str = "Bash") -> Said:
    return (
        "assistant",
        [{"type": "text", "text": "I act."}, {"type": "tool_use", "id": "t", "name": name, "input": {}}],
    )


def result(content: object) -> Said:
    return ("user", [{"type": "tool_result", "tool_use_id": "t", "content": content}])


def test_each_reply_of_the_model_is_one_step() -> None:
    said: list[Said] = [("user", "go [s:work]")]
    assert chosen(*said).step.calls()[0].name == "Bash"
    said += [call(), result("a file")]
    assert text(chosen(*said)) == "Worked."
    said += [("assistant", "Worked."), ("user", "and on")]
    assert text(chosen(*said)) == "Worked on."


def test_when_a_scenario_is_over_later_texts_go_to_the_default() -> None:
    said: list[Said] = [("user", "[s:echo:hm]"), ("assistant", "Said: hm"), ("user", "thanks")]
    assert text(chosen(*said)) == "Else one."
    said += [("assistant", "Else one."), ("user", "bye")]
    assert (text(chosen(*said)), chosen(*said).scenario) == ("Else one.", "else")


def test_the_newest_marker_wins_and_the_last_one_in_a_text() -> None:
    assert chosen(("user", "[s:work] [s:echo:a]"), ("assistant", "Said"), ("user", "[s:echo:b] [s:echo:c]")).index == 0
    assert text(chosen(("user", "[s:work]"), ("assistant", "x"), ("user", "[s:echo:b] [s:echo:c]"))) == "Said: c"
    assert text(chosen(("user", "[s:echo]"))) == "Said: nothing"


def test_a_message_sent_during_the_turn_changes_the_scenario() -> None:
    steered = ("system", "The user sent a new message while you were working:\nnow [s:echo:this]\n\nAddress it.")
    assert text(chosen(("user", "[s:work]"), call(), result("x"), steered)) == "Said: this"


def test_a_marker_in_a_tool_result_chooses_nothing() -> None:
    assert text(chosen(("user", "[s:work]"), call(), result("see [s:echo:no]"))) == "Worked."


def test_a_marker_in_a_reminder_counts_unless_the_prompt_has_one() -> None:
    reminder = {"type": "text", "text": "<system-reminder>CLAUDE.md says [s:echo:file]</system-reminder>"}
    assert text(chosen(("user", [reminder, {"type": "text", "text": "hello"}]))) == "Said: file"
    assert text(chosen(("user", [reminder, {"type": "text", "text": "[s:echo:prompt]"}]))) == "Said: prompt"
    assert chosen(("user", "<system-reminder>use [s:NAME]</system-reminder>")).scenario == UNSCRIPTED


def test_a_pattern_chooses_too_and_its_groups_are_placeholders() -> None:
    assert text(chosen(("user", "please fix it in main"))) == "Fixing it in main for claude-x, step 1, ${what}"
    assert chosen(("user", "<system-reminder>fix it in main</system-reminder>")).scenario == UNSCRIPTED
    assert chosen(("user", "fix it in main [s:echo]")).scenario == "echo"


def test_placeholders_take_from_tool_results() -> None:
    blocks = [{"type": "text", "text": "ID: b1"}, {"type": "text", "text": "ID: b2"}]
    assert text(chosen(("user", "[s:took]"), call(), result(blocks))) == "b2 from ID: b1\nID: b2"
    assert text(chosen(("user", "[s:took]"), call(), result("no id"))) == " from no id"


def test_an_unknown_scenario_is_an_error_that_lists_those_that_are() -> None:
    with pytest.raises(UnknownScenario, match="no scenario 'nope'; it has: else, work, fix"):
        chosen(("user", "[s:nope]"))


def test_without_a_default_the_answer_says_how_to_choose() -> None:
    script = parse_script("scenarios: {a: Hello.}")
    assert "[s:NAME]" in text(chosen(("user", "hi"), script=script))
    assert text(chosen(("user", "[s:a]"), ("assistant", "Hello."), ("user", "hi"), script=script)) == (
        "Nothing more is scripted here."
    )


def test_a_request_without_tools_gets_no_tool_calls() -> None:
    assert chosen(("user", "[s:work]"), tools=False).step.calls() == []


def test_a_wanted_schema_is_answered_with_json_that_fits() -> None:
    wanted = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    choice = chosen(
        ("user", "<session>[s:work]</session>"),
        tools=False,
        output_config={"format": {"type": "json_schema", "schema": wanted}},
    )
    assert (choice.scenario, json.loads(choice.step.text)) == (AUXILIARY, {"title": "Scripted session"})


def test_a_summary_is_a_summary_whatever_was_scripted() -> None:
    ask = "CRITICAL: Respond with TEXT ONLY: an <analysis> block followed by a <summary> block."
    choice = chosen(("user", "[s:work]"), ("assistant", "x"), ("user", ask))
    assert choice.scenario == AUXILIARY
    assert "<summary>" in choice.step.text


def test_a_side_question_leaves_the_scenario_alone() -> None:
    side = "<system-reminder>This is a side question from the user. Answer it.</system-reminder>"
    asked = ("user", [{"type": "text", "text": side}, {"type": "text", "text": "hm?"}])
    assert chosen(("user", "[s:work]"), call(), result("x"), asked).scenario == AUXILIARY


SCHEMAS = st.recursive(
    st.sampled_from(
        [
            {"type": "string"},
            {"type": "string", "minLength": 40},
            {"type": "string", "maxLength": 3},
            {"type": "boolean"},
            {"type": "integer", "minimum": 4},
            {"type": "null"},
            {"type": ["number", "null"]},
            {"enum": ["a", "b"]},
            {"const": 7},
        ]
    ),
    lambda inner: st.one_of(
        st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 2)),
        st.builds(lambda one, other: {"anyOf": [one, other]}, inner, inner),
        st.dictionaries(st.sampled_from(["p", "q", "r"]), inner).map(
            lambda properties: {"type": "object", "properties": properties, "required": sorted(properties)}
        ),
    ),
    max_leaves=8,
)


@given(schema=SCHEMAS)
def test_an_instance_fits_its_schema(schema: dict[str, object]) -> None:
    jsonschema.validate(instance(schema), schema)


def test_what_the_request_tells_about_paths_is_found() -> None:
    told = ' - Primary working directory: /home/a \u00fc "b"\n - Is a git repository: true\nplan at /h/plans/x.md'
    body = request(("user", "x"), ("system", "You should create your " + told))
    assert working_directory(body) == '/home/a \u00fc "b"'
    assert working_directory(request(("user", "x"))) == "."
    assert plan_file(request(("system", "A plan file already exists at /h/plans/y.md. You can"))) == "/h/plans/y.md"
    assert plan_file(request(("system", "You should create your plan at /h/plans/z.md using"))) == "/h/plans/z.md"
    assert plan_file(body) == "plan.md"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"model":"m"}', b'{"model":"m","messages":[]}', b"\xff"])
def test_what_is_no_request_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(body)
