"""Which step answers a request: a pure function of script and conversation, so that resumed sessions go on."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from claude_code_mcp.testing import auxiliary
from claude_code_mcp.testing.conversation import Conversation, is_reminder, plan_file, working_directory
from claude_code_mcp.testing.script import PLACEHOLDER, Scenario, Script, Step

MARKER = re.compile(r"\[s:([A-Za-z0-9_-]{1,64})(?::([^\]]*))?\]")
"""`[s:NAME]` or `[s:NAME:ARGUMENT]` in a prompt selects a scenario."""

AUXILIARY = "(auxiliary)"
UNSCRIPTED = "(unscripted)"
_OVER = "Nothing more is scripted here."
_TOLD: Mapping[str, Callable[[bytes], str]] = {"cwd": working_directory, "plan_file": plan_file}


class UnknownScenario(Exception):
    """A marker names a scenario that the script does not have."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The step that answers one request, with what its placeholders stand for."""

    scenario: str
    index: int
    step: Step
    values: "Values"


@dataclass(frozen=True, slots=True)
class _Entry:
    """Where a scenario was entered: by which message, with which argument."""

    name: str
    scenario: Scenario
    at: int
    arg: str
    groups: Mapping[str, str]


class Values:
    """What placeholders stand for in one request; the costly ones are looked up only when a step uses them."""

    def __init__(self, conversation: Conversation, body: bytes, index: int, entry: _Entry | None = None) -> None:
        self._conversation = conversation
        self._body = body
        self._entry = entry
        self._fixed = {"model": conversation.model, "step": str(index + 1), "arg": "", "scenario": ""}
        if entry is not None:
            self._fixed |= {**entry.groups, "arg": entry.arg or entry.scenario.arg, "scenario": entry.name}

    def fill(self, text: str) -> str:
        """Return `text` with its placeholders filled in; those that are unknown stay as they are."""
        return PLACEHOLDER.sub(self._replace, text) if "${" in text else text

    def fill_all(self, value: object) -> object:
        """Return nested lists and mappings with the placeholders in all texts filled in."""
        if isinstance(value, str):
            return self.fill(value)
        if isinstance(value, dict):
            return {key: self.fill_all(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill_all(item) for item in value]
        return value

    def _replace(self, found: re.Match[str]) -> str:
        escape, name = found.groups()
        return f"${{{name}}}" if escape else self._value(name, found[0])

    def _value(self, name: str, unknown: str) -> str:
        if name in self._fixed:
            return self._fixed[name]
        if name in _TOLD:
            return _TOLD[name](self._body)
        if self._entry is None:
            return unknown
        results = self._conversation.results_after(self._entry.at)
        if name == "result":
            return results[-1] if results else ""
        pattern = self._entry.scenario.capture.get(name)
        return unknown if pattern is None else _last_group(pattern, results)


def choose(script: Script, conversation: Conversation, body: bytes) -> Choice:
    """Return the step that answers `conversation`; `body` is the request that it was read from.

    The newest text of the user with a marker (or that a scenario's `match` finds) enters a scenario. From there
    each reply of the model is one step. When the steps are used up, later texts go to the default scenario.

    Raises:
        UnknownScenario: the marker names no scenario of this script.
    """
    if (step := auxiliary.answer(conversation)) is not None:
        return Choice(AUXILIARY, 0, step, Values(conversation, body, 0))
    entry = _entered(script, conversation)
    for candidate in (entry, _by_default(script, conversation, after=-1 if entry is None else entry.at)):
        if candidate is None:
            continue
        index = conversation.replies_after(candidate.at)
        found = candidate.scenario.step(index, candidate.arg)
        if found is not None and (conversation.tools or not found.calls()):
            return Choice(candidate.name, index, found, Values(conversation, body, index, candidate))
    text = _OVER if entry is not None or not conversation.tools else _how_to(script)
    return Choice(UNSCRIPTED, 0, Step(text=text), Values(conversation, body, 0))


def _entered(script: Script, conversation: Conversation) -> _Entry | None:
    for at in range(len(conversation.messages) - 1, -1, -1):
        entry = _by_marker(script, at, conversation) or _by_match(script, at, conversation)
        if entry is not None:
            return entry
    return None


def _by_marker(script: Script, at: int, conversation: Conversation) -> _Entry | None:
    for text in reversed(conversation.marked(at)):
        found = MARKER.findall(text) if "[s:" in text else []
        if not found:
            continue
        name, arg = found[-1]
        if name in script.scenarios:
            return _Entry(name, script.scenarios[name], at, arg, {})
        if not is_reminder(text):
            raise UnknownScenario(f"the script has no scenario {name!r}; it has: {', '.join(script.scenarios)}")
    return None


def _by_match(script: Script, at: int, conversation: Conversation) -> _Entry | None:
    texts: list[str] | None = None
    for name, scenario in script.scenarios.items():
        if scenario.match is None:
            continue
        texts = conversation.heard(at) if texts is None else texts
        for text in reversed(texts):
            if found := re.search(scenario.match, text):
                groups = {str(number): value or "" for number, value in enumerate(found.groups(), 1)}
                return _Entry(name, scenario, at, "", groups | {k: v or "" for k, v in found.groupdict().items()})
    return None


def _by_default(script: Script, conversation: Conversation, after: int) -> _Entry | None:
    if script.default is None:
        return None
    for at in range(len(conversation.messages) - 1, after, -1):
        if conversation.heard(at):
            return _Entry(script.default, script.scenarios[script.default], at, "", {})
    return None


def _last_group(pattern: str, results: list[str]) -> str:
    for text in reversed(results):
        found = list(re.finditer(pattern, text))
        if found:
            return found[-1][1] or ""
    return ""


def _how_to(script: Script) -> str:
    names = ", ".join(script.scenarios)
    return f"This is the scripted model. Put [s:NAME] into the prompt to choose a scenario: {names}."
