"""Which call launched a subagent: hooks do not tell, but the file does that Claude Code writes when it starts one."""

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import msgspec

from claude_code_mcp.platform.claude.bounds import NOTE_BYTES, clip
from claude_code_mcp.platform.claude.fields import int_of, path_of, text_of, word_of
from claude_code_mcp.platform.claude.hooks.payload import Payload

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
_FILE_BYTES = 64 * 1024
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PLAIN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class AgentMeta:
    """A subagent as `agent-<id>.meta.json` tells it: `call` launched it, "" where it does not say."""

    call: str = ""
    agent_type: str = ""
    description: str = ""
    parent_agent_id: str = ""
    depth: int = 1
    background: bool = False


def agent_meta(payload: Payload) -> AgentMeta | None:
    """Return what is written about the agent of `payload`; None where nothing is, or not in its session's own folder.

    The payload may be forged: only `<folder>/<session>/subagents/agent-<id>.meta.json` is ever opened, where `folder`
    holds the transcripts of a project, and no link below it is followed.
    """
    agent, transcript = word_of(payload.obj, "agent_id"), PurePosixPath(path_of(payload.obj, "transcript_path"))
    session = payload.session_id
    if session is None or not _ID.match(agent) or transcript.name != f"{session}.jsonl":
        return None
    folder = transcript.parent
    if not folder.is_absolute() or ".." in folder.parts or folder.parent.name != "projects":
        return None
    try:
        data = _read(str(folder), (session, "subagents"), f"agent-{agent}.meta.json")
        value = msgspec.json.decode(data)
    except (OSError, ValueError, RecursionError):
        return None
    return _meta(value) if isinstance(value, dict) else None


def _meta(value: dict[str, Any]) -> AgentMeta:
    return AgentMeta(
        call=word_of(value, "toolUseId"),
        agent_type=word_of(value, "agentType"),
        description=clip(text_of(value, "description"), NOTE_BYTES)[0],
        parent_agent_id=word_of(value, "parentAgentId"),
        depth=max(1, min(int_of(value, "spawnDepth") or 1, 1000)),
        background=word_of(value, "requestShape") not in ("", "foreground"),
    )


def _read(folder: str, inside: tuple[str, ...], name: str) -> bytes:
    held = [os.open(folder, _DIRECTORY)]
    try:
        for part in inside:
            held.append(os.open(part, _DIRECTORY | os.O_NOFOLLOW, dir_fd=held[-1]))
        held.append(os.open(name, _PLAIN, dir_fd=held[-1]))
        info = os.fstat(held[-1])
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
            raise OSError("not a file of ours")
        return os.read(held[-1], _FILE_BYTES)
    finally:
        for fd in held:
            with suppress(OSError):
                os.close(fd)
