import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.json_document import MISSING
from claude_code_mcp.platform.files.json_text import get_value, remove_value, set_value

ENTRY = {"command": "/bin/x", "args": ["a"]}

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "é", '"', "//", "/*", ",}", "\\"])
KEYS = st.sampled_from(["a", "b", "mcpServers", "x y", 'q"', "ü", "//", "}", "[,]"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)


def pairs(text: str) -> Any:
    """The text as nested lists of pairs: the order of the keys counts."""
    return json.loads(text, object_pairs_hook=lambda found: [["pair", key, value] for key, value in found])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Objects as different programs write them."""
    indent = draw(st.sampled_from([None, 1, 2, 4, "\t"]))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")]))
    text = json.dumps(draw(OBJECTS), indent=indent, separators=separators, ensure_ascii=draw(st.booleans()))
    text += draw(st.sampled_from(["", "\n", "\n\n", " "]))
    text = draw(st.sampled_from(["", "\ufeff", "\n "])) + text
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


def parsed(text: str) -> dict[str, Any]:
    value = json.loads(text.removeprefix("\ufeff"))
    assert isinstance(value, dict)
    return value


def difference(before: str, after: str) -> tuple[str, str]:
    """What lies between the longest equal ends of two texts."""
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    return before[head : len(before) - tail], after[head : len(after) - tail]


@given(texts(), KEYS, VALUES)
def test_setting_a_new_key_only_adds_to_the_text(text: str, key: str, value: Any) -> None:
    known = parsed(text)
    if key in known:
        return
    after = set_value(text, [key], value)
    assert parsed(after) == known | {key: value}
    assert list(parsed(after)) == [*known, key]
    lost, _ = difference(text, after)
    assert not lost.strip()


@given(texts(), KEYS, KEYS, VALUES)
def test_setting_keeps_everything_else(text: str, outer: str, inner: str, value: Any) -> None:
    known = parsed(text)
    if not isinstance(known.get(outer, {}), dict):
        with pytest.raises(BrokenText):
            set_value(text, [outer, inner], value)
        return
    after = set_value(text, [outer, inner], value)
    expected = json.loads(json.dumps(known))
    expected.setdefault(outer, {})[inner] = value
    assert pairs(after.removeprefix("\ufeff")) == pairs(json.dumps(expected))
    assert set_value(after, [outer, inner], value) == after


@given(texts(), KEYS, KEYS)
def test_removing_keeps_everything_else(text: str, outer: str, inner: str) -> None:
    known = parsed(text)
    if not isinstance(known.get(outer, {}), dict):
        return
    after = remove_value(text, [outer, inner])
    if inner not in known.get(outer, {}):
        assert after == text
        return
    del known[outer][inner]
    assert pairs(after.removeprefix("\ufeff")) == pairs(json.dumps(known))
    _, added = difference(text, after)
    assert not added.strip("{}, \t\r\n")


@given(texts(), KEYS, VALUES)
def test_adding_beside_others_and_removing_gives_the_same_bytes(text: str, key: str, value: Any) -> None:
    known = parsed(text)
    if key not in known and known:
        assert remove_value(set_value(text, [key], value), [key]) == text


@st.composite
def commented(draw: st.DrawFn) -> tuple[str, list[str], dict[str, Any]]:
    """A JSONC text, its comments, and what it says."""
    notes: list[str] = []

    def note() -> str:
        kind = draw(st.integers(0, 6))
        if kind > 1:
            return draw(st.sampled_from(["", " ", "\n", "\n\t"]))
        body = f'note {len(notes)} "{{,}} //'
        notes.append(f"// {body}" if kind else f"/* {body}\n*/")
        return f"{notes[-1]}\n"

    def written(value: Any) -> str:
        if not isinstance(value, dict):
            return json.dumps(value)
        members = [
            f"{note()}{json.dumps(key)}{note()}:{note()}{written(inner)}{note()}" for key, inner in value.items()
        ]
        last = draw(st.sampled_from(["", ","])) if members else ""
        return "{" + ",".join(members) + last + note() + "}"

    known = draw(st.dictionaries(KEYS, SCALARS | st.dictionaries(KEYS, SCALARS, max_size=3), max_size=3))
    return f"{note()}{written(known)}{note()}", notes, known


@given(commented(), KEYS, KEYS, VALUES)
def test_comments_survive_setting_and_removing(
    case: tuple[str, list[str], dict[str, Any]], outer: str, inner: str, value: Any
) -> None:
    text, notes, known = case
    if not isinstance(known.get(outer, {}), dict):
        return
    after = set_value(text, [outer, inner], value, comments=True)
    expected = json.loads(json.dumps(known))
    expected.setdefault(outer, {})[inner] = value
    assert get_value(after, [], comments=True) == expected
    without = remove_value(after, [outer, inner], comments=True)
    del expected[outer][inner]
    assert get_value(without, [], comments=True) == expected
    assert [note for note in notes if note in after] == notes
    # A note inside of a member that was there before goes with it.
    if inner not in known.get(outer, {}):
        assert [note for note in notes if note in without] == notes


def test_an_empty_file_becomes_a_readable_document() -> None:
    assert set_value("", ["mcpServers", "me"], ENTRY) == (
        '{\n  "mcpServers": {\n    "me": {\n      "command": "/bin/x",\n      "args": [\n        "a"\n'
        "      ]\n    }\n  }\n}\n"
    )


def test_tabs_and_windows_newlines_are_taken_up() -> None:
    text = '{\r\n\t"a": 1,\r\n\t"mcpServers": {}\r\n}\r\n'
    assert set_value(text, ["mcpServers", "me"], {"command": "x"}) == (
        '{\r\n\t"a": 1,\r\n\t"mcpServers": {\r\n\t\t"me": {\r\n\t\t\t"command": "x"\r\n\t\t}\r\n\t}\r\n}\r\n'
    )


def test_one_long_line_stays_one_line() -> None:
    assert set_value('{"a":1,"mcpServers":{}}', ["mcpServers", "me"], ENTRY) == (
        '{"a":1,"mcpServers":{"me":{"command":"/bin/x","args":["a"]}}}'
    )


def test_numbers_escapes_and_spacing_of_others_stay() -> None:
    text = '{\n    "n" : 1.50e+3 , "u":"\\u00e9\\/",\n    "mcpServers": {"other": {"command": "y"}}\n}'
    assert set_value(text, ["mcpServers", "me"], {"command": "x"}) == text.replace(
        '"y"}}', '"y"}, "me": {"command": "x"}}'
    )


def test_a_member_with_its_comment_line_leaves_only_the_comment() -> None:
    text = '{\n  "a": 1, // about a\n  "b": 2 // about b\n}\n'
    assert remove_value(text, ["b"], comments=True) == '{\n  "a": 1 // about a\n   // about b\n}\n'


def test_what_is_added_stands_behind_a_last_comment() -> None:
    text = '{\n  "servers": {\n    "a": {}, // mine\n    /* off */\n  },\n}\n'
    assert set_value(text, ["servers", "me"], True, comments=True) == (
        '{\n  "servers": {\n    "a": {}, // mine\n    /* off */\n    "me": true,\n  },\n}\n'
    )


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  "a": 1,,\n}', 2, 10),
        ('{"a": 1} x', 1, 10),
        ('{\n"a": 1 // no\n}', 2, 8),
        ("[1]", 1, 1),
        ('{"mcpServers": []}', 1, 16),
        ('{"mcpServers": null}', 1, 16),
        ('{"mcpServers": {}, "mcpServers": {}}', 1, 20),
        ('{"mcpServers": {"me": 1, "me": 2}}', 1, 26),
        ('{"a": NaN}', 0, 0),
        ('{"a": "\n"}', 1, 8),
        ("{" * 3, 1, 2),
    ],
)
def test_a_broken_or_doubtful_text_is_refused_with_its_position(text: str, line: int, column: int) -> None:
    with pytest.raises(BrokenText) as caught:
        set_value(text, ["mcpServers", "me"], 1)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_text_nested_beyond_reason_is_refused() -> None:
    with pytest.raises(BrokenText):
        set_value('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", ["b"], 1)


def test_missing_is_not_null() -> None:
    assert get_value('{"a": null}', ["a"]) is None
    assert get_value('{"a": null}', ["b"]) is MISSING
    assert get_value("", ["a"]) is MISSING
    assert get_value('{"a": 1}', ["a", "b"]) is MISSING


def test_true_is_not_one() -> None:
    assert set_value('{"a": 1}', ["a"], True) == '{"a": true}'
