"""Every setting of this program: its type, default, unit, bounds, and what it is called elsewhere."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from annotated_types import Ge, Gt, Le
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)
from pydantic.fields import FieldInfo

from claude_code_mcp.platform.settings.client_env import expanded, split_names
from claude_code_mcp.platform.settings.errors import UnknownSetting

PREFIX = "CLAUDE_CODE_MCP_"
_SIZES = {"": 1, "b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "kb": 10**3, "mb": 10**6}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*\Z", re.IGNORECASE)
_DAY_MS = 86_400_000
_YEAR_S = 366 * 86_400.0


def _bytes(value: Any) -> Any:
    """Take `16MiB` as well as 16777216."""
    found = _SIZE.match(value) if isinstance(value, str) else None
    if found is None or found[2].lower() not in _SIZES:
        return value
    return int(float(found[1]) * _SIZES[found[2].lower()])


def _absent(value: Any) -> Any:
    """TOML has no null: these words stand for it."""
    return None if isinstance(value, str) and value.strip().lower() in {"none", "off", "wait", "forever"} else value


def _words(value: Any) -> Any:
    return split_names(value) if isinstance(value, str) else value


def _level(value: Any) -> Any:
    word = value.strip().lower() if isinstance(value, str) else value
    return "warning" if word == "warn" else word


def _absolute(value: Any, info: ValidationInfo) -> Any:
    """Expand `~`; a path that depends on the working directory would mean something else to each client."""
    if not isinstance(value, str | Path):
        return value
    path = expanded(str(value), (info.context or {}).get("env", os.environ))
    if not path.startswith("/"):
        raise ValueError("it must be an absolute path")
    return path


def _program(value: Any, info: ValidationInfo) -> Any:
    """Take a bare name too: it is looked up on PATH."""
    return _absolute(value, info) if "/" in str(value) or str(value).startswith("~") else value


def _names(value: tuple[str, ...]) -> tuple[str, ...]:
    for name in value:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*\*?", name):
            raise ValueError(f"{name[:60]!r} is not a variable's name (a `*` at its end stands for the rest)")
    return value


def _url(value: str | None) -> str | None:
    if value is None:
        return None
    if not re.fullmatch(r"https?://[^\s/]+\S*", value):
        raise ValueError("it must be an http or https URL")
    return value.rstrip("/")


Bytes = Annotated[int, BeforeValidator(_bytes)]
AbsolutePath = Annotated[Path, BeforeValidator(_absolute)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
AbsolutePaths = Annotated[tuple[AbsolutePath, ...], BeforeValidator(_words)]
VariableNames = Annotated[Words, AfterValidator(_names)]


def _setting(
    default: Any,
    description: str,
    *,
    unit: str = "",
    also: tuple[str, ...] = (),
    scope: str = "daemon",
    **bounds: Any,
) -> Any:
    """Declare one setting.

    `also` lists further names in the environment, `scope` says who sets it: `daemon` (at its start), `client`
    (each client for its own calls), or `home` (flag and environment only, since the file's place hangs on it).
    """
    extra: dict[str, Any] = {"unit": unit, "also": list(also), "scope": scope}
    if callable(default):
        return Field(default_factory=default, description=description, json_schema_extra=extra, **bounds)
    return Field(default, description=description, json_schema_extra=extra, **bounds)


def _cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Settings(BaseModel):
    """All settings, frozen. `sources.load` makes one from flags, environment and file."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=False)

    state_dir: AbsolutePath = _setting(
        ..., "Where the daemon keeps its data; mode 0700.", also=("CLAUDE_CODE_MCP_HOME",), scope="home"
    )
    claude_binary: Annotated[Path | None, BeforeValidator(_program)] = _setting(
        None,
        "The Claude Code binary to run; found by search when unset.",
        also=("CLAUDE_CODE_BINARY",),
        scope="client",
    )
    default_model: Annotated[str, Field(min_length=1, max_length=200)] | None = _setting(
        None, "The model of sessions that do not name one.", also=("CLAUDE_DEFAULT_MODEL",), scope="client"
    )
    default_working_directory: AbsolutePath | None = _setting(
        None,
        "The project of sessions that do not name one; the client's own directory when unset.",
        also=("DEFAULT_WORKING_DIRECTORY",),
        scope="client",
    )
    default_allowed_tools: Words = _setting(
        (), "The tools that sessions may use without asking.", also=("DEFAULT_ALLOWED_TOOLS",), scope="client"
    )
    session_timeout_ms: int = _setting(
        _DAY_MS,
        "How long a session may work on one message.",
        unit="milliseconds",
        also=("SESSION_TIMEOUT_MS",),
        scope="client",
        ge=1000,
        le=366 * _DAY_MS,
    )
    max_concurrent_sessions: int = _setting(
        100, "How many sessions may be live at once.", also=("MAX_CONCURRENT_SESSIONS",), ge=1, le=10_000
    )
    max_starts: int = _setting(
        _cores, "How many Claude Code processes may start at once; as many as cores when unset.", ge=1, le=1000
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_level)] = _setting(
        "info", "What is logged: debug, info, warning (or warn) or error, and what is worse.", also=("LOG_LEVEL",)
    )
    debug: bool = _setting(False, "Log everything, whatever `log_level` says.", also=("CLAUDE_MCP_DEBUG",))
    log_file_bytes: Bytes = _setting(
        10 * 2**20, "The size at which a new log file is begun.", unit="bytes", ge=4096, le=2**32
    )
    log_files: int = _setting(5, "How many full log files are kept.", ge=1, le=1000)
    idle_exit_s: float = _setting(
        1800.0,
        "How long the daemon stays when nothing runs and nobody is connected; 0 stays for ever.",
        unit="seconds",
        ge=0,
        le=_YEAR_S,
    )
    session_idle_s: float = _setting(
        600.0, "How long a session's process is kept warm after a turn.", unit="seconds", ge=0, le=_YEAR_S
    )
    approval_timeout_s: Annotated[float | None, BeforeValidator(_absent)] = _setting(
        None,
        "How long a permission question waits for an answer; none waits for ever.",
        unit="seconds",
        gt=0,
        le=_YEAR_S,
    )
    approval_on_timeout: Literal["deny", "wait"] = _setting(
        "deny", "What becomes of a question that nobody answered in `approval_timeout_s`: deny, or wait on."
    )
    wait_default_s: float = _setting(
        45.0, "How long a call waits for an answer when it does not say.", unit="seconds", ge=0, le=1500
    )
    disk_low_bytes: Bytes = _setting(
        2**30, "Free space below which no new session is started.", unit="bytes", ge=0, le=2**50
    )
    disk_critical_bytes: Bytes = _setting(
        200 * 2**20, "Free space below which running sessions are stopped too.", unit="bytes", ge=0, le=2**50
    )
    line_limit_bytes: Bytes = _setting(
        16 * 2**20, "The longest line of a session's output that is read whole.", unit="bytes", ge=2**16, le=2**30
    )
    run_output_limit_bytes: Bytes = _setting(
        4 * 2**30, "The most that one run may write before it is stopped.", unit="bytes", ge=2**20, le=2**50
    )
    claude_config_dirs: AbsolutePaths = _setting(
        (), "More configuration directories of Claude Code whose sessions are shown, beside those of all callers."
    )
    activity_keep_h: float = _setting(
        24.0,
        "Sessions of others are taken into the event log while they are live or were used in so many hours; older ones"
        " are read from their transcripts when asked for.",
        unit="hours",
        ge=0,
        le=_YEAR_S / 3600,
    )
    activity_watch: Literal["auto", "poll", "off"] = _setting(
        "auto",
        "How transcripts and registries of Claude Code are followed: auto (told by the system), poll (looked at every"
        " two seconds, for file systems that tell nothing), or off.",
    )
    activity_archive_h: float = _setting(
        24.0,
        "How long the tree of an ended session stays in memory; after that it is made anew when asked for.",
        unit="hours",
        ge=0,
        le=24 * 366,
    )
    runs_keep_days: float = _setting(30.0, "How long the files of ended runs are kept.", unit="days", ge=0, le=36_500)
    extra_env: VariableNames = _setting(
        (), "More variables of the client that sessions may see; NAME, or PREFIX* for all that begin so."
    )
    npm_registry: Annotated[str | None, AfterValidator(_url), BeforeValidator(_absent)] = _setting(
        None, "Where the newest Claude Code version is asked for; what npm itself is set to when unset."
    )
    npm_timeout_s: float = _setting(5.0, "How long to wait for the registry's answer.", unit="seconds", gt=0, le=120)

    checkpoint_key_file: Annotated[AbsolutePath | None, BeforeValidator(_absent)] = _setting(
        None,
        "A file (mode 0600) that holds the keys of sealed secrets; the system's keyring does when unset.",
    )
    session_hooks: bool = _setting(
        False, "Give our own sessions our hooks too; their output tells nearly all that hooks tell."
    )
    http: bool = _setting(True, "Listen for HTTP on this machine: hooks, telemetry, the API, MCP.")
    http_port: int = _setting(
        0, "The port to listen on; 0 chooses a free one, once, and keeps it with the data.", ge=0, le=65535
    )

    jobs_max: int = _setting(
        10, "How many background jobs may run at once.", also=("MCP_BG_MAX_JOBS",), scope="client", ge=1, le=10_000
    )
    job_output_limit_bytes: Bytes = _setting(
        10 * 2**20,
        "How much output of each stream of a job is kept: its head and its tail.",
        unit="bytes",
        also=("MCP_BG_MAX_OUTPUT_SIZE",),
        scope="client",
        ge=4096,
        le=2**50,
    )
    job_timeout_s: Annotated[float | None, BeforeValidator(_absent)] = _setting(
        None,
        "How long a job may run that does not say.",
        unit="seconds",
        also=("MCP_BG_JOB_TIMEOUT",),
        scope="client",
        gt=0,
        le=_YEAR_S,
    )
    jobs_cleanup_interval_s: float = _setting(
        300.0,
        "How often ended jobs are cleared away.",
        unit="seconds",
        also=("MCP_BG_CLEANUP_INTERVAL",),
        ge=1,
        le=_YEAR_S,
    )
    jobs_keep_h: float = _setting(
        72.0, "How long ended jobs and their output are kept.", unit="hours", ge=0, le=24 * 366
    )
    jobs_keep: int = _setting(500, "How many ended jobs are kept at most.", ge=0, le=1_000_000)
    job_sandbox: Literal["none", "limits", "fs", "fs+net"] = _setting(
        "none", "How far jobs are confined that do not say: none, limits, fs, or fs+net."
    )
    job_policy: Words = _setting(
        (),
        "Rules for the commands of jobs, such as `deny(git push *)` and `ask(rm *)`; the strictest that fits counts."
        " Advice, not a guard: the sandbox is the guard.",
    )

    _origins: Mapping[str, str] = PrivateAttr(default_factory=lambda: MappingProxyType({}))

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.disk_critical_bytes > self.disk_low_bytes:
            raise ValueError(
                f"disk_critical_bytes ({self.disk_critical_bytes}) must not be more than"
                f" disk_low_bytes ({self.disk_low_bytes})"
            )
        return self

    def model_post_init(self, context: Any) -> None:
        """Take over where the values came from."""
        self._origins = MappingProxyType(dict((context or {}).get("origins", {})))

    def origin(self, name: str) -> str:
        """Return where the value of `name` came from: `flag`, `env NAME`, `file PATH`, `default`.

        What a client set for its calls comes from `client env NAME`.

        Raises:
            UnknownSetting: there is no such setting.
        """
        about(name)
        return self._origins.get(name, "default")

    @property
    def origins(self) -> Mapping[str, str]:
        """Where each value came from that is not the default."""
        return self._origins

    @property
    def effective_log_level(self) -> str:
        """The level to log at: `log_level`, or debug when `debug` is set."""
        return "debug" if self.debug else self.log_level


