"""The OpenAPI document: the catalog once more, for those who generate clients."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.operation import Effect, Operation

Places = Mapping[tuple[Any, JsonSchemaMode], Mapping[str, Any]]
_REF = "#/components/schemas/{model}"
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "remedy", "details"],
            "properties": {
                "code": {"type": "string", "description": "Stable; see the reference of errors."},
                "message": {"type": "string", "description": "What is wrong, with which id."},
                "remedy": {"type": "string", "description": "What to do next."},
                "details": {"type": "object", "description": "The same for programs."},
            },
        }
    },
}


def route(op: Operation) -> str:
    """Return the path of an operation."""
    return f"/api/{op.name.replace('.', '/')}"


def openapi(operations: Mapping[str, Operation], version: str) -> dict[str, Any]:
    """Return the document, OpenAPI 3.1; `operations` by their paths."""
    shapes: list[tuple[type[BaseModel], JsonSchemaMode]] = []
    for op in operations.values():
        shapes.append((op.request, "validation"))
        shapes.append((op.reply, "serialization"))
    places, definitions = models_json_schema(list(dict.fromkeys(shapes)), ref_template=_REF)
    schemas = {**definitions.get("$defs", {}), "Error": _ERROR}
    return {
        "openapi": "3.1.0",
        "info": {"title": "claude-code-mcp", "version": version},
        "security": [{"bearer": []}],
        "paths": {path: _path(op, places, schemas) for path, op in operations.items()},
        "components": {"schemas": schemas, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _path(op: Operation, places: Places, schemas: Mapping[str, Any]) -> dict[str, Any]:
    summary = op.doc.split("\n\n")[0]
    common = {
        "tags": [op.feature],
        "summary": " ".join(summary.split()),
        "description": op.doc,
        "responses": _responses(op, places[op.reply, "serialization"]),
    }
    request = places[op.request, "validation"]
    body = {"required": True, "content": {"application/json": {"schema": request}}}
    methods: dict[str, Any] = {"post": {"operationId": op.name, **common, "requestBody": body}}
    if op.effect is Effect.READ:
        shape = schemas[request["$ref"].rpartition("/")[2]]
        query = [_parameter(op, name, field) for name, field in shape.get("properties", {}).items()]
        methods["get"] = {"operationId": f"{op.name}.get", **common, "parameters": query}
    return methods


def _parameter(op: Operation, name: str, field: Mapping[str, Any]) -> dict[str, Any]:
    required = op.request.model_fields[name].is_required()
    about = field.get("description", "")
    return {"name": name, "in": "query", "required": required, "schema": field, "description": about}


def _responses(op: Operation, reply: Mapping[str, Any]) -> dict[str, Any]:
    said = {
        "type": "object",
        "required": ["reply", "text"],
        "properties": {"reply": reply, "text": {"type": "string", "description": "The same for a person or a model."}},
    }
    found: dict[str, Any] = {"200": _response("The reply.", said)}
    for status, codes in sorted(_errors(op).items()):
        found[str(status)] = _response(", ".join(codes), {"$ref": _REF.format(model="Error")})
    return found


def _errors(op: Operation) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {401: ["token_needed"], 422: ["invalid"]}
    for error in sorted(op.raises, key=_code):
        codes = found.setdefault(error.status, [])
        if error.code not in codes:
            codes.append(error.code)
    return found


def _code(error: type[ClaudeCodeMcpError]) -> str:
    return error.code


def _response(about: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}
