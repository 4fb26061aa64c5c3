"""Lines for stdin: always one JSON object in one line, whatever the words in them."""

import json
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from claude_code_mcp.platform.claude import control
from claude_code_mcp.platform.claude.requests import ToolQuestion

_QUESTION = ToolQuestion(request_id="q1", tool_name="AskUserQuestion", input={"questions": [{"question": "Which?"}]})

_LINES: list[tuple[bytes, dict[str, object]]] = [
    (
        control.user_message("hi", "u1", "now"),
        {"type": "user", "message": {"role": "user", "content": "hi"}, "uuid": "u1", "priority": "now"},
    ),
    (
        control.user_message([{"type": "text", "text": "hi"}], "u1", ask_model=False),
        {
            "type": "user",
            "message": {"role": "user", "content": [{"type": "text", "text": "hi"}]},
            "uuid": "u1",
            "priority": "next",
            "shouldQuery": False,
        },
    ),
]

_REQUESTS: list[tuple[bytes, dict[str, object]]] = [
    (control.initialize("r1"), {"subtype": "initialize", "hooks": {}}),
    (
        control.initialize("r1", control.Introduction(system_prompt="a", append_system_prompt="b", title="c")),
        {"subtype": "initialize", "hooks": {}, "systemPrompt": ["a"], "appendSystemPrompt": "b", "title": "c"},
    ),
    (control.interrupt("r1"), {"subtype": "interrupt"}),
    (control.interrupt("r1", cancel_queued=True), {"subtype": "interrupt", "cancel_queued": True}),
    (control.end_session("r1", "stopped"), {"subtype": "end_session", "reason": "stopped"}),
    (control.cancel_message("r1", "u1"), {"subtype": "cancel_async_message", "message_uuid": "u1"}),
    (control.set_model("r1", None), {"subtype": "set_model", "model": None}),
    (control.set_permission_mode("r1", "plan"), {"subtype": "set_permission_mode", "mode": "plan"}),
    (control.set_effort("r1", "max"), {"subtype": "apply_flag_settings", "settings": {"effortLevel": "max"}}),
    (
        control.set_max_thinking_tokens("r1", 5),
        {"subtype": "set_max_thinking_tokens", "max_thinking_tokens": 5},
    ),
    (control.rename_session("r1", "t"), {"subtype": "rename_session", "title": "t"}),
    (control.stop_task("r1", "b1"), {"subtype": "stop_task", "task_id": "b1"}),
    (control.get_context_usage("r1"), {"subtype": "get_context_usage"}),
    (control.get_settings("r1"), {"subtype": "get_settings"}),
    (control.mcp_status("r1"), {"subtype": "mcp_status"}),
    (
        control.rewind_files("r1", "u1", dry_run=True),
        {"subtype": "rewind_files", "user_message_id": "u1", "dry_run": True},
    ),
]

_ANSWERS: list[tuple[bytes, dict[str, object]]] = [
    (control.allow("r1"), {"behavior": "allow"}),
    (
        control.allow("r1", {"command": "ls"}, [{"type": "setMode"}]),
        {"behavior": "allow", "updatedInput": {"command": "ls"}, "updatedPermissions": [{"type": "setMode"}]},
    ),
    (control.deny("r1", "no"), {"behavior": "deny", "message": "no"}),
    (control.deny("r1", "no", stop_turn=True), {"behavior": "deny", "message": "no", "interrupt": True}),
    (control.hook_answer("r1", {}), {}),
    (control.mcp_answer("r1", {"id": 1}), {"mcp_response": {"id": 1}}),
]


@pytest.mark.parametrize(("line", "wanted"), _LINES)
def test_a_message_has_the_form_that_the_cli_takes(line: bytes, wanted: object) -> None:
    assert json.loads(line) == wanted


@pytest.mark.parametrize(("line", "wanted"), _REQUESTS)
def test_a_request_has_the_form_that_the_cli_takes(line: bytes, wanted: object) -> None:
    assert json.loads(line) == {"type": "control_request", "request_id": "r1", "request": wanted}


@pytest.mark.parametrize(("line", "wanted"), _ANSWERS)
def test_an_answer_has_the_form_that_the_cli_takes(line: bytes, wanted: object) -> None:
    response = {"subtype": "success", "request_id": "r1", "response": wanted}
    assert json.loads(line) == {"type": "control_response", "response": response}


def test_several_answers_to_a_question_are_joined_with_commas() -> None:
    line = json.loads(control.answer_questions(_QUESTION, {"Which?": ["Red", "Blue"]}))
    assert line["response"]["request_id"] == "q1"
    assert line["response"]["response"]["updatedInput"] == {**_QUESTION.input, "answers": {"Which?": "Red, Blue"}}


def test_a_refusal_is_an_error_that_names_the_reason() -> None:
    response = {"subtype": "error", "request_id": "r1", "error": "not served"}
    assert json.loads(control.refuse("r1", "not served")) == {"type": "control_response", "response": response}


_BUILDERS: list[Callable[[str], bytes]] = [
    lambda text: control.user_message(text, text, text),
    lambda text: control.user_message([{"type": "text", "text": text}], text),
    lambda text: control.initialize(text, control.Introduction(agents={text: {"prompt": text}}, title=text)),
    lambda text: control.rename_session(text, text),
    lambda text: control.allow(text, {text: [text]}, [{text: text}]),
    lambda text: control.deny(text, text),
    lambda text: control.answer_questions(_QUESTION, {text: [text, text]}),
    lambda text: control.refuse(text, text),
]


@given(st.text(st.characters()))
@example("\n")
@example("\r\n{")
@example("\u2028\u2029\x85\x0b\x0c\x1c\x00")
@example("\ud800")
@example('"}}\n{"type":"control_request"')
def test_no_words_can_end_the_line_or_begin_another(text: str) -> None:
    whole = text.encode("utf-8", "replace").decode()
    for build in _BUILDERS:
        line = build(text)
        assert line.endswith(b"\n")
        assert len(line.decode().splitlines()) == 1 or "\x85" in text
        assert line.count(b"\n") == 1
        assert whole in _strings(json.loads(line)) or whole == "" or ", " in line.decode()


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *_strings(item))]
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return []
