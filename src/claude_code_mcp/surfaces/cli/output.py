"""What a command writes: text or one JSON object on standard output, errors on standard error, never a pager."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from claude_code_mcp.kernel.display import escaped_json, visible
from claude_code_mcp.surfaces.cli.exits import Failure

if TYPE_CHECKING:
    from claude_code_mcp.surfaces.cli.client import Answer


def open_closed_streams() -> None:
    """Give each standard stream that was closed (`>&-`) the null device, before a file of ours takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open as long as we are


def be_encodable(stream: TextIO) -> None:
    """Let `stream` replace what its encoding lacks: a tick that cannot be written must not end a command."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")


def print_json(value: Mapping[str, Any], out: TextIO | None = None) -> None:
    """Write `value` as one JSON object: indented for a person, one line for a program; the same value for both."""
    out = out or cast("TextIO", sys.stdout)
    indent = 2 if out.isatty() else None
    separators = None if indent else (",", ":")
    out.write(
        escaped_json(json.dumps(value, ensure_ascii=False, indent=indent, separators=separators, default=str)) + "\n"
    )
    out.flush()


def print_text(text: str, out: TextIO | None = None) -> None:
    """Write `text` with everything in it that a terminal would obey made visible."""
    out = out or cast("TextIO", sys.stdout)
    out.write(visible(text).rstrip("\n") + "\n")
    out.flush()


def print_answer(answer: "Answer", *, as_json: bool) -> int:
    """Print what an operation gave back and return the exit code that comes with it."""
    if as_json:
        print_json(answer.reply)
    else:
        print_text(answer.text)
    return answer.exit_code


def print_failure(failure: Failure, *, as_json: bool) -> None:
    """Write what went wrong: for a program on standard output, for a person on standard error."""
    if as_json:
        print_json(failure.as_json())
    else:
        print_text(failure.as_line(), sys.stderr)
