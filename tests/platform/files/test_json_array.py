"""Items of arrays come and go, and every other byte stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.json_array import append_item, remove_item

ITEMS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
WRITTEN = st.sampled_from([{"indent": 2}, {"indent": "\t"}, {}, {"separators": (",", ":")}])


@given(st.lists(ITEMS, max_size=4), ITEMS, WRITTEN, st.booleans())
def test_an_item_that_is_added_and_removed_leaves_the_text_as_it_was(
    items: list[Any], item: Any, written: dict[str, Any], crlf: bool
) -> None:
    text = json.dumps({"a": 1, "b": {"c": items}, "z": []}, **written)
    text = text.replace("\n", "\r\n") if crlf else text
    longer = append_item(text, ("b", "c"), item)
    assert json.loads(longer) == {"a": 1, "b": {"c": [*items, item]}, "z": []}
    assert remove_item(longer, ("b", "c"), len(items)) == text


@given(st.lists(ITEMS, min_size=1, max_size=5), WRITTEN, st.data())
def test_any_item_can_be_removed(items: list[Any], written: dict[str, Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    text = json.dumps({"a": [{"b": items}]}, **written)
    left = [item for i, item in enumerate(items) if i != place]
    assert json.loads(remove_item(text, ("a", 0, "b"), place)) == {"a": [{"b": left}]}


def test_the_rest_of_a_text_with_habits_of_its_own_stays() -> None:
    text = '{"x": [1,\n      2 ,3 ],\n  "y":"\\u0041" }'
    assert append_item(text, ("x",), {"n": 4}) == '{"x": [1,\n      2 ,3, {"n": 4} ],\n  "y":"\\u0041" }'
    assert remove_item(text, ("x",), 1) == '{"x": [1 ,3 ],\n  "y":"\\u0041" }'


@pytest.mark.parametrize("text", ["[]", "{", '{"x": {}}', '{"x": [1], "x": [2]}', '{"y": []}'])
def test_what_is_no_array_is_refused(text: str) -> None:
    with pytest.raises(BrokenText):
        append_item(text, ("x",), 1)
