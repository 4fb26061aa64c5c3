"""The list of requirements is whole and true: no id twice, no test that is not there, no page that is stale."""

import re
from pathlib import Path

import pytest

from tests.requirements import PARTS, Requirement
from tests.requirements.found import TESTS, found_tests
from tests.requirements.page import page, shown_by

EVERY = [one for part in PARTS for one in part.requirements]
NODES = {test.node for test in found_tests()}
PAGE = Path(__file__).parents[2] / "docs" / "requirements.md"


def test_every_requirement_has_an_id_of_its_own() -> None:
    ids = [one.id for one in EVERY]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"(S[2-5]|D[1-3])\.[a-z]+(\.[a-z0-9]+)?", name)] == []


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one.id)
def test_it_is_shown_or_says_why_not(one: Requirement) -> None:
    assert shown_by(one) or one.gap or one.later
    missing = [test for test in one.tests if test not in NODES and not ("::" not in test and (TESTS / test).exists())]
    assert missing == []


def test_every_requirement_that_a_test_names_is_one() -> None:
    known = {one.id for one in EVERY}
    assert {(test.node, name) for test in found_tests() for name in test.names if name not in known} == set()


def test_the_committed_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `make docs` and read the diff"
