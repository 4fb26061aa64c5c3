"""Keys and dialogs without a terminal: what is typed, what is decided, and that no key does harm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.surfaces.cli.answering import answer_args, dialog_for, how_to_answer, question_of
from claude_code_mcp.surfaces.cli.dialogs import (
    Decision,
    Dialog,
    EditInput,
    Leave,
    LeaveDialog,
    MessageDialog,
    Send,
    ShowAll,
)
from claude_code_mcp.surfaces.cli.keys import KeyReader
from claude_code_mcp.surfaces.cli.questions import Question, input_lines

PERMISSION = Question("a1", "permission", "Bash", {"command": "ls"}, ("allow Bash(ls)",), "ls")
ASKED = {
    "questions": [
        {"question": "Which?", "options": [{"label": "A", "description": "first"}, {"label": "B"}]},
        {"question": "How?", "multiSelect": True, "options": [{"label": "x"}, {"label": "y"}]},
    ]
}
CHOICE = Question("a2", "question", "AskUserQuestion", ASKED)
PLAN = Question("a3", "plan", "ExitPlanMode", {"plan": "dig"}, ())


def type_in(dialog: Dialog, keys: list[str]) -> object:
    for key in keys:
        decided = dialog.feed(key)
        if decided is not None:
            return decided
    return None


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"y", ["y"]),
        (b"\r\n\x7f\x15\x04", ["enter", "enter", "backspace", "clear", "end"]),
        ("é日".encode(), ["é", "日"]),
        (b"\x1b", ["esc"]),
        (b"\x1b[A\x1b[1;5Cq\x1bOPz", ["q", "z"]),
        (b"\x1b[200", []),
        (b"\x1by", []),
        (b"\x00\x01\xff", []),
    ],
)
def test_bytes_become_keys_and_escape_sequences_nothing(data: bytes, keys: list[str]) -> None:
    assert KeyReader().feed(data) == keys


def test_a_character_cut_in_the_middle_arrives_whole() -> None:
    reader = KeyReader()
    first, second = "日".encode()[:1], "日".encode()[1:]
    assert (reader.feed(first), reader.feed(second)) == ([], ["日"])


@given(st.binary(max_size=60))
def test_no_bytes_break_the_keyboard(data: bytes) -> None:
    assert all(len(key) == 1 or key.isalpha() for key in KeyReader().feed(data))


@pytest.mark.parametrize(
    ("question", "keys", "decided"),
    [
        (PERMISSION, ["y"], Decision(allow=True)),
        (PERMISSION, ["a"], Decision(allow=True, always=True)),
        (PERMISSION, ["e"], EditInput()),
        (PERMISSION, ["v"], ShowAll()),
        (PERMISSION, ["n", "y", "enter"], Decision(allow=False, message="y")),
        (PERMISSION, ["n", "enter"], Decision(allow=False)),
        (PERMISSION, ["n", "esc", "y"], Decision(allow=True)),
        (PERMISSION, ["x", "enter", "Y", " "], None),
        (PLAN, ["a"], None),
        (PLAN, ["e"], None),
        (PLAN, ["y"], Decision(allow=True)),
        (CHOICE, ["1", "2", "enter"], Decision(allow=True, answers={"Which?": "A", "How?": "y"})),
        (CHOICE, ["1", "1", "2", "1", "enter"], Decision(allow=True, answers={"Which?": "A", "How?": "y"})),
        (CHOICE, ["1", "enter"], None),
        (CHOICE, ["o", "C", "enter", "1", "enter"], Decision(allow=True, answers={"Which?": "C", "How?": "x"})),
        (CHOICE, ["3", "9", "y"], None),
        (CHOICE, ["n", "o", "enter"], Decision(allow=False, message="o")),
    ],
)
def test_keys_decide(question: Question, keys: list[str], decided: object) -> None:
    assert type_in(dialog_for(question), keys) == decided


def test_a_question_without_options_is_allowed_or_denied_like_any_other() -> None:
    odd = Question("a", "question", "AskUserQuestion", {"questions": [{"question": "?", "options": []}]})
    assert type_in(dialog_for(odd), ["y"]) == Decision(allow=True)


@pytest.mark.parametrize(
    ("keys", "decided"),
    [(["d"], "detach"), (["i"], "interrupt"), (["s"], "stop"), (["c"], ""), (["x", "esc"], ""), (["end"], "detach")],
)
def test_leaving_is_one_key(keys: list[str], decided: str) -> None:
    assert type_in(LeaveDialog(), keys) == Leave(decided)


def test_a_message_is_typed_and_an_empty_one_is_none() -> None:
    assert type_in(MessageDialog(), [*"hi!", "backspace", "enter"]) == Send("hi")
    assert type_in(MessageDialog(), [*"hi", "clear", "enter"]) == Leave("")
    assert type_in(MessageDialog(), ["h", "esc"]) == Leave("")


KEYS = st.sampled_from([*"yneavo0129dism", "enter", "esc", "backspace", "clear", "end", "é"])


@given(st.sampled_from([PERMISSION, CHOICE, PLAN]), st.lists(KEYS, max_size=12))
def test_no_keys_break_a_dialog(question: Question, keys: list[str]) -> None:
    dialog = dialog_for(question)
    for key in keys:
        assert all("\n" not in line for line in dialog.lines())
        if dialog.feed(key) is not None:
            return


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(st.sampled_from(["approval_id", "kind", "tool", "input", "rules", "summary"]), JSON),
    st.sampled_from(["permission", "question", "plan"]),
)
def test_no_approval_whatever_breaks_the_view(approval: dict[str, object], kind: str) -> None:
    question = question_of({**approval, "kind": kind})
    dialog_for(question).lines()
    assert how_to_answer(question)
    assert answer_args(question, Decision(allow=True))["decision"] == "allow"
    assert all("\n" not in line for line in question.body())


def test_a_change_is_shown_as_a_diff_and_a_command_whole() -> None:
    edit = {"file_path": "a.py", "old_string": "x\ny", "new_string": "z\n", "replace_all": True}
    assert list(input_lines("Edit", edit)) == ["file: a.py", "- x", "- y", "+ z", "replace_all: true"]
    assert list(input_lines("Write", {"file_path": "a", "content": "1\n2\n"})) == ["file: a", "+ 1", "+ 2"]
    bash = {"command": "ls\nrm \x1b[2K-rf /", "description": "d"}
    assert list(input_lines("Bash", bash)) == ["$ ls", "$ rm ␛[2K-rf /", "description: d"]
    assert list(input_lines("Other", {"a": [1], "b": "t\nu"})) == ["a: [", "    1", "  ]", "b: t", "  u"]
