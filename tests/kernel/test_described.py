"""Fields are described by what stands below them, wherever a schema or a help shows them."""

import subprocess
import sys

from pydantic import Field

from claude_code_mcp.kernel.described import Described, descriptions


class Shape(Described):
    """Has fields of every kind."""

    plain: int
    """Said below,
    on two lines."""
    bare: int = 0
    told: int = Field(default=0, description="Said in the field.")
    """Not shown."""
    named: str = Field(default="", alias="name")
    """Has another name outside."""
    """A second text is none of a field."""

    class Inner(Described):
        """Stands inside."""

        deep: int
        """Said inside."""


class Narrowed(Shape):
    """Says some of it anew."""

    bare: int = 1
    """Said at last."""
    plain: int = 2


def test_a_field_is_described_by_the_docstring_below_it() -> None:
    assert descriptions(Shape) == {
        "plain": "Said below,\non two lines.",
        "told": "Said in the field.",
        "named": "Has another name outside.",
    }
    assert descriptions(Shape.Inner) == {"deep": "Said inside."}


def test_a_field_that_is_declared_anew_is_described_anew() -> None:
    assert descriptions(Narrowed) == {
        "bare": "Said at last.",
        "told": "Said in the field.",
        "named": "Has another name outside.",
    }


def test_a_class_in_a_function_is_described() -> None:
    class Here(Described):
        """Made here."""

        one: int
        """Said here."""

    assert descriptions(Here) == {"one": "Said here."}


def test_a_schema_has_the_descriptions_by_the_names_that_it_shows() -> None:
    properties = Shape.model_json_schema()["properties"]
    assert {name: field.get("description") for name, field in properties.items()} == {
        "plain": "Said below,\non two lines.",
        "bare": None,
        "told": "Said in the field.",
        "name": "Has another name outside.",
    }


def test_without_the_source_there_are_no_descriptions() -> None:
    code = (
        "from claude_code_mcp.kernel.described import Described, descriptions\n"
        "exec('class Made(Described):\\n    one: int\\n    \"Said.\"')\n"
        "print(descriptions(Made), Made.model_json_schema()['properties'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "{} {'one': {'title': 'One', 'type': 'integer'}}"


def test_importing_models_reads_no_source() -> None:
    code = "import linecache, sys\nimport claude_code_mcp.catalog\nprint([n for n in linecache.cache if 'models' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
