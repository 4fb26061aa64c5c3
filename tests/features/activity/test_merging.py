"""The rule of which source is believed is written down for people too, and the two agree."""

from pathlib import Path

import pytest

from claude_code_mcp.features.activity.rules.merging import RULES, SOURCES, names_of, ranks_of
from claude_code_mcp.kernel.events import Source

PAGE = Path(__file__).parents[3] / "docs" / "explanations" / "activity-tree.md"


@pytest.mark.parametrize("name", RULES)
def test_each_rule_stands_on_the_page_as_it_is(name: str) -> None:
    rule = RULES[name]
    assert f"| `{name}` | {', '.join(rule.order)} | {rule.tie} | {rule.why} |" in PAGE.read_text()


def test_every_rule_has_a_word_about_every_source() -> None:
    assert {source.value for source in Source} == set(SOURCES)
    assert all(set(rule.order) == set(SOURCES) for rule in RULES.values())


def test_ranks_follow_the_rules_and_an_unknown_source_is_believed_least() -> None:
    assert ranks_of("stream").call_end > ranks_of("transcript").call_end > ranks_of("hook").call_end
    assert ranks_of("hook").call_ran > ranks_of("stream").call_ran
    assert ranks_of("rumour").call_start == 0
    assert names_of(ranks_of("hook").bit | ranks_of("stream").bit) == ["stream", "hook"]
    assert names_of(ranks_of("rumour").bit) == []
