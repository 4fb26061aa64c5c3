"""A script: scenarios of steps, each one reply of the model. These models are the only declaration of it."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

PLACEHOLDER = re.compile(r"\$(\$?)\{([A-Za-z0-9_]+)\}")
"""`${name}` is filled in when the step is played, `$${name}` is a literal `${name}`."""

PLACEHOLDERS = frozenset({"cwd", "arg", "model", "scenario", "step", "result", "plan_file"})
"""The placeholders that every scenario knows: see `selection.Values`."""

SCENARIO_NAME = r"^[A-Za-z0-9_-]{1,64}$"
_FROM_MARKER = "${arg}"
_MAX_TEXT = 64 * 1024 * 1024

StopReason = Literal[
    "end_turn", "tool_use", "max_tokens", "stop_sequence", "refusal", "pause_turn", "model_context_window_exceeded"
]


def _regex(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as exc:
        raise ValueError(f"{pattern!r} is not a regular expression: {exc}") from None
    return pattern


def _capturing(pattern: str) -> str:
    if re.compile(_regex(pattern)).groups < 1:
        raise ValueError(f"{pattern!r} needs one group (...) around what is to be kept")
    return pattern


Regex = Annotated[str, AfterValidator(_regex)]
Capture = Annotated[str, AfterValidator(_capturing)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)


def _also(schema: JsonSchemaValue, *shorts: JsonSchemaValue) -> JsonSchemaValue:
    """Return a schema that admits the short forms too."""
    return {"anyOf": [*shorts, schema]}


def _or_mapping(schema: JsonSchemaValue) -> None:
    """Let a list of one-key mappings be one mapping too."""
    schema["anyOf"] = [{"type": schema.pop("type"), "items": schema.pop("items")}, {"type": "object"}]


class Usage(_Part):
    """The token counts that a reply reports."""

    input_tokens: int = Field(default=100, ge=0)
    """Tokens of the prompt that no cache held."""
    output_tokens: int = Field(default=20, ge=0)
    """Tokens of the reply."""
    cache_creation_input_tokens: int = Field(default=10, ge=0)
    """Tokens written to the prompt cache."""
    cache_read_input_tokens: int = Field(default=200, ge=0)
    """Tokens read from the prompt cache."""


class Failure(_Part):
    """An API error instead of a reply. Short form: the status alone."""

    status: int = Field(ge=400, le=599)
    """HTTP status: 400, 401, 403, 404, 413, 429, 500, 529 …"""
    type: str | None = None
    """The API's error type; by default the one that belongs to the status."""
    message: str | None = None
    """The error's text."""
    times: int | None = Field(default=None, ge=1)
    """How often the error comes before the step's content is given; by default always."""
    retry_after_s: int | None = Field(default=None, ge=0)
    """Sent as the header `retry-after`, in seconds."""
    model: str | None = None
    """Only requests for a model whose name contains this fail."""
    in_stream: bool = False
    """Answer 200 and send the error as an event within the stream, after the step's text."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"status": value} if isinstance(value, int) and not isinstance(value, bool) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _also(handler(core), {"type": "integer", "minimum": 400, "maximum": 599})


class RateLimit(_Part):
    """The `anthropic-ratelimit-unified-*` headers of a reply; Claude Code reads them only with an OAuth login."""

    status: Literal["allowed", "allowed_warning", "rejected"] = "allowed_warning"
    """What the limit says about this request."""
    claim: str = "five_hour"
    """Which window is meant: `five_hour`, `seven_day` …"""
    utilization: float = Field(default=0.92, ge=0)
    """Used part of the window, 1.0 = all."""
    resets_at: int = Field(default=1_900_000_000, ge=0)
    """When the window starts anew, in unix seconds."""


_MAIN_ARGUMENT = {
    "Bash": "command",
    "Read": "file_path",
    "Glob": "pattern",
    "Grep": "pattern",
    "Skill": "skill",
    "WebFetch": "url",
}


class ToolCall(_Part):
    """One tool call, written `{Name: {argument: value}}`; for a few tools `{Bash: "ls"}` says enough."""

    name: str = Field(min_length=1)
    """The tool: `Bash`, `Write`, `mcp__server__tool` …"""
    input: dict[str, Any] = Field(default_factory=dict)
    """Its arguments, passed on as they are but for the placeholders in texts."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if not isinstance(value, dict) or len(value) != 1 or "name" in value:
            return value
        ((name, given),) = value.items()
        if isinstance(given, str):
            if name not in _MAIN_ARGUMENT:
                raise ValueError(f"{name} has no short form; write {{{name}: {{argument: value}}}}")
            given = {_MAIN_ARGUMENT[name]: given}
        if name == "Bash" and isinstance(given, dict):
            given = {"description": "Run a command", **given}
        return {"name": name, "input": {} if given is None else given}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        arguments: JsonSchemaValue = {"type": ["object", "string", "null"]}
        short = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": arguments}
        return _also(handler(core), short)


