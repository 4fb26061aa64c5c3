"""One request to the Messages API, read as far as a script needs it: who said what, in which order."""

import json
import re
from collections.abc import Iterator

import msgspec

_STEERED = "The user sent a new message while you were working:"
"""How Claude Code 2.1.327 hands over a message that the user sent during a turn: as a `system` message."""
_REMINDER = "<system-reminder>"
_SIDE_QUESTION = "This is a side question from the user"
_CWD = (
    re.compile(rb'Primary working directory: ((?:[^"\\]|\\[^n])+)'),
    re.compile(rb'Working directory: ((?:[^"\\]|\\[^n])+)'),
)
_PLAN_FILE = re.compile(rb'(?:create your plan at|plan file already exists at) ((?:[^"\\]|\\[^n])+?\.md)')


class Block(msgspec.Struct):
    """One content block; only what scripts look at."""

    type: str = ""
    text: str = ""
    content: msgspec.Raw = msgspec.Raw(b"")


class Message(msgspec.Struct):
    """One message of the conversation."""

    role: str
    content: str | list[Block]

    def texts(self) -> list[str]:
        """Return the texts of the message in their order."""
        if isinstance(self.content, str):
            return [self.content]
        return [block.text for block in self.content if block.type == "text"]

    def results(self) -> list[str]:
        """Return the tool results in the message as text."""
        if isinstance(self.content, str):
            return []
        found = (block.content for block in self.content if block.type == "tool_result" and block.content)
        return [_plain(raw) for raw in found]


class Tool(msgspec.Struct):
    """A tool that the model may call."""

    name: str = ""


class Format(msgspec.Struct):
    """The form of answer that is asked for."""

    type: str = ""
    schema: dict[str, object] = {}


class OutputConfig(msgspec.Struct):
    """What the answer must look like."""

    format: Format | None = None


class Conversation(msgspec.Struct):
    """The body of a request. Unknown fields are skipped, so a newer CLI does not break a script."""

    model: str
    messages: list[Message]
    stream: bool = False
    tools: list[Tool] = []
    system: msgspec.Raw = msgspec.Raw(b'""')
    output_config: OutputConfig | None = None

    def heard(self, index: int) -> list[str]:
        """Return what the user said in message `index`, without the reminders that Claude Code adds."""
        message = self.messages[index]
        if message.role == "user":
            return [text for text in message.texts() if not is_reminder(text)]
        if message.role == "system":
            return [text for text in message.texts() if text.startswith(_STEERED)]
        return []

    def marked(self, index: int) -> list[str]:
        """Return the texts of message `index` in which a marker counts: reminders too, as CLAUDE.md is one."""
        message = self.messages[index]
        return message.texts() if message.role == "user" else self.heard(index)

    def replies_after(self, index: int) -> int:
        """Return how often the model has answered since message `index`."""
        return sum(message.role == "assistant" for message in self.messages[index + 1 :])

    def results_after(self, index: int) -> list[str]:
        """Return the tool results since message `index` as texts."""
        return [text for message in self.messages[index + 1 :] for text in message.results()]

    @property
    def last_user_texts(self) -> list[str]:
        """All texts of the newest message of the user, reminders included."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.texts()
        return []

    @property
    def is_side_question(self) -> bool:
        """Whether this is a question beside the conversation (`side_question`, `/btw`)."""
        return any(_SIDE_QUESTION in text[:200] for text in self.last_user_texts)

    @property
    def wants_summary(self) -> bool:
        """Whether the conversation is to be summed up (compaction)."""
        return any("<analysis>" in text and "<summary>" in text for text in self.last_user_texts)

    @property
    def wanted_schema(self) -> dict[str, object] | None:
        """The JSON schema of the wanted answer where no tools are offered: titles, names, classifications."""
        config = self.output_config
        if self.tools or config is None or config.format is None or config.format.type != "json_schema":
            return None
        return config.format.schema


_DECODER = msgspec.json.Decoder(Conversation)


def read(body: bytes) -> Conversation:
    """Return the conversation in the JSON `body` of a request.

    Raises:
        ValueError: it is not JSON, or not a Messages API request.
    """
    try:
        conversation = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise ValueError(str(exc)) from None
    if not conversation.messages:
        raise ValueError("messages: at least one message is required")
    return conversation


def is_reminder(text: str) -> bool:
    """Tell whether Claude Code added `text` to what the user said: CLAUDE.md, the state of git, notices."""
    return text.lstrip().startswith(_REMINDER)


def working_directory(body: bytes) -> str:
    """Return the directory that Claude Code works in, as the request's environment text tells it, else `.`."""
    return _told(body, *_CWD) or "."


def plan_file(body: bytes) -> str:
    """Return the file that Claude Code wants the plan in while it is in plan mode, else `plan.md`."""
    return _told(body, _PLAN_FILE) or "plan.md"


def _told(body: bytes, *patterns: re.Pattern[bytes]) -> str:
    """Return the first group of the first pattern found in the JSON text `body`, or nothing."""
    for pattern in patterns:
        if found := pattern.search(body):
            return str(json.loads(b'"' + found[1] + b'"')).strip()
    return ""


def _plain(raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    return "\n".join(_texts(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and isinstance(item.get("text"), str):
                yield item["text"]
