"""What in a project can run code, or open a way to it, when Claude Code starts there; and one fingerprint of all of it.

Measured on 2.1.327, headless, without any question: settings of the directory run hooks and helpers and set
variables (the API's address among them); each `.mcp.json` from the directory up to the root starts its servers;
agents, commands and skills of the directory and its parents, up to the root of the git repository or of the disk,
are loaded. Files that a command of these names count too, since they are what really runs. Doubt counts as yes:
that only means that the user is asked once more.
"""

import hashlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.plain_files import open_plain

_HARMLESS = frozenset(
    (
        "$schema", "model", "theme", "language", "outputStyle", "verbose", "viewMode", "effortLevel", "editorMode",
        "alwaysThinkingEnabled", "showThinkingSummaries", "includeCoAuthoredBy", "attribution", "cleanupPeriodDays",
        "spinnerTipsEnabled", "prefersReducedMotion", "timeFormat", "timeZone", "companyAnnouncements",
    )
)  # fmt: skip
"""Settings that change how Claude Code looks or words things; every other one counts, the unknown ones too."""

_DOES: Mapping[str, str] = {
    "hooks": "runs commands on events",
    "env": "sets environment variables",
    "permissions": "changes what is allowed without asking",
    "enableAllProjectMcpServers": "starts MCP servers",
    "enabledMcpjsonServers": "starts MCP servers",
    "enabledPlugins": "loads plugins",
    "prependPlugins": "loads plugins",
    "appendPlugins": "loads plugins",
    "extraKnownMarketplaces": "loads plugins",
    "additionalMarketplaces": "loads plugins",
    "sandbox": "changes the sandbox",
}
_RUNS = frozenset(
    (
        "apiKeyHelper", "proxyAuthHelper", "awsCredentialExport", "awsAuthRefresh", "gcpAuthRefresh", "processWrapper",
        "policyHelper", "fileSuggestion", "statusLine", "subagentStatusLine", "otelHeadersHelper", "sshHostCommands",
    )
)  # fmt: skip
_FOLDERS: Mapping[str, str] = {
    "hooks": "is run by hooks",
    "workflows": "runs as a workflow",
    "routines": "runs by itself",
    "plugins": "is part of a plugin",
}
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"hooks[\"']?\s*:", re.I), "runs commands on events"),
    (re.compile(r"mcp-?_?servers[\"']?\s*:", re.I), "starts MCP servers"),
    (re.compile(r"permission-?_?mode[\"']?\s*:", re.I), "changes what is allowed without asking"),
    (re.compile(r"allowed-?_?tools[\"']?\s*:", re.I), "changes what is allowed without asking"),
    (re.compile(r"!`|```!"), "runs shell commands when it is used"),
    # A key may be spelled with escapes, and then the words above would not be found.
    (re.compile(r"\A\ufeff?---\r?\n(?:(?!---)[^\\]*\n)*[^\n]*\\"), "has a front matter that cannot be read for sure"),
)
_PROJECT_DIR = re.compile(r"\$\{?CLAUDE_PROJECT_DIR\}?/?")
_TOKEN = re.compile(r"[^\s\"'`;|&<>()=,]+")
_WRITTEN = re.compile(r">{1,2}\s*[\"']?[^\s\"'`;|&<>()]+")
"""Where a command writes to: a log that a hook appends to is nothing that runs."""
_TEXT_BYTES = 1024 * 1024
_HASH_BYTES = 64 * 1024 * 1024
_MOST_FILES = 3_000


