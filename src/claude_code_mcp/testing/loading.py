"""Reading a script from YAML or from plain data, and saying in one sentence what is wrong with it."""

from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from claude_code_mcp.testing.errors import ScriptInvalid, ScriptNotFound
from claude_code_mcp.testing.script import AgentCall, Failure, RateLimit, Scenario, Script, Step, Usage

BUILTIN = "builtin"
DEMO = "demo"
_FIELDS = tuple(
    name for part in (Script, Scenario, Step, AgentCall, Failure, RateLimit, Usage) for name in part.model_fields
)
_REMEDY = "docs/how-to/scripted-model.md describes the format; `claude-code-mcp scripted-model --schema` prints it."


def builtin_script() -> Script:
    """Return the library of ready scenarios (`scripts/builtin.yaml`), one for each thing that a session can do."""
    return _packaged(BUILTIN)


def demo_script() -> Script:
    """Return the script of `claude-code-mcp demo`: every prompt plays one short session."""
    return _packaged(DEMO)


def load_script(source: str | Path) -> Script:
    """Return the script in the YAML file `source`, or the packaged one when `source` is `builtin` or `demo`.

    Raises:
        ScriptNotFound: there is no such file.
        ScriptInvalid: it is not YAML or does not fit the format.
    """
    if source in (BUILTIN, DEMO):
        return _packaged(str(source))
    path = Path(source)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as exc:
        raise ScriptInvalid(f"Script {path.name}: it is not UTF-8 text: {exc.reason}.", remedy=_REMEDY) from None
    except OSError as exc:
        raise ScriptNotFound(
            f"The script {str(path)!r} cannot be read: {exc.strerror}.",
            remedy=f"Give a YAML file, or one of the packaged scripts: {BUILTIN}, {DEMO}.",
        ) from None
    return parse_script(text, name=path.name)


def parse_script(text: str, *, name: str = "script") -> Script:
    """Return the script in the YAML document `text`; `name` stands in error messages.

    Raises:
        ScriptInvalid: it is not YAML or does not fit the format.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of the safe loader
    except yaml.YAMLError as exc:
        raise ScriptInvalid(f"Script {name}: {_yaml_problem(exc)}.", remedy=_REMEDY) from None
    return to_script(data, name=name)


def to_script(data: object, *, name: str = "script") -> Script:
    """Return the script that plain data describes: `{"scenarios": {"hi": ["Hello."]}}`.

    Raises:
        ScriptInvalid: it does not fit the format.
    """
    if not isinstance(data, Mapping):
        raise ScriptInvalid(f"Script {name}: it must be a mapping with the key `scenarios`.", remedy=_REMEDY)
    try:
        return Script.model_validate(data)
    except ValidationError as exc:
        problems = [_problem(error["loc"], _wording(error)) for error in exc.errors(include_url=False)]
        more = f" ({len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ScriptInvalid(f"Script {name}: {problems[0]}{more}.", remedy=_REMEDY, problems=problems) from None


def script_schema() -> dict[str, Any]:
    """Return the JSON schema of a script, for editors."""
    return Script.model_json_schema()


def _packaged(name: str) -> Script:
    text = resources.files("claude_code_mcp.testing").joinpath("scripts", f"{name}.yaml").read_text("utf-8")
    return parse_script(text, name=f"{name}.yaml")


class _Loader(yaml.SafeLoader):
    """The safe loader, but a key that stands twice in one mapping is an error instead of a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _yaml_problem(exc: yaml.YAMLError) -> str:
    if isinstance(exc, yaml.MarkedYAMLError) and exc.problem_mark is not None:
        mark = exc.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {exc.problem}"
    return f"not YAML: {exc}"


def _wording(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            near = get_close_matches(str(error["loc"][-1]), _FIELDS, n=1)
            return "there is no such field" + (f"; {near[0]} is meant?" if near else "")
        case "missing":
            return "it is missing"
        case "model_type" | "model_attributes_type":
            return "a mapping is expected here"
        case _:
            return error["msg"].removeprefix("Value error, ").removeprefix("Input ")


def _problem(loc: tuple[int | str, ...], message: str) -> str:
    """Say `scenario 'fix', step 2, tools.0: …` for the place `("scenarios", "fix", "steps", 1, "tools", 0)`."""
    rest = list(loc)
    where: list[str] = []
    if len(rest) > 1 and rest[0] == "scenarios":
        where.append(f"scenario {rest[1]!r}")
        rest = rest[2:]
        if len(rest) > 1 and rest[0] == "steps" and isinstance(rest[1], int):
            where.append(f"step {rest[1] + 1}")
            rest = rest[2:]
    if rest:
        where.append("field " + ".".join(str(part) for part in rest))
    return ": ".join(part for part in (", ".join(where), message.rstrip(".")) if part)
