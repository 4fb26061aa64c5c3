"""What an entry of ours looks like in each client's list, and which entries are ours."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

from claude_code_mcp.platform.clients.host import MODULE, PROGRAM
from claude_code_mcp.platform.clients.places import Client, Place, Scope

_TYPED = (Client.CLAUDE_CODE, Client.CURSOR, Client.VSCODE)
_FLEETING = ("/archive-v0/", "/builds-v0/", "/environments-v2/", "/pipx/.cache/")


def entry(
    place: Place,
    command: Sequence[str],
    distribution: str,
    *,
    profile: str | None,
    env: Mapping[str, str],
    existing: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return the entry for the list at `place` that starts `command`.

    `existing` is an older entry of ours: what it says beyond how we are started is kept, and so are its variables
    and, without a new `profile`, its arguments.
    """
    old = dict(existing or {})
    known = {**_variables(old), **env}
    options = ["serve", "--profile", profile or _usual_profile(place.client)]
    if profile is None and existing is not None:
        options = _options(words(existing)) or options
    line = [*command, *options]
    if place.windows:
        # Windows hands no variables to a program inside WSL, so they go on its command line.
        setting = ["env", *(f"{name}={value}" for name, value in known.items())] if known else []
        named = ["--distribution", distribution] if distribution else []
        line = ["wsl.exe", *named, "--exec", *setting, *line]
        old.pop("env", None)
    started: dict[str, Any] = {"type": "stdio"} if place.client in _TYPED else {}
    started |= {"command": line[0], "args": line[1:]}
    if known and not place.windows:
        started["env"] = known
    return old | started


def is_ours(found: Any) -> bool:
    """Tell whether an entry of a list starts this program, from wherever."""
    return isinstance(found, Mapping) and _start(words(found)) is not None


def words(found: Mapping[str, Any]) -> list[str]:
    """Return the command line of an entry; none where it has no readable one."""
    command, args = found.get("command"), found.get("args", [])
    if not isinstance(command, str) or not isinstance(args, list):
        return []
    return [command, *(str(arg) for arg in args)]


def program_of(found: Mapping[str, Any]) -> str:
    """Return the program on this side of an entry of ours, without `wsl.exe` around it."""
    line = words(found)
    start = _start(line)
    return "" if start is None else line[start]


def notes(place: Place, command: Sequence[str], *, new_client: bool) -> list[str]:
    """Return what a person should know after an entry was added."""
    found = []
    if new_client:
        found.append(f"{place.home} did not exist: {place.client.value} may not be installed.")
    if any(part in command[0] for part in _FLEETING):
        found.append(
            f"{command[0]} is in a cache that may be emptied: install this program for good"
            " (`uv tool install claude-code-mcp` or `pipx install claude-code-mcp`), then install again."
        )
    if place.shared:
        found.append(f"{command[0]} is a path of this machine: others who share {place.path.name} need their own.")
    return [*found, _next_step(place)]


def _start(line: Sequence[str]) -> int | None:
    """Return where in the command line `line` this program begins; None where it does not."""
    for place, word in enumerate(line):
        if PurePath(word).name in {PROGRAM, f"{PROGRAM}.exe"}:
            return place
        if word == "-m" and place > 0 and list(line[place + 1 : place + 2]) == [MODULE]:
            return place - 1
    return None


def _options(line: Sequence[str]) -> list[str]:
    start = _start(line)
    if start is None:
        return []
    return list(line[start + (3 if list(line[start + 1 : start + 2]) == ["-m"] else 1) :])


def _variables(old: Mapping[str, Any]) -> dict[str, str]:
    found = old.get("env")
    if isinstance(found, Mapping):
        return {str(name): str(value) for name, value in found.items()}
    line = words(old)
    if "env" not in line:
        return {}
    start = _start(line) or 0
    pairs = (word.partition("=") for word in line[line.index("env") + 1 : start])
    return {name: value for name, _, value in pairs}


def _usual_profile(client: Client) -> str:
    # Claude Code loads tool schemas only when it needs them; the others send all of them to the model.
    return "full" if client is Client.CLAUDE_CODE else "core"


def _next_step(place: Place) -> str:
    if place.client is Client.CLAUDE_CODE:
        if place.scope is Scope.PROJECT:
            return "Claude Code asks once, at its next interactive start in this project, whether to use it."
        return "Sessions of Claude Code that start from now on have it; `claude mcp list` shows it."
    if place.client is Client.CLAUDE_DESKTOP:
        return "Quit Claude Desktop and start it again."
    if place.client is Client.CURSOR:
        return "Cursor takes it up by itself; Settings > MCP shows it."
    return "VS Code asks to trust it when it first starts it; `MCP: List Servers` shows it."
