"""The format of scripts: short forms, and one clear sentence for each mistake."""

import json
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.testing import (
    Script,
    ScriptInvalid,
    ScriptNotFound,
    builtin_script,
    demo_script,
    load_script,
    parse_script,
    script_schema,
    to_script,
)
from claude_code_mcp.testing.script import Scenario, Step, ToolCall

jsonschema: Any = import_module("jsonschema")  # it has no types


def test_short_forms_mean_the_same_as_the_long_ones() -> None:
    short = parse_script(
        """
        scenarios:
          a: Hello.
          b: [Hello.]
          c:
            - tools: {Bash: ls, Read: /x}
              agents: [a]
              error: 529
        """
    )
    long = Script(
        scenarios={
            "a": Scenario(steps=[Step(text="Hello.")]),
            "b": Scenario(steps=[Step(text="Hello.")]),
            "c": Scenario.model_validate(
                {
                    "steps": [
                        {
                            "tools": [
                                {"name": "Bash", "input": {"command": "ls", "description": "Run a command"}},
                                {"name": "Read", "input": {"file_path": "/x"}},
                            ],
                            "agents": [{"scenario": "a"}],
                            "error": {"status": 529},
                        }
                    ]
                }
            ),
        }
    )
    assert short == long


def test_a_subagents_prompt_carries_its_scenario() -> None:
    step = Step.model_validate({"agents": [{"scenario": "look:here", "prompt": "Please.", "background": False}]})
    assert step.calls() == [
        ToolCall(
            name="Agent",
            input={
                "description": "Delegated work",
                "prompt": "[s:look:here] Please.",
                "subagent_type": "general-purpose",
                "run_in_background": False,
            },
        )
    ]


@pytest.mark.parametrize(
    ("scenarios", "problem"),
    [
        ({"a": ["x", {"tolls": 1}]}, "scenario 'a', step 2, field tolls: there is no such field; tools is meant?."),
        ({"a": ["x", {"text": "${foo}"}]}, "scenario 'a', step 2, field text: ${foo} is not a placeholder"),
        (
            {"a": [{"tools": {"Write": {"content": "${no}"}}}]},
            "scenario 'a', step 1, field tools.Write: ${no} is not",
        ),
        ({"a": [{"tools": {"Foo": "ls"}}]}, "scenario 'a', step 1, field tools.0: Foo has no short form"),
        ({"a": [{}]}, "scenario 'a', step 1: the step says nothing"),
        ({"a b": ["x"]}, "scenario 'a b', field [key]: String should match pattern"),
        ({"a": [{"error": {"status": 2}}]}, "scenario 'a', step 1, field error.status: should be greater than"),
        ({"a": [{"agents": ["q"]}]}, "scenario 'a', step 1, field agents: there is no scenario 'q'."),
        ({"a": [{"times": 0, "text": "x"}]}, "scenario 'a', step 1, field times: give a number from 1 on"),
        ({"a": {"match": "(", "steps": ["x"]}}, "scenario 'a', field match: '(' is not a regular expression"),
        ({"a": {"capture": {"id": "x"}, "steps": ["x"]}}, "scenario 'a', field capture.id: 'x' needs one group"),
        ({"a": 7}, "scenario 'a': a mapping is expected here."),
        ({"a": []}, "scenario 'a', field steps: List should have at least 1 item"),
        (
            {"a": [{"text": "x" * 1000, "repeat": 10**6}]},
            "scenario 'a', step 1: text times repeat is more than 64 MB",
        ),
    ],
)
def test_a_mistake_is_named_with_its_scenario_its_step_and_its_field(
    scenarios: dict[str, object], problem: str
) -> None:
    with pytest.raises(ScriptInvalid) as caught:
        to_script({"scenarios": scenarios}, name="mine.yaml")
    assert caught.value.message.startswith(f"Script mine.yaml: {problem}")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("scenarios: [", "line 1, column 13"),
        ("scenarios:\n  a: [x]\n  a: [y]\n", "line 3, column 3: the key 'a' stands twice."),
        ("- x", "it must be a mapping with the key `scenarios`."),
        ("other: 1", "field scenarios: it is missing (1 more)."),
        ("default: b\nscenarios: {a: x}", "field default: there is no scenario 'b'."),
    ],
)
def test_a_broken_document_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ScriptInvalid) as caught:
        parse_script(text, name="mine.yaml")
    assert f"Script mine.yaml: {problem}" in caught.value.message


def test_a_missing_file_says_what_else_there_is() -> None:
    with pytest.raises(ScriptNotFound, match="builtin, demo"):
        load_script("no-such-script.yaml")


def test_the_packaged_scripts_load_by_name_and_every_scenario_tells_what_it_does() -> None:
    assert load_script("builtin") == builtin_script()
    assert load_script("demo") == demo_script()
    assert [name for name, scenario in builtin_script().scenarios.items() if not scenario.about] == []


def test_the_schema_admits_what_the_parser_admits() -> None:
    schema = json.loads(json.dumps(script_schema()))
    jsonschema.validate(builtin_script().model_dump(mode="json"), schema)
    jsonschema.validate({"scenarios": {"a": "x", "b": ["x", {"tools": {"Bash": "ls"}, "error": 500}]}}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"scenarios": {"a": [{"tolls": 1}]}}, schema)


@given(times=st.lists(st.integers(1, 5), min_size=1, max_size=6))
def test_steps_follow_one_another_each_as_often_as_it_says(times: list[int]) -> None:
    scenario = Scenario(steps=[Step(text=str(number), times=count) for number, count in enumerate(times)])
    played: list[str] = []
    while (step := scenario.step(len(played), "")) is not None:
        played.append(step.text)
    assert played == [str(number) for number, count in enumerate(times) for _ in range(count)]


@pytest.mark.parametrize(("arg", "count"), [("3", 3), ("", 2), ("no number", 1)])
def test_a_step_can_take_its_count_from_the_marker(arg: str, count: int) -> None:
    scenario = Scenario(arg="2", steps=[Step(text="again", times="${arg}")])
    assert [scenario.step(index, arg) is not None for index in range(4)] == [index < count for index in range(4)]
