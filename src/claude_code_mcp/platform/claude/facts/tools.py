"""What tools did, and the questions whether they may.

In all of them `name` is the tool's name as Claude Code calls it ("" where its start was not seen), and a tool
of an MCP server also has `mcp_server` and `mcp_tool`. The subject is the tool_use_id.
"""

from typing import Any, ClassVar

import msgspec

from claude_code_mcp.kernel.events import Fact


class ToolStarted(Fact, frozen=True, kw_only=True):
    """The model called a tool. It may still have to wait for a permission.

    `summary`: the call in one line. `input`: its arguments, shortened to 32 KiB; `input_bytes`: their whole
    size as JSON when they were shortened, else 0. `message_id`: the answer that the call is part of.
    `prompt_id`: the turn that it is part of, `input_digest`: what the input is recognised by, both "" where not told.
    """

    kind: ClassVar[str] = "tool.started"

    name: str
    summary: str = ""
    input: Any = None
    input_bytes: int = 0
    mcp_server: str = ""
    mcp_tool: str = ""
    message_id: str = ""
    prompt_id: str = ""
    input_digest: str = ""


class ToolFinished(Fact, frozen=True, kw_only=True):
    """A tool ran and gave a result.

    `output`: what the model was given, cut to 32 KiB; `output_bytes`: its whole size in bytes when it was cut,
    else 0. `images`: how many pictures came with it. `duration_ms`: from the call to the result, waiting for a
    permission included; None where the call was not seen. `permitted_by`: who allowed it, as Claude Code says
    (such as "config/rule" or "user_temporary"). `started_task_id`: the background task or subagent that it
    started and left running. `saved_at`: the file that holds the whole output where Claude Code kept it out of
    the conversation. `lines_added`, `lines_removed`: what an edit changed. `ran_ms`: how long the tool itself ran,
    without any waiting; None where not told.
    """

    kind: ClassVar[str] = "tool.finished"

    name: str
    output: str = ""
    output_bytes: int = 0
    images: int = 0
    duration_ms: int | None = None
    mcp_server: str = ""
    mcp_tool: str = ""
    permitted_by: str = ""
    started_task_id: str = ""
    saved_at: str = ""
    lines_added: int = 0
    lines_removed: int = 0
    ran_ms: int | None = None


class ToolFailed(Fact, frozen=True, kw_only=True):
    """A tool ran and failed, was stopped while it ran, or does not exist.

    `output`: what the model was told, cut to 32 KiB; `output_bytes`: its whole size in bytes when it was cut,
    else 0. `duration_ms`: from the call to the result; None where the call was not seen. `interrupted`: it was
    stopped while it ran, and may have had part of its effect. `permitted_by`: who allowed it. `ran_ms`: how long the
    tool itself ran, without any waiting; None where not told.
    """

    kind: ClassVar[str] = "tool.failed"

    name: str
    output: str = ""
    output_bytes: int = 0
    duration_ms: int | None = None
    interrupted: bool = False
    mcp_server: str = ""
    mcp_tool: str = ""
    permitted_by: str = ""
    ran_ms: int | None = None


class ToolDenied(Fact, frozen=True, kw_only=True):
    """A tool was not allowed to run and had no effect.

    `output`: what the model was told, cut to 4 KiB. `cause`: Claude Code's word for it ("permission-rule",
    "user-rejected", "automode-…"). `decided_by`: where the decision came from (such as "user_reject",
    "config/mode", "hook/hook"). `reason`: what the deciding part said, where it said something else than
    `output`. `duration_ms`: from the call to the refusal.
    """

    kind: ClassVar[str] = "tool.denied"

    name: str
    output: str = ""
    cause: str = ""
    decided_by: str = ""
    reason: str = ""
    duration_ms: int | None = None
    mcp_server: str = ""
    mcp_tool: str = ""


class ToolAbandoned(Fact, frozen=True, kw_only=True):
    """A tool's result will never come: the process that ran it is gone. Whether it had its effect is not known.

    `duration_ms`: from the call to the end of the process.
    """

    kind: ClassVar[str] = "tool.abandoned"

    name: str
    duration_ms: int | None = None


class ToolProgressed(Fact, frozen=True, kw_only=True):
    """A tool is still running; shown live, not worth keeping. `elapsed_s`: for how long."""

    kind: ClassVar[str] = "tool.progressed"

    name: str
    elapsed_s: int = 0


class ApprovalAsked(Fact, frozen=True, kw_only=True):
    """Claude Code asks whether a tool may run, or asks the user something. Subject: `request_id`.

    `name`, `mcp_server`, `mcp_tool`: the tool. `summary`: the call in one line. `input`: its arguments,
    shortened to 32 KiB; `input_bytes`: their whole size as JSON when they were shortened, else 0.
    `suggestions`: rules that would allow such calls from now on, as Claude Code proposes them; shortened to 32
    KiB. `description`: what the model says the call is for. `reason`, `reason_type`: why it is asked.
    `blocked_path`: the file or folder that it is about. `interactive`: the answer needs a person
    (AskUserQuestion, ExitPlanMode), a rule cannot give it. A hook does not tell which call it is about: then the open
    call of the same agent with the same `name` and `input_digest` is the one. `prompt_id`: the turn, "" where not told.
    """

    kind: ClassVar[str] = "approval.asked"

    request_id: str
    name: str
    summary: str = ""
    input: Any = None
    input_bytes: int = 0
    mcp_server: str = ""
    mcp_tool: str = ""
    suggestions: Any = msgspec.field(default_factory=list)
    description: str = ""
    reason: str = ""
    reason_type: str = ""
    blocked_path: str = ""
    interactive: bool = False
    prompt_id: str = ""
    input_digest: str = ""


class ApprovalWithdrawn(Fact, frozen=True, kw_only=True):
    """Claude Code no longer needs the answer to its question. Subject: `request_id`."""

    kind: ClassVar[str] = "approval.withdrawn"

    request_id: str
