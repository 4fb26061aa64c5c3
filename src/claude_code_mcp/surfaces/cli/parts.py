"""What commands written by hand share with those that are generated; light, because every command loads it."""

from collections.abc import Sequence

import click


def json_flag() -> click.Option:
    """Return the flag that every command has."""
    return click.Option(["--json", "as_json"], is_flag=True, help="Print the reply as one JSON object.")


def epilog_of(examples: Sequence[str]) -> str | None:
    r"""Return the examples as a block that click leaves as it is (`\b`), each with the program's name before it."""
    if not examples:
        return None
    lines = [line if line.startswith("claude-code-mcp") else f"claude-code-mcp {line}" for line in examples]
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
