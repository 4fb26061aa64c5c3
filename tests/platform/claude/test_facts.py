"""The vocabulary of facts: complete, documented, and named alike."""

import re

import msgspec
import pytest

from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.platform.claude import facts
from claude_code_mcp.platform.claude.facts import FACTS, TRANSIENT, ModelUsage, TurnFinished, Usage

_EACH = pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.kind)


@_EACH
def test_a_fact_is_documented_field_by_field(fact: type[Fact]) -> None:
    assert fact.__doc__
    text = fact.__doc__ + (re.sub(r"\s+", " ", __import__(fact.__module__, fromlist=["x"]).__doc__ or ""))
    for field in msgspec.structs.fields(fact):
        assert f"`{field.name}`" in text, f"{fact.__name__}.{field.name}"


@_EACH
def test_a_kind_is_a_noun_and_what_happened_to_it(fact: type[Fact]) -> None:
    assert re.fullmatch(r"[a-z_]+\.[a-z_]+", fact.kind)


def test_kinds_are_unique_and_all_facts_are_listed() -> None:
    assert len({fact.kind for fact in FACTS}) == len(FACTS)
    named = {value for value in vars(facts).values() if isinstance(value, type) and issubclass(value, Fact)}
    assert named - {Fact} == set(FACTS)
    assert {fact.kind for fact in FACTS} >= TRANSIENT


def test_a_fact_keeps_only_what_it_says_and_comes_back_whole() -> None:
    turn = TurnFinished(turn=1, ok=True, usage=Usage(input_tokens=5), models={"m": ModelUsage(cost_microusd=7)})
    stored = msgspec.json.encode(turn)
    assert stored == b'{"turn":1,"ok":true,"usage":{"input_tokens":5},"models":{"m":{"cost_microusd":7}}}'
    assert msgspec.json.decode(stored, type=TurnFinished) == turn
