"""The wish for a session's process as a command line and the files beside it.

Every value of a user stands in a file or in one word `--flag=value`, so it can never become a flag or a further
argument; the prompt goes to stdin and is not here at all. What may hold secrets (settings, MCP servers, agents)
or is long (system prompts) goes into files, because command lines are shown to every user of the machine. All
flags were tried in this form on Claude Code 2.1.327: it takes `=` for each of them, the variadic ones too.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude import patterns
from claude_code_mcp.platform.claude.errors import OptionInvalid

FIXED = (
    "--print",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
    "--replay-user-messages",
)
"""What every process of ours is started with: stream-json both ways, and permission questions to us."""

THINKING: Mapping[str, tuple[str, ...]] = {
    "none": ("--thinking=disabled", "--effort=low"),
    "think": ("--effort=medium",),
    "think-hard": ("--effort=high",),
    "think-harder": ("--effort=xhigh",),
    "ultrathink": ("--effort=max",),
}
"""The documents' levels, and what does the work today.

Measured on 2.1.327: only `--effort` changes what the model is asked for (`output_config.effort`). The words
"think", "think hard" and "think harder" in a prompt do nothing any more; "ultrathink" only adds a sentence that
asks for thorough reasoning. `--max-thinking-tokens` is without effect on the models of today, and on those of
before (sonnet 4.5) thinking is always on with the largest budget unless it is disabled.
"""

ARGUMENT_BYTES = 100_000
"""Longest single argument; the kernel's own limit is 128 KiB."""

_ENCODE = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """How a session's process is to run. Nothing in it is trusted: `plan` checks every word.

    `session_id`: the id of a new session, or of a copy. `resume`: the session to go on with; `fork`: copy it
    instead; `resume_at`: the uuid of the last message to keep. `add_dirs`, `plugin_dirs`: absolute paths.
    `tools`: the exact set of built-in tools, None for Claude Code's default. `thinking`: a level of the
    documents; `effort` wins over it. `max_budget_microusd`: micro-dollars. `setting_sources`: which settings
    files count, None for all. `worktree`: a name, or "" to let Claude Code choose one. `bypass_possible`: the
    session may be switched to bypassPermissions later.
    """

    session_id: str | None = None
    resume: str | None = None
    fork: bool = False
    resume_at: str | None = None
    model: str | None = None
    fallback_models: tuple[str, ...] = ()
    permission_mode: str | None = None
    bypass_possible: bool = False
    allowed_tools: tuple[str, ...] = ()
    disallowed_tools: tuple[str, ...] = ()
    tools: tuple[str, ...] | None = None
    agent: str | None = None
    agents: Mapping[str, Any] | None = None
    system_prompt: str | None = None
    append_system_prompt: str | None = None
    effort: str | None = None
    thinking: str | None = None
    max_turns: int | None = None
    max_budget_microusd: int | None = None
    json_schema: Mapping[str, Any] | None = None
    add_dirs: tuple[str, ...] = ()
    plugin_dirs: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    setting_sources: tuple[str, ...] | None = None
    mcp_config: Mapping[str, Any] | None = None
    strict_mcp_config: bool = False
    worktree: str | None = None
    title: str | None = None
    partial_messages: bool = False
    hook_events: bool = False
    forward_subagent_text: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """The arguments after the program's name, and the files (path to content) that they name.

    The files are written with mode 0600 before the process starts: they may hold secrets.
    """

    argv: tuple[str, ...]
    files: Mapping[Path, bytes] = field(repr=False)


def plan(options: LaunchOptions, directory: Path) -> LaunchPlan:
    """Return how to start Claude Code with `options`; its files will be in `directory`, the run's own.

    Raises:
        OptionInvalid: an option has a form that Claude Code does not take; nothing was started or written.
    """
    files: dict[Path, bytes] = {}

    def file(flag: str, name: str, content: bytes) -> str:
        files[directory / name] = content
        return f"{flag}={directory / name}"

    argv = [
        *FIXED,
        *_session(options),
        *_model(options),
        *_permissions(options),
        *_limits(options),
        *_surroundings(options),
        *_files(options, file),
    ]
    for argument in argv:
        _check_argument(argument)
    return LaunchPlan(tuple(argv), files)


def session_hooks(commands: Mapping[str, str]) -> dict[str, Any]:
    """Return the `hooks` part of settings for shell commands by event.

    The events may be spelled as Claude Code does (`PreToolUse`) or as the documents do (`preToolUse`,
    `onError`).

    Raises:
        OptionInvalid: an event is unknown.
    """
    hooks: dict[str, Any] = {}
    for event, command in commands.items():
        name = _HOOK_EVENTS.get(event) or one_line(event[:1].upper() + event[1:], 40)
        patterns.one_of("hook event", name, sorted(set(_HOOK_EVENTS.values())))
        hooks.setdefault(name, []).append({"hooks": [{"type": "command", "command": command}]})
    return hooks


_HOOK_EVENTS: Mapping[str, str] = {
    "onError": "PostToolUseFailure",
    "preToolUse": "PreToolUse",
    "postToolUse": "PostToolUse",
    "sessionStart": "SessionStart",
    "sessionEnd": "SessionEnd",
    "userPromptSubmit": "UserPromptSubmit",
    "notification": "Notification",
    "stop": "Stop",
    "subagentStop": "SubagentStop",
    "preCompact": "PreCompact",
    "postCompact": "PostCompact",
}


