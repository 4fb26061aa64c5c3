"""The terminal lent to other programs for a while: the person's pager and editor."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec
from textual.app import App, SuspendNotSupported

from claude_code_mcp.kernel.display import visible

SHOWN_BYTES = 4 * 1024 * 1024
"""How much of a transcript is read into the built-in viewer and given to a pager."""


def read(file: Path) -> str:
    """Return an exported transcript, everything in it made visible, with a note where it is cut."""
    with file.open("rb") as opened:
        data = opened.read(SHOWN_BYTES + 1)
    text = visible(data[:SHOWN_BYTES].decode(errors="replace"))
    rest = "\n... and more: `claude-code-mcp activity export` has all of it."
    return text if len(data) <= SHOWN_BYTES else text + rest


def paged(app: App[Any], file: Path, text: str) -> bool:
    """Show `text`, written to `file`, in the pager that `PAGER` names; tell whether that could be done."""
    pager = shlex.split(os.environ.get("PAGER", ""))
    if not pager:
        return False
    try:
        with app.suspend():
            file.write_text(text, encoding="utf-8")
            subprocess.run([*pager, str(file)], check=False)
    except (OSError, SuspendNotSupported):
        return False
    app.refresh()
    return True


def edited(app: App[Any], value: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return `value` as the person changed it in their editor, None where they left it.

    Raises:
        ValueError: there is no editor here, or what was written is no JSON object.
    """
    try:
        with app.suspend():
            text = click.edit(msgspec.json.format(msgspec.json.encode(value)).decode(), extension=".json")
    except SuspendNotSupported:
        raise ValueError("There is no editor here.") from None
    except click.ClickException as exc:
        raise ValueError(exc.format_message()) from None
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as exc:
        raise ValueError(f"That is no JSON object: {exc}") from None