@dataclass(frozen=True, slots=True)
class ExecutablePart:
    """One file that counts: its path (relative to the project where it is inside), what it does, a hash of it."""

    path: str
    does: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class ExecutableConfig:
    """All parts of a project that count, by path, and how much of its other configuration there is.

    `others`: agents, commands and skills that are words only, by kind; they count for nothing, but a run that
    distrusts the project goes without them too.
    """

    project: Path
    parts: tuple[ExecutablePart, ...]
    others: Mapping[str, int] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of all parts: the same as long as nothing that counts is changed, added or taken away."""
        text = "".join(f"{part.path}\0{part.sha256}\n" for part in self.parts)
        return hashlib.sha256(b"1\n" + text.encode("utf-8", "surrogateescape")).hexdigest()


def executable_config(project: Path, home: Path | None = None) -> ExecutableConfig:
    """Return what counts when Claude Code starts in `project`.

    `home` is the user's home directory: what lies in its own `.claude` is the user's. Files that cannot be read count
    as they are: by name and by the reason.
    """
    return _Collector(Path(os.path.realpath(project)), None if home is None else Path(os.path.realpath(home))).collect()


class _Collector:
    def __init__(self, project: Path, home: Path | None) -> None:
        self._project = project
        self._home = home
        self._parts: dict[str, ExecutablePart] = {}
        self._others: dict[str, int] = {}
        self._seen: set[str] = set()

    def collect(self) -> ExecutableConfig:
        for name in ("settings.json", "settings.local.json"):
            self._settings(self._project / ".claude" / name)
        for folder in (self._project, *self._project.parents):
            self._servers(folder / ".mcp.json")
        for folder in self._loaded_folders():
            if self._home is None or folder != self._home:
                self._claude_folder(folder / ".claude")
        parts = tuple(self._parts[path] for path in sorted(self._parts))
        return ExecutableConfig(self._project, parts, dict(sorted(self._others.items())))

    def _loaded_folders(self) -> Iterator[Path]:
        """Yield the directories whose agents, commands and skills are loaded."""
        for folder in (self._project, *self._project.parents):
            yield folder
            if os.path.lexists(folder / ".git"):
                return

    def _settings(self, path: Path) -> None:
        data = _content(path)
        if data is None:
            return
        value = _json(data)
        if not isinstance(value, dict):
            self._add(path, ["cannot be read for sure"])
            return
        counts = {key: item for key, item in value.items() if key not in _HARMLESS}
        if counts:
            does = [_DOES.get(key) or (f"runs a command ({key})" if key in _RUNS else _other(key)) for key in counts]
            # Only what counts is hashed, so that another model or theme does not end the trust.
            self._add(path, does, json.dumps(counts, sort_keys=True).encode())
            self._named_files(counts)

    def _servers(self, path: Path) -> None:
        data = _content(path)
        if data is None:
            return
        value = _json(data)
        servers = value.get("mcpServers") if isinstance(value, dict) else None
        names = list(servers) if isinstance(servers, dict) else []
        self._add(
            path, [f"starts the MCP server {one_line(str(name), 60)}" for name in names[:20]] or ["names MCP servers"]
        )
        self._named_files(value)

    def _claude_folder(self, folder: Path) -> None:
        for kind in ("agents", "commands", "skills"):
            for path in self._files(folder / kind):
                self._words(path, kind)
        for name, does in _FOLDERS.items():
            for path in self._files(folder / name):
                self._add(path, [does])
        tasks = folder / "scheduled_tasks.json"
        if tasks.exists():
            self._add(tasks, ["runs by itself"])

    def _words(self, path: Path, kind: str) -> None:
        data = _content(path)
        if data is None or (path.suffix.lower() != ".md" and kind != "skills"):
            return
        text = data.decode("utf-8", "replace")
        does = [what for pattern, what in _WORDS if pattern.search(text)]
        if len(data) >= _TEXT_BYTES:
            does.append("is too long to be read")
        if path.suffix.lower() != ".md":
            # A file beside SKILL.md is only run by the model, which asks; unless the skill allows it to run.
            skill = _content(path.parent / "SKILL.md") or _content(path.parent.parent / "SKILL.md") or b""
            does = ["is run by a skill"] if re.search(rb"allowed-?_?tools|!`", skill, re.I) else []
        elif not does and (kind != "skills" or path.name == "SKILL.md"):
            self._others[kind] = self._others.get(kind, 0) + 1
        if does:
            self._add(path, does)

    def _named_files(self, value: Any) -> None:
        """Add the files of the project that a command in `value` names."""
        for text in _strings(value):
            for token in _TOKEN.findall(_WRITTEN.sub(" ", _PROJECT_DIR.sub("", text[:20_000]))):
                if len(token) > 1_000 or token.startswith(("-", "/")) or "\0" in token:
                    continue
                path = Path(os.path.normpath(self._project / token))
                if path.is_relative_to(self._project) and path != self._project and _is_file(path):
                    self._add(path, ["is named by a command"])

    def _files(self, folder: Path) -> Iterator[Path]:
        """Yield the files below `folder`, links followed, each real directory once."""
        real = os.path.realpath(folder)
        if real in self._seen:
            return
        self._seen.add(real)
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError:
            return
        for entry in entries:
            path = Path(entry.path)
            if entry.is_dir():
                yield from self._files(path)
            elif len(self._parts) < _MOST_FILES:
                yield path

    def _add(self, path: Path, does: list[str], data: bytes | None = None) -> None:
        try:
            name = str(path.relative_to(self._project))
        except ValueError:
            name = str(path)
        before = self._parts.get(name)
        digest = hashlib.sha256(data).hexdigest() if data is not None else _hash(path)
        if path.is_symlink():
            digest = hashlib.sha256(f"{digest}\0{os.readlink(path)}".encode("utf-8", "surrogateescape")).hexdigest()
        if before is not None:
            does, digest = [*before.does, *does], before.sha256
        self._parts[name] = ExecutablePart(name, tuple(dict.fromkeys(does)), digest)


def _json(data: bytes) -> Any:
    """Return what `data` says, None where it is no JSON or was too long to be read to its end."""
    try:
        return json.loads(data) if len(data) < _TEXT_BYTES else None
    except (ValueError, RecursionError):
        return None


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _other(key: str) -> str:
    return f"sets {one_line(key, 40)}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _content(path: Path) -> bytes | None:
    """Return the beginning of a file, None where there is none; something that is no file counts by what it is."""
    try:
        with open_plain(path) as file:
            return file.read(_TEXT_BYTES)
    except FileNotFoundError:
        return None
    except OSError as exc:
        return f"unreadable: {exc.strerror}".encode()


def _hash(path: Path) -> str:
    """Return the SHA-256 of a file, of its first 64 MiB and its size where it is longer."""
    digest = hashlib.sha256()
    try:
        with open_plain(path) as file:
            left = _HASH_BYTES
            while left > 0 and (piece := file.read(min(left, 1 << 20))):
                digest.update(piece)
                left -= len(piece)
            if left <= 0:
                digest.update(str(os.fstat(file.fileno()).st_size).encode())
    except OSError as exc:
        digest.update(f"unreadable: {exc.strerror}".encode())
    return digest.hexdigest()
