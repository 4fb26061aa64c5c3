"""One Claude Code's own files, below its configuration directory: where they are, and what they say about sessions."""

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.ids import SessionId, is_uuid
from claude_code_mcp.kernel.ids import session_id as checked_id
from claude_code_mcp.platform.claude.global_config import global_config
from claude_code_mcp.platform.claude.live import LiveEntry, live_sessions
from claude_code_mcp.platform.claude.transcripts import PastSession, encoded, last_uuids, peek, taken_messages


@dataclass(frozen=True, slots=True)
class ClaudeHome:
    """Where a Claude Code with a certain environment keeps its files. Nothing here is ever written.

    `config_dir`: `~/.claude` or `CLAUDE_CONFIG_DIR`. `global_file`: its `.claude.json`.
    """

    config_dir: Path
    global_file: Path

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "ClaudeHome":
        """Return the files that a Claude Code with `env` uses."""
        home = Path(env.get("HOME") or Path.home())
        named = env.get("CLAUDE_CONFIG_DIR")
        return cls(Path(named) if named else home / ".claude", global_config(home, env))

    @property
    def projects_dir(self) -> Path:
        """Where all transcripts are."""
        return self.config_dir / "projects"

    def project_dir(self, cwd: str | os.PathLike[str]) -> Path:
        """Return where the transcripts of sessions in `cwd` are; symbolic links in it are resolved."""
        return self.projects_dir / encoded(os.path.realpath(cwd))

    def transcript_path(self, cwd: str | os.PathLike[str], session_id: str) -> Path:
        """Return where the transcript of a session that began in `cwd` is, or will be.

        Raises:
            Invalid: `session_id` is no UUID.
        """
        return self.project_dir(cwd) / f"{checked_id(session_id)}.jsonl"

    def find_transcript(self, session_id: str) -> Path | None:
        """Return the transcript of a session, whatever directory it began in; the newest where there are several."""
        if not is_uuid(session_id):
            return None
        found = [path for folder in self._folders() if (path := folder / f"{session_id}.jsonl").is_file()]
        return max(found, key=_modified_ns, default=None)

    def live_sessions(self) -> list[LiveEntry]:
        """Return the sessions that run now, everybody's, the newest first."""
        return live_sessions(self.config_dir)

    def past_sessions(self, cwd: str | os.PathLike[str] | None = None, *, limit: int = 100) -> list[PastSession]:
        """Return the sessions that have a transcript, the last used first; only those that began in `cwd` where given.

        Each is looked into at its two ends only, until `limit` are found.
        """
        folders = self._folders() if cwd is None else iter([self.project_dir(cwd)])
        files = [(stamp, path) for folder in folders for path, stamp in _transcripts(folder)]
        wanted = None if cwd is None else os.path.realpath(cwd)
        found: list[PastSession] = []
        for _, path in sorted(files, reverse=True):
            if len(found) >= limit:
                break
            session = peek(path)
            # Two directories may share a folder of transcripts; the lines say which one it was.
            if session is not None and (wanted is None or session.cwd in (wanted, "")):
                found.append(session)
        return found

    def newest_session(self, cwd: str | os.PathLike[str]) -> PastSession | None:
        """Return the session that was last used in `cwd`: the one that `claude --continue` goes on with."""
        return next(iter(self.past_sessions(cwd, limit=1)), None)

    def last_uuids(self, session_id: str, limit: int = 20) -> list[str]:
        """Return the uuids of a session's last messages, the newest last; none where it has no transcript."""
        path = self.find_transcript(session_id)
        return last_uuids(path, limit) if path else []

    def taken_messages(self, session_id: str, uuids: Collection[str]) -> set[str]:
        """Return which messages were taken up in a session; sending those again does nothing."""
        path = self.find_transcript(session_id)
        return taken_messages(path, uuids) if path else set()

    def session_ids(self) -> set[SessionId]:
        """Return the ids of all sessions that have a transcript."""
        return {SessionId(path.stem) for folder in self._folders() for path, _ in _transcripts(folder)}

    def _folders(self) -> Iterator[Path]:
        try:
            with os.scandir(self.projects_dir) as entries:
                yield from [Path(entry.path) for entry in entries if entry.is_dir()]
        except OSError:
            return


def _transcripts(folder: Path) -> list[tuple[Path, int]]:
    """Return the transcripts in `folder` with the times of their last change, in nanoseconds."""
    try:
        with os.scandir(folder) as entries:
            return [
                (Path(entry.path), entry.stat().st_mtime_ns)
                for entry in entries
                if entry.name.endswith(".jsonl") and is_uuid(entry.name[:-6]) and entry.is_file()
            ]
    except OSError:
        return []


def _modified_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def task_output(env: Mapping[str, str], cwd: str | os.PathLike[str], session_id: str, task_id: str) -> Path:
    """Return where Claude Code writes what a background command of a session says (2.1.328: below the temporary
    directory, by user, folder and session).

    Raises:
        Invalid: `session_id` is no UUID, or `task_id` is not made of letters and digits.
    """
    if not task_id.isalnum() or not task_id.isascii() or len(task_id) > 64:
        raise Invalid(f"{task_id[:40]!r} is no id of a background task.", remedy="List them first.")
    place = Path(env.get("TMPDIR") or "/tmp") / f"claude-{os.getuid()}" / encoded(os.path.realpath(cwd))  # noqa: S108 - Claude Code's own choice
    return place / checked_id(session_id) / "tasks" / f"{task_id}.output"
