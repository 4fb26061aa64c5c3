"""One transcript of the index: who, where, when and how much, without its content."""

import msgspec

from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.transcript.tally import Tally


class PastTranscript(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its transcript file tells it; what the file does not say is "" or None.

    `path`: the file; `size_bytes`: how long it is. `cwd`: the directory that the session began in. `title`: its name.
    `first_prompt`: the beginning of the first prompt, in one line and without secrets. `started_at`,
    `last_active_at`: its first and last line, UTC. `prompts`, `tool_calls`, `errors`, `subagents`: how many, those of
    subagents among them. `cost_microusd`: as Claude Code counted it when the session last ended.
    """

    session_id: SessionId
    path: str
    size_bytes: int
    last_active_at: str
    cwd: str = ""
    title: str = ""
    first_prompt: str = ""
    started_at: str | None = None
    version: str = ""
    entrypoint: str = ""
    prompts: int = 0
    tool_calls: int = 0
    errors: int = 0
    subagents: int = 0
    cost_microusd: int | None = None


class TranscriptRow(msgspec.Struct, kw_only=True):
    """How far one transcript was read, and what it came to.

    `offset`, `mark`: how far it is counted, as in `platform.files.appended.Place`. `followed`: how far it was taken
    into the event log, None where it is not; `state`: what reading on needs to know, with it.
    """

    path: str
    session_id: SessionId
    agent_id: str = ""
    device: int = 0
    inode: int = 0
    size_bytes: int = 0
    mtime_ns: int = 0
    offset: int = 0
    mark: str = ""
    followed: int | None = None
    state: bytes = b"{}"
    tally: Tally = msgspec.field(default_factory=Tally)
