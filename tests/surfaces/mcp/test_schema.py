"""Schemas are as small as they can be without saying less."""

from enum import StrEnum
from typing import Literal, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from claude_code_mcp.kernel.operation import Reply, Request
from claude_code_mcp.surfaces.mcp.schema import arguments_schema, compact_json, result_schema, signature
from tests.surfaces.mcp.library import KeepNote, Note, Nothing


class Level(StrEnum):
    """How loud."""

    LOW = "low"
    HIGH = "high"


class Place(BaseModel):
    """A place on earth."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    street: str
    """The street."""
    title: str = ""
    """The title on the door."""


class Tree(Request):
    children: list["Tree"] = Field(default=[])
    """What grows on it."""


class Everything(Request):
    level: Level = Level.LOW
    """The volume."""
    other: Level
    """Another volume."""
    where: Place | None = None
    """Where it is."""
    mixed: Union[int, str, None] = None  # noqa: UP007 - the older spelling makes the same schema
    kind: Literal["a", "b"] = "a"
    table: dict[str, int] = Field(default={})
    count: int = Field(default=3, ge=1, le=9)


class Far(Reply):
    place: Place
    maybe: int | None
    always: str


def test_a_small_model_is_just_its_fields() -> None:
    assert arguments_schema(KeepNote) == {
        "type": "object",
        "properties": {
            "title": {"type": "string", "description": "How to find it again."},
            "body": {"type": "string", "description": "What it says."},
            "color": {
                "type": "string",
                "enum": ["red", "blue"],
                "default": "blue",
                "description": "Its paper.",
            },
            "tags": {"type": "array", "items": {"type": "string"}, "description": "Words to file it under."},
        },
        "required": ["title"],
    }


def test_nothing_is_still_an_object() -> None:
    assert arguments_schema(Nothing) == {"type": "object", "properties": {}}


def test_definitions_are_inlined_with_the_fields_own_description() -> None:
    properties = arguments_schema(Everything)["properties"]
    assert properties["other"] == {"type": "string", "enum": ["low", "high"], "description": "Another volume."}
    assert properties["where"]["properties"]["title"] == {
        "type": "string",
        "description": "The title on the door.",
    }
    assert properties["where"]["description"] == "Where it is."
    assert properties["mixed"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert properties["table"]["additionalProperties"] == {"type": "integer"}
    assert "$defs" not in arguments_schema(Everything)


def test_a_model_that_holds_itself_keeps_its_reference() -> None:
    schema = arguments_schema(Tree)
    text = compact_json(schema)
    assert text.count('"$ref"') >= 1
    assert "Tree" in schema["$defs"]


def test_a_result_does_not_require_what_may_be_missing() -> None:
    schema = result_schema(Far)
    assert schema["required"] == ["place", "always"]
    assert schema["properties"]["maybe"] == {"type": "integer"}
    assert result_schema(Note)["properties"]["color"]["enum"] == ["red", "blue"]


@pytest.mark.parametrize("model", [KeepNote, Everything, Far, Nothing])
def test_no_schema_says_what_says_nothing(model: type[BaseModel]) -> None:
    text = compact_json(arguments_schema(model))
    for word in (
        '"maxLength":16777216',
        '"title":"',
        '"type":"null"',
        '"additionalProperties":false',
        '"default":null',
    ):
        assert word not in text


def test_a_signature_is_one_line() -> None:
    assert signature(arguments_schema(Everything)) == (
        'level?: low|high = "low", other: low|high, where?: object, mixed?: integer|string, '
        'kind?: a|b = "a", table?: object, count?: integer = 3'
    )


@given(st.fixed_dictionaries({"title": st.text(min_size=1, max_size=20), "body": st.text(max_size=50)}))
def test_what_the_schema_allows_the_model_takes(values: dict[str, str]) -> None:
    required = arguments_schema(KeepNote)["required"]
    assert set(required) <= set(values)
    assert KeepNote.model_validate(values).title == values["title"]
