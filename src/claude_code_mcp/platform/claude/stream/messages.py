"""Lines of the conversation: what was said and thought, tools called, tools answered."""

from typing import Any

from claude_code_mcp.platform.claude.bounds import BODY_BYTES, TEXT_BYTES, bounded, clip
from claude_code_mcp.platform.claude.facts import MessageSaid, TextStreamed, ThinkingFinished, ToolStarted
from claude_code_mcp.platform.claude.fields import dict_of, dicts_of, id_of, int_of, text_of, word_of, words_of
from claude_code_mcp.platform.claude.stream.results import tool_result
from claude_code_mcp.platform.claude.stream.state import Line, OpenTool, added
from claude_code_mcp.platform.claude.stream.unknown import unknown_part
from claude_code_mcp.platform.claude.summaries import mcp_parts, summary

_MARKUP = ("<local-command-stdout>", "<local-command-stderr>")
_SYNTHETIC_MODEL = "<synthetic>"


def assistant(line: Line) -> None:
    """Take what the model said, thought, or called; a line has one content block, but may have any number."""
    message = dict_of(line.obj, "message")
    content = message.get("content")
    if isinstance(content, str):
        _said(line, message, content, ())
        return
    for block in dicts_of(message, "content"):
        kind = text_of(block, "type")
        if kind == "text":
            _said(line, message, text_of(block, "text"), ())
        elif kind == "thinking":
            _thought(line, message, text_of(block, "thinking"), redacted=False)
        elif kind == "redacted_thinking":
            _thought(line, message, "", redacted=True)
        elif kind.endswith("tool_use"):
            _called(line, message, block)
        elif kind.endswith("tool_result"):
            tool_result(line, block)
        else:
            unknown_part(line, "assistant", kind, block)


def user(line: Line) -> None:
    """Take what tools answered and what a user said; Claude Code speaks as the user too."""
    message = dict_of(line.obj, "message")
    content = message.get("content")
    if isinstance(content, str):
        _said(line, message, content, ())
        return
    texts: list[str] = []
    attachments: list[str] = []
    for block in dicts_of(message, "content"):
        kind = text_of(block, "type")
        if kind == "tool_result":
            tool_result(line, block)
        elif kind == "text":
            texts.append(text_of(block, "text"))
        elif kind in ("image", "document"):
            attachments.append(word_of(dict_of(block, "source"), "media_type") or kind)
        else:
            unknown_part(line, "user", kind, block)
    if texts or attachments:
        _said(line, message, "\n".join(texts), tuple(attachments))


def partial(line: Line) -> None:
    """Take a piece of an answer in the making; its other steps (start, stop, usage) say nothing new."""
    event = dict_of(line.obj, "event")
    delta = dict_of(event, "delta")
    kind = text_of(delta, "type")
    if kind == "text_delta":
        channel, text = "text", text_of(delta, "text")
    elif kind == "thinking_delta":
        channel, text = "thinking", text_of(delta, "thinking")
    elif kind == "input_json_delta":
        channel, text = "input", text_of(delta, "partial_json")
    else:
        return
    message_id = word_of(line.obj, "api_message_id")
    shown, _ = clip(text, BODY_BYTES)
    block = int_of(event, "index") or 0
    line.emit(TextStreamed(channel=channel, text=shown, block=block, message_id=message_id), message_id)


def _said(line: Line, message: dict[str, Any], text: str, attachments: tuple[str, ...]) -> None:
    obj = line.obj
    role = "assistant" if obj.get("type") == "assistant" else "user"
    model = word_of(message, "model")
    command = "local_command_source" in obj or text.startswith(_MARKUP)
    echo = obj.get("isReplay") is True
    # What a person sends comes back as an echo, and a subagent is told its task under its call; any other words of
    # the "user" are Claude Code's own ("[Request interrupted by user]", the summary after a compaction).
    own_words = role == "user" and not echo and id_of(obj, "parent_tool_use_id") is None
    shown, size = clip(text, TEXT_BYTES)
    fact = MessageSaid(
        role=role,
        text=shown,
        text_bytes=size,
        message_id=word_of(message, "id") if role == "assistant" else "",
        model="" if model == _SYNTHETIC_MODEL else model,
        echo=echo and not command,
        synthetic=own_words or command or obj.get("isSynthetic") is True or model == _SYNTHETIC_MODEL,
        local_command=command,
        answers=words_of(obj, "user_message_uuids") if role == "assistant" else (),
        attachments=attachments,
        aborted=obj.get("aborted") is True,
        error=word_of(obj, "error"),
        error_status=int_of(obj, "api_error_status"),
    )
    line.emit(fact, word_of(obj, "uuid"))


def _thought(line: Line, message: dict[str, Any], text: str, *, redacted: bool) -> None:
    shown, size = clip(text, TEXT_BYTES)
    fact = ThinkingFinished(
        text=shown,
        text_bytes=size,
        duration_ms=int_of(line.obj, "thinking_duration_ms"),
        redacted=redacted,
        message_id=word_of(message, "id"),
    )
    line.emit(fact, word_of(line.obj, "uuid"))


def _called(line: Line, message: dict[str, Any], block: dict[str, Any]) -> None:
    tool_use_id = id_of(block, "id")
    name = word_of(block, "name")
    if tool_use_id is None or not name:
        unknown_part(line, "assistant", "tool_use", block)
        return
    server, tool = mcp_parts(name)
    arguments, size = bounded(block.get("input"), BODY_BYTES)
    fact = ToolStarted(
        name=name,
        summary=summary(name, block.get("input")),
        input=arguments,
        input_bytes=size,
        mcp_server=server,
        mcp_tool=tool,
        message_id=word_of(message, "id"),
    )
    opened = OpenTool(
        name=name,
        started_s=line.at.timestamp(),
        parent=id_of(line.obj, "parent_tool_use_id"),
        agent_id=id_of(line.obj, "agent_id"),
    )
    line.change(tools=added(line.state.tools, tool_use_id, opened))
    line.emit(fact, tool_use_id, tool_use_id=tool_use_id)
