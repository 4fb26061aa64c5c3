import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.toml_text import load_toml, set_key, unset_key

TEXT = '# mine\nlog_level = "info" # why\n\nmax_starts=3\n\n[other]\nmax_starts = 4 # not ours\n'

LINES = ["a = 1", "b='x' # note", "# a comment", "", 'c = ["x", "y"]', "d = 1_000", 'e = """\ntwo\nlines"""']
VALUES = st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.lists(st.text(max_size=3), max_size=3)


def test_a_value_is_replaced_in_its_line() -> None:
    assert set_key(TEXT, "log_level", "debug") == TEXT.replace('"info"', '"debug"')


def test_a_new_key_goes_before_the_tables() -> None:
    after = set_key(TEXT, "debug", True)
    assert tomllib.loads(after) == tomllib.loads(TEXT) | {"debug": True}
    assert after.index("debug = true") < after.index("[other]")


def test_an_equal_value_changes_no_byte() -> None:
    assert set_key(TEXT, "max_starts", 3) == TEXT
    assert unset_key(TEXT, "absent") == TEXT


def test_true_replaces_one() -> None:
    assert set_key("a = 1\n", "a", True) == "a = true\n"


def test_windows_newlines_stay() -> None:
    assert set_key("a = 1\r\n", "b", 2) == "a = 1\r\nb = 2\r\n"


def test_unsetting_removes_one_line() -> None:
    assert unset_key(TEXT, "max_starts") == TEXT.replace("max_starts=3\n", "")


@pytest.mark.parametrize("text", ["a = ", "a = 1\na = 2", "[x", "a = 1 b = 2"])
def test_a_broken_text_is_refused(text: str) -> None:
    with pytest.raises(BrokenText):
        set_key(text, "b", 1)
    with pytest.raises(BrokenText):
        load_toml(text)


@given(st.permutations(LINES), st.sampled_from(["a", "b", "c", "d", "new"]), VALUES)
def test_comments_and_other_keys_survive(lines: list[str], key: str, value: bool | int | str | list[str]) -> None:
    text = "\n".join(lines) + "\n"
    after = set_key(text, key, value)
    assert tomllib.loads(after) == tomllib.loads(text) | {key: value}
    assert "# a comment\n" in after
    assert "# note\n" in after
    without = unset_key(after, key)
    assert tomllib.loads(without) == {k: v for k, v in tomllib.loads(text).items() if k != key}
    assert "# a comment\n" in without
