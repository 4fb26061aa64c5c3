"""A Claude Code process that was seen in a registry and has not gone yet."""

import msgspec

from claude_code_mcp.kernel.ids import SessionId


class ProcessRow(msgspec.Struct, frozen=True, kw_only=True):
    """`key` names the process and what it works on: a process may go on to another session. `status`: told last."""

    key: str
    config_dir: str
    pid: int
    session_id: SessionId
    status: str = ""
