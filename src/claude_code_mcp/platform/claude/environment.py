"""Which of a client's environment variables its sessions may see, and which ones a run adds.

Standard library only and free of regular expressions: the relay imports this at each start. The names that a
Claude Code sets for the processes inside it were measured on 2.1.327/328 (a hook's and an MCP server's
environment).
"""

from collections.abc import Iterable, Mapping

ALLOWED = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "TERM",
        "COLORTERM",
        "LANG",
        "TZ",
        "TMPDIR",
        "NODE_EXTRA_CA_CERTS",
        "NPM_CONFIG_REGISTRY",
        "npm_config_registry",
        "IS_SANDBOX",
        "API_TIMEOUT_MS",
        "BASH_DEFAULT_TIMEOUT_MS",
        "BASH_MAX_TIMEOUT_MS",
        "BASH_MAX_OUTPUT_LENGTH",
        "DISABLE_AUTOUPDATER",
        "DISABLE_UPDATES",
        "DISABLE_TELEMETRY",
        "DISABLE_ERROR_REPORTING",
        "DISABLE_COST_WARNINGS",
        "DISABLE_PROMPT_CACHING",
        "ENABLE_TOOL_SEARCH",
        "MAX_MCP_OUTPUT_TOKENS",
        "MAX_THINKING_TOKENS",
        "MCP_TIMEOUT",
        "MCP_TOOL_TIMEOUT",
        "USE_BUILTIN_RIPGREP",
    ]
)
"""Names that pass as they are."""

ALLOWED_PREFIXES = ("ANTHROPIC_", "CLAUDE_", "SSL_CERT_", "LC_", "XDG_")
ALLOWED_SUFFIXES = ("_PROXY", "_proxy")

CLOUDS: Mapping[str, tuple[str, ...]] = {
    "CLAUDE_CODE_USE_BEDROCK": ("AWS_",),
    "CLAUDE_CODE_USE_MANTLE": ("AWS_",),
    "CLAUDE_CODE_USE_ANTHROPIC_AWS": ("AWS_",),
    "CLAUDE_CODE_USE_VERTEX": ("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VERTEX_", "CLOUD_ML_"),
    "CLAUDE_CODE_USE_ANTHROPIC_GOOGLE_CLOUD": ("GOOGLE_", "GCLOUD_", "CLOUDSDK_", "VERTEX_", "CLOUD_ML_"),
    "CLAUDE_CODE_USE_FOUNDRY": ("AZURE_",),
}
"""The provider switches of Claude Code, and whose variables pass while one is on."""

SURROUNDING = frozenset(
    [
        "CLAUDECODE",
        "CLAUDE_PID",
        "CLAUDE_EFFORT",
        "CLAUDE_ENV_FILE",
        "CLAUDE_PROJECT_DIR",
        "CLAUDE_PLUGIN_ROOT",
        "CLAUDE_PLUGIN_DATA",
        "CLAUDE_SKILL_DIR",
        "CLAUDE_JOB_DIR",
        "CLAUDE_AGENT_SDK_VERSION",
        "CLAUDE_AGENT_SDK_CLIENT_APP",
        "CLAUDE_CODE_ENTRYPOINT",
        "CLAUDE_CODE_SSE_PORT",
        "CLAUDE_CODE_LAUNCHED_BY_SESSION_IDS",
        "CLAUDE_CODE_TASK_LIST_ID",
        "CLAUDE_CODE_WORKER_EPOCH",
        "CLAUDE_CODE_TMUX_SESSION",
        "CLAUDE_CODE_TMUX_PREFIX",
        "CLAUDE_CODE_SDK_READS_SESSION_STATE",
        "CLAUDE_CODE_SDK_READS_STARTUP_MARKS",
        "CLAUDE_CODE_SDK_HAS_OAUTH_REFRESH",
        "CLAUDE_CODE_SDK_HAS_HOST_AUTH_REFRESH",
        "CLAUDE_CODE_SDK_HAS_SESSIONS_OAUTH_REFRESH",
        "CLAUDE_CODE_EVEN_MORE_DANGEROUSLY_SKIP_PERMISSIONS",
    ]
)
"""What a Claude Code around the client says about itself; a session of ours is not that one."""

SURROUNDING_PREFIXES = (
    "CLAUDE_CODE_SESSION_",
    "CLAUDE_CODE_CHILD_",
    "CLAUDE_CODE_MESSAGING_",
    "CLAUDE_CODE_HOST_",
    "CLAUDE_CODE_BRIDGE_",
    "CLAUDE_CODE_RESUME_",
    "CLAUDE_CODE_RELAUNCH_",
    "CLAUDE_BG_",
    "CLAUDE_BRIDGE_",
    "CLAUDE_RUNNER_",
    "CLAUDE_PTY_",
)
SURROUNDING_SUFFIXES = ("_FILE_DESCRIPTOR",)
"""A descriptor number means nothing in another process."""

RUN: Mapping[str, str] = {"CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"}
"""What each run gets on top: with it the CLI says when a session is running, idle or waits for an answer."""

_OFF = ("", "0", "false", "no", "off")


def allowed(env: Mapping[str, str], extra: Iterable[str] = ()) -> dict[str, str]:
    """Return the part of `env` that a session may see.

    `extra` names more variables; an entry that ends in `*` stands for all names that begin so. It cannot bring
    back what belongs to a surrounding Claude Code.
    """
    prefixes = ALLOWED_PREFIXES + _clouds(env)
    names = set(ALLOWED)
    for entry in extra:
        if entry.endswith("*"):
            prefixes += (entry[:-1],)
        else:
            names.add(entry)
    return {
        name: value
        for name, value in env.items()
        if (name in names or name.startswith(prefixes) or name.endswith(ALLOWED_SUFFIXES)) and not _surrounding(name)
    }


def for_run(env: Mapping[str, str], wished: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a run: the already reduced `env` of its client, the caller's wishes, and ours.

    Raises:
        ValueError: a wished name or value cannot be an environment variable.
    """
    wished = wished or {}
    for name, value in wished.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise ValueError(f"{name[:60]!r} cannot be set as an environment variable")
    return {**env, **wished, **RUN}


def _clouds(env: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        prefix
        for switch, prefixes in CLOUDS.items()
        if env.get(switch, "").strip().lower() not in _OFF
        for prefix in prefixes
    )


def _surrounding(name: str) -> bool:
    return name in SURROUNDING or name.startswith(SURROUNDING_PREFIXES) or name.endswith(SURROUNDING_SUFFIXES)