def _session(options: LaunchOptions) -> Iterable[str]:
    if options.resume is None and (options.fork or options.resume_at):
        raise OptionInvalid("There is no session to copy or cut.", remedy="Name it with session_id.")
    if options.resume is not None:
        yield f"--resume={patterns.uuid('session id', options.resume)}"
        if options.fork:
            yield "--fork-session"
        if options.resume_at:
            yield f"--resume-session-at={patterns.uuid('message uuid', options.resume_at)}"
    if options.session_id is not None:
        if options.resume is not None and not options.fork:
            raise OptionInvalid("A resumed session keeps its id.", remedy="Ask for a fork to have another.")
        yield f"--session-id={patterns.uuid('session id', options.session_id)}"
    if options.title:
        yield f"--name={one_line(options.title, 200)}"


def _model(options: LaunchOptions) -> Iterable[str]:
    if options.model:
        yield f"--model={patterns.model(options.model)}"
    if options.fallback_models:
        yield f"--fallback-model={','.join(map(patterns.model, options.fallback_models))}"
    if options.effort:
        yield f"--effort={patterns.one_of('effort', options.effort, patterns.EFFORTS)}"
    elif options.thinking:
        yield from THINKING[patterns.one_of("thinking level", options.thinking, tuple(THINKING))]
    if options.agent:
        remedy = "Give an agent's name as `claude` lists it."
        yield f"--agent={patterns.matched('an agent', options.agent, patterns.AGENT, remedy)}"


def _permissions(options: LaunchOptions) -> Iterable[str]:
    if options.permission_mode:
        mode = patterns.one_of("permission mode", options.permission_mode, patterns.PERMISSION_MODES)
        yield f"--permission-mode={mode}"
    if options.bypass_possible:
        yield "--allow-dangerously-skip-permissions"
    if options.allowed_tools:
        yield f"--allowedTools={','.join(map(patterns.tool_rule, options.allowed_tools))}"
    if options.disallowed_tools:
        yield f"--disallowedTools={','.join(map(patterns.tool_rule, options.disallowed_tools))}"
    if options.tools is not None:
        yield f"--tools={','.join(map(patterns.tool_rule, options.tools))}"


def _limits(options: LaunchOptions) -> Iterable[str]:
    if options.max_turns is not None:
        yield f"--max-turns={_positive('max_turns', options.max_turns)}"
    if options.max_budget_microusd is not None:
        amount = _positive("max_budget", options.max_budget_microusd)
        yield f"--max-budget-usd={amount // 1_000_000}.{amount % 1_000_000:06d}"
    if options.json_schema is not None:
        yield f"--json-schema={_json('--json-schema', options.json_schema).decode()}"


def _surroundings(options: LaunchOptions) -> Iterable[str]:
    if options.setting_sources is not None:
        words = [patterns.one_of("settings source", word, patterns.SETTING_SOURCES) for word in options.setting_sources]
        yield f"--setting-sources={','.join(words)}"
    yield from (f"--add-dir={_absolute(path)}" for path in options.add_dirs)
    yield from (f"--plugin-dir={_absolute(path)}" for path in options.plugin_dirs)
    if options.strict_mcp_config:
        yield "--strict-mcp-config"
    if options.worktree is not None:
        remedy = "Use letters, digits, dots, dashes and underscores."
        yield (
            f"--worktree={patterns.matched('a worktree name', options.worktree, patterns.WORKTREE, remedy)}"
            if options.worktree
            else "--worktree"
        )
    flags = {
        "--include-partial-messages": options.partial_messages,
        "--include-hook-events": options.hook_events,
        "--forward-subagent-text": options.forward_subagent_text,
        "--bare": options.bare,
    }
    yield from (flag for flag, wanted in flags.items() if wanted)


def _files(options: LaunchOptions, file: Callable[[str, str, bytes], str]) -> Iterable[str]:
    if options.system_prompt is not None:
        yield file("--system-prompt-file", "system-prompt.txt", _text(options.system_prompt))
    if options.append_system_prompt is not None:
        yield file("--append-system-prompt-file", "append-system-prompt.txt", _text(options.append_system_prompt))
    for flag, name, value in (
        ("--agents", "agents.json", options.agents),
        ("--settings", "settings.json", options.settings),
        ("--mcp-config", "mcp.json", options.mcp_config),
    ):
        if value is not None:
            yield file(flag, name, _json(flag, value))


def _check_argument(argument: str) -> None:
    flag = argument.partition("=")[0]
    try:
        size = len(argument.encode())
    except UnicodeEncodeError:
        raise OptionInvalid(f"The value for {flag} has half characters in it.", remedy="Send valid Unicode.") from None
    if "\0" in argument:
        raise OptionInvalid(f"The value for {flag} has a NUL character in it.", remedy="Leave it out.")
    if size > ARGUMENT_BYTES:
        raise OptionInvalid(f"The value for {flag} has {size} bytes.", remedy=f"Keep it below {ARGUMENT_BYTES}.")


def _json(flag: str, value: Mapping[str, Any]) -> bytes:
    try:
        return _ENCODE(dict(value))
    except (UnicodeEncodeError, RecursionError, TypeError):
        raise OptionInvalid(f"The value for {flag} cannot be written as JSON.", remedy="Send valid JSON.") from None


def _text(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _positive(what: str, number: int) -> int:
    if number < 1:
        raise OptionInvalid(f"{what} is {number}.", remedy="Give a number above zero, or leave it out.")
    return number


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise OptionInvalid(f"{one_line(path, 200)!r} is not an absolute path.", remedy="Give the whole path.")
    return path
