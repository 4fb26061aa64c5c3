"""What strangers write cannot act on the screen of whoever reads it."""

import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.display import escaped_json, one_line, visible

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
HOSTILE = st.text(
    alphabet=st.sampled_from(
        "ab \n\t\r\x00\x07\x1b\x7f\x80\x9b\u200e\u202e\u2066\u2028\ufeff\ud800\udfff\u200d\U000e0041"
    )
)
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def acts(char: str) -> bool:
    control = unicodedata.category(char) in {"Cc", "Zl", "Zp"} and char not in "\n\t"
    return control or unicodedata.bidirectional(char) in BIDI or unicodedata.category(char) == "Cs"


@given(ANY_TEXT | HOSTILE)
def test_nothing_visible_can_act_on_a_terminal(text: str) -> None:
    assert not [char for char in visible(text) if acts(char)]


@given(ANY_TEXT | HOSTILE)
def test_visible_text_can_be_written_as_utf8_and_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert shown.encode().decode() == shown


@given(ANY_TEXT | HOSTILE, st.integers(1, 60))
def test_one_line_is_one_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert not any(acts(char) or char in "\n\t" for char in line)


@given(st.recursive(ANY_TEXT | HOSTILE, lambda inner: st.dictionaries(HOSTILE, inner, max_size=3), max_leaves=5))
def test_escaped_json_means_the_same_and_obeys_nothing(value: object) -> None:
    shown = escaped_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(shown) == json.loads(json.dumps(value))
    assert not [char for char in shown if acts(char)]


def test_controls_are_named_and_ordinary_text_is_left_alone() -> None:
    assert visible("\x1b[31mred\x07\r\nnext\tcell") == "␛[31mred␇\nnext\tcell"
    assert visible("over\rwritten \x9b2J \u202etxt.exe \ud800") == "over␍written <U+009B>2J <U+202E>txt.exe \ufffd"
    assert visible("hidden\U000e0041 zero\u200bwidth") == "hidden<U+E0041> zero<U+200B>width"
    assert visible("नमस्ते 👩\u200d💻 日本語 שלום é") == "नमस्ते 👩\u200d💻 日本語 שלום é"


def test_a_cut_line_says_so() -> None:
    assert one_line("  a\n  b  ", 10) == "a b"
    assert one_line("abcdefgh", 5) == "abcd…"
    assert one_line(" " * 10_000_000 + "x", 20) == "…"