@dataclass(frozen=True, slots=True)
class About:
    """What is known about one setting. `env` lists its names in the environment, the first that is set counts."""

    name: str
    description: str
    unit: str
    default: Any
    env: tuple[str, ...]
    scope: str
    bounds: str


def about(name: str) -> About:
    """Return what is known about the setting `name`.

    Raises:
        UnknownSetting: there is no such setting; the remedy names the nearest one.
    """
    field = Settings.model_fields.get(name)
    if field is None:
        raise unknown(name)
    return _about(name, field)


@cache  # asked at every start of a session, and always the same
def all_settings() -> tuple[About, ...]:
    """Return what is known about every setting, in the order of declaration."""
    return tuple(_about(name, field) for name, field in Settings.model_fields.items())


def unknown(name: str, where: str = "") -> UnknownSetting:
    """Return the error for a name that is none, with the nearest one that is."""
    from difflib import get_close_matches  # noqa: PLC0415  (costs milliseconds, needed only to complain)

    near = get_close_matches(name, Settings.model_fields, 1, 0.5)
    return UnknownSetting(
        f"There is no setting {name[:80]!r}{where}.",
        remedy=f"Did you mean `{near[0]}`?" if near else "`claude-code-mcp config show` lists all.",
        name=name,
    )


def _about(name: str, field: FieldInfo) -> About:
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        raise TypeError(f"{name} was not declared as a setting")
    default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    also = tuple(str(other) for other in extra["also"]) if isinstance(extra["also"], list) else ()
    own = () if extra["scope"] == "home" else (PREFIX + name.upper(),)
    unit, scope = str(extra["unit"]), str(extra["scope"])
    return About(name, field.description or "", unit, default, own + also, scope, _bounds(field))


def _bounds(field: FieldInfo) -> str:
    """Return the limits of a number in words; nothing for anything else."""
    low: list[str] = []
    high: list[str] = []
    for limit in field.metadata:
        if isinstance(limit, Ge):
            low.append(f"at least {limit.ge}")
        elif isinstance(limit, Gt):
            low.append(f"more than {limit.gt}")
        elif isinstance(limit, Le):
            high.append(f"at most {limit.le}")
    return " and ".join(low + high)