class AgentCall(_Part):
    """A subagent. Its prompt carries the marker of the scenario that the subagent plays."""

    scenario: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}(:[^\]]*)?$")
    """The scenario that the subagent plays (`name` or `name:argument`)."""
    prompt: str = "Do your part."
    """What the subagent is told; the scenario's marker is put before it."""
    description: str = "Delegated work"
    """Three to five words for the display."""
    type: str = "general-purpose"
    """The agent's name: `general-purpose`, `Explore`, one of your own …"""
    background: bool | None = None
    """True: in the background, false: in the turn; without it Claude Code decides (2.1.327: in the background)."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"scenario": value} if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _also(handler(core), {"type": "string"})

    def call(self) -> ToolCall:
        """Return the call of the Agent tool that starts this subagent."""
        prompt = f"[s:{self.scenario}] {self.prompt}" if self.scenario else self.prompt
        given: dict[str, Any] = {"description": self.description, "prompt": prompt, "subagent_type": self.type}
        if self.background is not None:
            given["run_in_background"] = self.background
        return ToolCall(name="Agent", input=given)


class Step(_Part):
    """One reply of the model: thinking, then text, then tool calls and subagents. Short form: the text alone."""

    thinking: str = ""
    """A thinking block before the text."""
    text: str = ""
    """What the model says."""
    repeat: int = Field(default=1, ge=1)
    """The text is said this many times in a row: for huge texts."""
    tools: list[ToolCall] = Field(default_factory=list, json_schema_extra=_or_mapping)
    """Tool calls of this reply, all in one message (parallel calls)."""
    agents: list[AgentCall] = Field(default_factory=list)
    """Subagents that this reply starts, after the tools."""
    delay_s: float = Field(default=0, ge=0, le=3600)
    """Seconds before the first token."""
    token_delay_s: float = Field(default=0, ge=0, le=3600)
    """Seconds before each word of thinking and text."""
    gate: str = ""
    """Name of a gate at which the reply waits before its first token, until it is released."""
    gate_within: str = ""
    """Name of a gate at which the reply waits in the middle: after the first word of its text."""
    error: Failure | None = None
    """An API error, always or some times before the content."""
    cut: bool | int = Field(default=False, ge=0)
    """The connection breaks after the text, before the message is complete: always, or so many times."""
    stop_reason: StopReason | None = None
    """Why the reply ends; by default `tool_use` with tool calls and `end_turn` without."""
    usage: Usage = Usage()
    """Token counts."""
    rate_limit: RateLimit | None = None
    """Rate-limit headers."""
    headers: dict[str, str] = Field(default_factory=dict)
    """More response headers."""
    times: int | Literal["${arg}"] = 1
    """The step is played this many times, one reply each; `${arg}` takes the number from the marker."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, str):
            return {"text": value}
        if isinstance(value, dict) and isinstance(value.get("tools"), dict):
            return {**value, "tools": [{name: given} for name, given in value["tools"].items()]}
        return value

    @field_validator("times", mode="before")
    @classmethod
    def _count(cls, value: object) -> object:
        if value != _FROM_MARKER and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise ValueError(f"give a number from 1 on, or {_FROM_MARKER}")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if len(self.text.encode()) * self.repeat > _MAX_TEXT:
            raise ValueError(f"text times repeat is more than {_MAX_TEXT // 1024**2} MB")
        if not (self.thinking or self.text or self.calls() or self.error or self.stop_reason or self.cut):
            raise ValueError("the step says nothing: give it text, thinking, tools, agents, error or stop_reason")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return _also(handler(core), {"type": "string"})

    def calls(self) -> list[ToolCall]:
        """Return all tool calls of the reply, subagents last."""
        return [*self.tools, *(agent.call() for agent in self.agents)]

    def placeholders(self) -> list[tuple[str, str]]:
        """Return all placeholders in the step's texts, each as the field that holds it and its name."""
        texts = [(field, getattr(self, field)) for field in ("thinking", "text", "gate", "gate_within")]
        texts += [(f"tools.{call.name}", text) for call in self.tools for text in (call.name, *strings(call.input))]
        texts += [("agents", agent.call().input["prompt"]) for agent in self.agents]
        return [(field, name) for field, text in texts for escape, name in PLACEHOLDER.findall(text) if not escape]


