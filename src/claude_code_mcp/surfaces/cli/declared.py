"""What the daemon tells of a command, so that its client need not import all operations to read one command line.

It is made of the operation's own declaration, as the command of `generate` is; whoever is not told enough builds that.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from claude_code_mcp.kernel.operation import Effect, Operation, Shared
from claude_code_mcp.surfaces.cli.own import OWN
from claude_code_mcp.surfaces.cli.readings import Switch, join_of, to_wire
from claude_code_mcp.surfaces.cli.shapes import as_argument, flags_of, opposite_of, reading_of
from claude_code_mcp.surfaces.cli.wording import SNAKE, Wording
from claude_code_mcp.surfaces.cli.words import Words, called, placed


class Declared:
    """The commands that the catalog gives, told one by one."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        operations = list(operations)
        own = {name for name in OWN if " " not in name}
        self._by_words: Mapping[Words, Operation] = {
            words: op for words, op in called(operations, own) if " ".join(words) not in OWN
        }
        self._wording = Wording(operations)

    def command(self, words: Sequence[object]) -> dict[str, Any] | None:
        """Return the command that `words` begin with; None where there is none that can be told."""
        for count in range(len(words), 0, -1):
            op = self._by_words.get(tuple(str(word) for word in words[:count]))
            if op is not None:
                return None if issubclass(op.reply, Shared) else {"words": count, **_told(op)}
        return None

    def reply(self, text: str) -> str:
        """Return the text of a reply with the tools that it names called by their commands."""
        return self._wording.reply(text) if SNAKE.search(text) else text


def _told(op: Operation) -> dict[str, Any]:
    flags: dict[str, list[Any]] = {}
    arguments: list[list[Any]] = []
    required: list[str] = []
    for name, is_argument in placed(op, op.hints.positional):
        field = op.request.model_fields[name]
        reading = reading_of(name, field.annotation)
        if is_argument:
            arguments.append([name, to_wire(as_argument(reading)), join_of(reading) is not None])
        if field.is_required():
            required.append(name)
        value = True if isinstance(reading, Switch) else to_wire(reading)
        flags |= {flag: [name, value] for flag in flags_of(name)}
        if value is True:
            flags[opposite_of(name)] = [name, False]
    return {
        "op": op.name,
        "reads": op.effect is Effect.READ,
        "flags": flags,
        "arguments": arguments,
        "required": required,
    }
