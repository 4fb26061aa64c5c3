"""Which words call which operation, and which of its fields stand in what order: shared by all who need no `click`."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from claude_code_mcp.kernel.operation import Operation

NOT_HERE = frozenset({"stream"})
"""Fields that mean something to MCP clients only."""
Words = tuple[str, ...]


def words_of(op: Operation) -> Words:
    """Return the words that call `op`: those of its hints, else the parts of its name with dashes."""
    return op.hints.cli or words_of_name(op)


def words_of_name(op: Operation) -> Words:
    """Return the words of the operation's plain name, for where its hinted ones are taken."""
    return tuple(part.replace("_", "-") for part in op.name.split("."))


def called(operations: Iterable[Operation], own: Collection[str]) -> Iterator[tuple[Words, Operation]]:
    """Yield each operation with the words that call it, where the commands written by hand (`own`) leave it some."""
    for op in operations:
        words = next((words for words in (words_of(op), words_of_name(op)) if words[0] not in own), None)
        if words is not None:
            yield words, op


def placed(op: Operation, positional: Sequence[str], leave_out: Sequence[str] = ()) -> Iterator[tuple[str, bool]]:
    """Yield the fields of the request in their order, each with whether it may be given without its flag."""
    fields = op.request.model_fields
    first = [name for name in positional if name in fields]
    for name in (*first, *(name for name in fields if name not in first)):
        if name not in leave_out and name not in NOT_HERE:
            yield name, name in first