class Scenario(_Part):
    """What the model does from one marker on: one step for each reply. Short form: the list of steps."""

    about: str = ""
    """One sentence for listings."""
    match: Regex | None = None
    """The scenario is also taken when this is found in the user's text; its groups are placeholders (`${1}`)."""
    arg: str = ""
    """What `${arg}` is when the marker has none."""
    capture: dict[str, Capture] = Field(default_factory=dict)
    """Placeholder name to regular expression: its first group, last found in the tool results of this scenario."""
    steps: list[Step] = Field(min_length=1)
    """The replies in their order."""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        if isinstance(value, str):
            return {"steps": [value]}
        return {"steps": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler.resolve_ref_schema(handler(core))
        return _also(schema, schema["properties"]["steps"], {"type": "string"})

    def known(self) -> frozenset[str]:
        """Return the placeholders that may stand in this scenario."""
        pattern = re.compile(self.match or "")
        groups = {str(number) for number in range(1, pattern.groups + 1)} | set(pattern.groupindex)
        return PLACEHOLDERS | groups | set(self.capture)

    def step(self, index: int, arg: str) -> Step | None:
        """Return the step that gives reply `index` (from 0), or None when the scenario is over."""
        for step in self.steps:
            times = step.times if isinstance(step.times, int) else _number(arg or self.arg)
            if index < times:
                return step
            index -= times
        return None


class Script(_Part):
    """All that a scripted model can say."""

    default: str | None = None
    """The scenario for prompts that select none."""
    scenarios: dict[Annotated[str, Field(pattern=SCENARIO_NAME)], Scenario] = Field(min_length=1)
    """Scenarios by name; a prompt selects one with `[s:NAME]` or `[s:NAME:ARGUMENT]`."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.default is not None and self.default not in self.scenarios:
            raise ValueError(f"field default: there is no scenario {self.default!r}")
        for name, scenario in self.scenarios.items():
            for number, step in enumerate(scenario.steps, 1):
                where = f"scenario {name!r}, step {number}"
                _check_placeholders(where, step, scenario)
                _check_agents(where, step, self.scenarios)
        return self

    def extended(self, other: "Script") -> "Script":
        """Return this script with the scenarios of `other` added; on equal names `other` wins."""
        return Script(default=other.default or self.default, scenarios={**self.scenarios, **other.scenarios})


def strings(value: object) -> Iterator[str]:
    """Yield every text in nested lists and mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 1


def _check_placeholders(where: str, step: Step, scenario: Scenario) -> None:
    known = scenario.known()
    for field, name in step.placeholders():
        if name not in known:
            raise ValueError(
                f"{where}, field {field}: ${{{name}}} is not a placeholder "
                f"(known: {', '.join(sorted(known))}); a literal one is $${{{name}}}"
            )


def _check_agents(where: str, step: Step, scenarios: dict[str, Scenario]) -> None:
    for agent in step.agents:
        target = (agent.scenario or "").split(":")[0]
        if target and target not in scenarios:
            raise ValueError(f"{where}, field agents: there is no scenario {target!r}")
