import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.text_block import remove_block, set_block


@given(st.text(st.sampled_from("ab #\n"), max_size=30).map(lambda text: f"{text}\n"), st.text("cd\n", max_size=9))
def test_a_block_comes_and_goes_without_a_trace(text: str, body: str) -> None:
    after = set_block(text, "ours", body)
    assert after.startswith(text)
    assert set_block(after, "ours", body) == after
    assert remove_block(after, "ours") == text


def test_a_block_is_replaced_where_it_stands() -> None:
    text = "a\n# >>> ours >>>\nold\n# <<< ours <<<\nb"
    assert set_block(text, "ours", "new\nlines\n") == "a\n# >>> ours >>>\nnew\nlines\n# <<< ours <<<\nb"


def test_a_last_line_without_newline_gets_one() -> None:
    assert set_block("a", "ours", "x", comment="//") == "a\n// >>> ours >>>\nx\n// <<< ours <<<\n"


@pytest.mark.parametrize(
    "text",
    [
        "# >>> ours >>>\n",
        "# <<< ours <<<\n",
        "# <<< ours <<<\n# >>> ours >>>\n",
        "# >>> ours >>>\n" * 2 + "# <<< ours <<<",
    ],
)
def test_markers_without_partner_are_refused(text: str) -> None:
    with pytest.raises(BrokenText):
        set_block(text, "ours", "x")
    with pytest.raises(BrokenText):
        remove_block(text, "ours")
