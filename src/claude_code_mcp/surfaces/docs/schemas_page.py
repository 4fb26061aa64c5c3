"""`schemas.md`: the JSON schemas of the documents that the program writes for others to keep."""

import json
from collections.abc import Iterator
from typing import Any

from claude_code_mcp.kernel.operation import Document
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import cell, fenced, page

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_INTRO = """What exports look like, as JSON schemas (draft 2020-12). Each names its version at its end. The number
grows when a field changes its meaning or goes; new fields and new kinds may come without it, so a reader should pass
over what it does not know."""


def schemas_page(declared: Declared) -> str:
    """Return the page."""
    return page("Schemas", _INTRO, *(list(_document(document)) for document in declared.documents))


def _document(document: type[Document]) -> Iterator[str]:
    yield from (f"## {document.schema_id}", "", cell(document.__doc__ or ""), "")
    yield from fenced(json.dumps(json_schema(document), indent=2, ensure_ascii=False), "json")


def json_schema(document: type[Document]) -> dict[str, Any]:
    """Return the schema of a document as it is published."""
    return {
        "$schema": DIALECT,
        "$id": f"urn:{document.schema_id.replace('/', ':')}",
        **document.model_json_schema(mode="serialization"),
    }
