"""Where transcripts are, and whose each is, by its path alone."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.platform.files.appended import identity

_AGENT = re.compile(r"agent-([A-Za-z0-9_-]{1,100})(\.jsonl|\.meta\.json)\Z")
_ENDING = ".jsonl"


@dataclass(frozen=True, slots=True)
class TranscriptFile:
    """A transcript. `agent_id`: of the subagent whose it is, "" for that of the main thread."""

    path: Path
    session_id: SessionId
    agent_id: str = ""

    @property
    def meta_path(self) -> Path:
        """Where Claude Code says which call launched the subagent."""
        return self.path.with_suffix(".meta.json")

    @property
    def subagents_dir(self) -> Path:
        """Where the transcripts of the session's subagents are."""
        return self.path.parent if self.agent_id else self.path.with_suffix("") / "subagents"


@dataclass(frozen=True, slots=True)
class Found:
    """A transcript and what the directory says of it."""

    file: TranscriptFile
    device: int
    inode: int
    size_bytes: int
    mtime_ns: int


def locate(path: Path) -> TranscriptFile | None:
    """Return the transcript that `path` is, or is the description of; None where it is neither.

    Main threads are `projects/<folder>/<session>.jsonl`; their subagents `<session>/subagents/agent-<id>.jsonl` beside.
    """
    if path.suffix == _ENDING and is_uuid(path.stem) and path.parent.parent.name == "projects":
        return TranscriptFile(path, SessionId(path.stem))
    agent = _AGENT.match(path.name)
    if agent is None or path.parent.name != "subagents" or not is_uuid(path.parent.parent.name):
        return None
    own = path.with_name(f"agent-{agent.group(1)}{_ENDING}")
    return TranscriptFile(own, SessionId(path.parent.parent.name), agent.group(1))


def transcripts_in(config_dir: Path) -> Iterator[Found]:
    """Yield every transcript below a configuration directory, those of subagents too; what vanishes is passed over."""
    for folder in _entries(config_dir / "projects"):
        for entry in _entries(Path(folder.path)):
            if entry.name.endswith(_ENDING):
                yield from _found(entry)
            elif is_uuid(entry.name):
                for agent in _entries(Path(entry.path) / "subagents"):
                    if agent.name.endswith(_ENDING):
                        yield from _found(agent)


def found(path: Path) -> Found | None:
    """Return the transcript at `path` with what the file system says of it, None where there is none."""
    file = locate(path)
    try:
        info = file.path.stat() if file else None
    except OSError:
        return None
    if file is None or info is None:
        return None
    return Found(file, *identity(info), info.st_size, info.st_mtime_ns)


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _found(entry: "os.DirEntry[str]") -> Iterator[Found]:
    file = locate(Path(entry.path))
    try:
        info = entry.stat() if file is not None and entry.is_file() else None
    except OSError:
        return
    if file is not None and info is not None:
        yield Found(file, *identity(info), info.st_size, info.st_mtime_ns)
