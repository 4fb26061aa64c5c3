"""Which turn a line is of: that of the line it follows, whoever else writes to the file in between."""

import pytest

from claude_code_mcp.kernel.events import Event
from claude_code_mcp.platform.claude.facts import ModelAnswered, TaskFinished, ToolStarted, TurnStopped
from tests.platform.claude.transcript.files import line, read


def uuid(number: int) -> str:
    return f"11111111-0000-4000-8000-{number:012}"


def prompt(number: int, turn: str, *, after: int = 0) -> bytes:
    message = {"role": "user", "content": f"Do {turn}"}
    return line("user", uuid=uuid(number), parentUuid=uuid(after), promptId=turn, message=message)


def call(number: int, after: int, name: str = "Bash") -> bytes:
    block = {"type": "tool_use", "id": f"toolu_{number}", "name": name, "input": {"command": "true"}}
    message = {"id": f"msg_{number}", "model": "claude-opus-5-5", "role": "assistant", "content": [block]}
    return line("assistant", uuid=uuid(number), parentUuid=uuid(after), message=message)


def result(number: int, of: int, turn: str, **details: object) -> bytes:
    block = {"type": "tool_result", "tool_use_id": f"toolu_{of}", "content": "ok"}
    message = {"role": "user", "content": [block]}
    return line(
        "user", uuid=uuid(number), parentUuid=uuid(of), promptId=turn, message=message, toolUseResult=details or "ok"
    )


def answer(number: int, after: int) -> bytes:
    message = {
        "id": f"msg_{number}",
        "model": "claude-opus-5-5",
        "role": "assistant",
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "Done."}],
    }
    return line("assistant", uuid=uuid(number), parentUuid=uuid(after), message=message)


def unread(number: int, after: int) -> bytes:
    """Return a line that is never parsed."""
    return line("attachment", attachment={"type": "todo"}, uuid=uuid(number), parentUuid=uuid(after)).replace(
        b'"isSidechain":false,"type":"attachment",', b'"isSidechain":false,'
    )


def turns(
    events: list[Event], kind: type[ModelAnswered] | type[ToolStarted] | type[TurnStopped]
) -> list[tuple[str, str]]:
    return [(event.subject, event.fact.prompt_id) for event in events if isinstance(event.fact, kind)]


def test_lines_of_two_processes_are_told_apart_though_some_between_are_never_parsed() -> None:
    events = read(
        prompt(1, "a"),
        prompt(2, "b"),
        unread(3, 1),
        unread(4, 2),
        call(5, 3),
        call(6, 4),
        answer(7, 100),
        result(8, 5, "a"),
        answer(9, 8),
        result(10, 6, "b"),
        answer(11, 10),
    )
    assert turns(events, ToolStarted) == [("toolu_5", "a"), ("toolu_6", "b")]
    assert turns(events, TurnStopped) == [("b", "b"), ("a", "a"), ("b", "b")]
    assert turns(events, ModelAnswered)[-2:] == [("msg_9", "a"), ("msg_11", "b")]


def test_a_line_after_one_that_nobody_knows_is_of_the_turn_that_began_last() -> None:
    assert turns(read(prompt(1, "a"), call(5, 77)), ToolStarted) == [("toolu_5", "a")]


@pytest.mark.parametrize("name", ["TaskStop", "Bash"])
def test_stopping_background_work_tells_its_end(name: str) -> None:
    events = read(prompt(1, "a"), call(2, 1, name), result(3, 2, "a", task_id="b1", message="stopped it"))
    ends = [event.fact for event in events if isinstance(event.fact, TaskFinished)]
    assert ends == ([TaskFinished(task_id="b1", status="stopped", summary="stopped it")] if name == "TaskStop" else [])
