"""Puts our hooks into Claude Code's settings, and takes them out again as if they had never been there."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_code_mcp import __version__
from claude_code_mcp.features.hooks import rules
from claude_code_mcp.features.hooks.errors import HooksProjectMissing, PluginFolderTaken
from claude_code_mcp.features.hooks.models import (
    HookChange,
    HookPlace,
    HookPlugin,
    HookSettings,
    HookStatus,
    InstallHooks,
    MakeHookPlugin,
    ShowHooks,
    UninstallHooks,
)
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.events import Source
from claude_code_mcp.kernel.file_change import Action
from claude_code_mcp.platform.claude.hooks.block import Block
from claude_code_mcp.platform.claude.hooks.script import LOG, SPOOL, is_heard, keep_script
from claude_code_mcp.platform.clients.host import PROGRAM, Host
from claude_code_mcp.platform.clients.places import Scope
from claude_code_mcp.platform.db.database import Database
from claude_code_mcp.platform.eventlog import log as eventlog
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.atomic import write_atomic
from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.locks import directory_lock
from claude_code_mcp.platform.files.offload import off_loop

_UNDO = "hooks-undo.json"
_NAMES = {Scope.PROJECT: "settings.json", Scope.LOCAL: "settings.local.json"}


@dataclass(frozen=True, slots=True)
class Hooks:
    """Knows the host, where our data is, the port that hooks tell, and `redact`, which takes secrets out of texts.

    `token`: what hooks show to the listener, "" where it knows its callers without.
    """

    host: Host
    state_dir: Path
    port: Callable[[], int]
    token: Callable[[], str]
    database: Database
    redact: Callable[[str], str]

    async def install(self, wish: InstallHooks, caller: Caller) -> HookChange:
        """Add or renew our entries; where they are as they should be nothing is written.

        Raises:
            HooksProjectMissing, FileBroken, FileRefused, FileBusy, FileUnavailable: nothing was changed.
        """
        return await off_loop(self._install, wish, caller)

    async def uninstall(self, wish: UninstallHooks, caller: Caller) -> HookChange:
        """Take our entries out; a file that nobody changed since is as it was before, byte for byte.

        Raises:
            as `install`.
        """
        return await off_loop(self._uninstall, wish, caller)

    async def status(self, wish: ShowHooks, caller: Caller) -> HookStatus:
        """Return where our hooks are, and whether they tell anything.

        Raises:
            HooksProjectMissing: the project that was named is no directory.
        """
        last = await self.database.scan(lambda db: eventlog.last_told_by(db, Source.HOOK))
        return await off_loop(self._status, wish, caller, last)

    async def settings(self) -> HookSettings:
        """Return our hooks as settings for one run."""
        await off_loop(keep_script, self.state_dir)
        return HookSettings(settings={"hooks": _lists(self._block(Scope.USER))})

    async def plugin(self, wish: MakeHookPlugin, caller: Caller) -> HookPlugin:
        """Write our hooks as a plugin.

        Raises:
            PluginFolderTaken: the folder holds something else than such a plugin; nothing was written.
        """
        return await off_loop(self._plugin, wish, caller)

    def _block(self, scope: Scope) -> Block:
        if scope is Scope.PROJECT:
            # The file is everybody's: no path of this machine, and no secret.
            return Block(self.port())
        return Block(self.port(), self.state_dir, self.token())

    def _install(self, wish: InstallHooks, caller: Caller) -> HookChange:
        path, block = self._path(wish.scope, wish.project_path, caller), self._block(wish.scope)
        wanted = block.entries()
        planned, backup = editor.plan(path, lambda text: rules.installed(text, wanted)), None
        held = rules.look(planned.before or "", wanted).events
        if not wish.dry_run:
            keep_script(self.state_dir)
            done = editor.apply(planned, backup=wish.backup, new_mode=0o644 if wish.scope is Scope.PROJECT else 0o600)
            planned, backup = done.plan, done.backup
            if done.wrote:
                self._remember(planned, held=bool(held))
        action = Action.UNCHANGED if not planned.changed else Action.UPDATED if held else Action.ADDED
        off = rules.look(planned.after, wanted).switched_off_by
        notes = _notes(wish.scope, off, heard=is_heard(self.state_dir)) if planned.changed else []
        return self._change(wish, planned, action, len(wanted), backup, notes)

    def _uninstall(self, wish: UninstallHooks, caller: Caller) -> HookChange:
        path = self._path(wish.scope, wish.project_path, caller)
        kept = self._undo().get(str(path))

        def edit(text: str) -> str:
            if kept and kept["before"] is not None and kept["after"] == _digest(text):
                return str(kept["before"])
            return rules.uninstalled(text)

        planned, backup = editor.plan(path, edit), None
        events = rules.look(planned.before or "", {}).events
        if not wish.dry_run:
            done = editor.apply(planned, backup=wish.backup)
            planned, backup = done.plan, done.backup
            if done.wrote and kept and kept["before"] is None and kept["after"] == _digest(planned.before or ""):
                _remove_if(planned.target, planned.after)
            if kept:
                self._forget(path)
        return self._change(wish, planned, Action.REMOVED if planned.changed else Action.UNCHANGED, events, backup, [])

    def _change(
        self,
        wish: InstallHooks | UninstallHooks,
        planned: editor.Plan,
        action: Action,
        events: int,
        backup: Path | None,
        notes: list[str],
    ) -> HookChange:
        return HookChange(
            scope=wish.scope,
            file=str(planned.path),
            action=action,
            events=events,
            port=self.port(),
            dry_run=wish.dry_run,
            diff=self._shown(planned.diff()),
            backup_file=str(backup) if backup else None,
            notes=notes,
        )

    def _shown(self, diff: str) -> str:
        token = self.token()
        return self.redact(diff.replace(token, "[redacted]") if token else diff)

    def _status(self, wish: ShowHooks, caller: Caller, last: str | None) -> HookStatus:
        log = self.state_dir / SPOOL / LOG
        return HookStatus(
            items=[self._look(scope, wish.project_path, caller) for scope in (Scope.USER, Scope.PROJECT, Scope.LOCAL)],
            port=self.port(),
            listening=is_heard(self.state_dir),
            last_event_at=last,
            kept_bytes=log.stat().st_size if log.exists() else 0,
        )

    def _look(self, scope: Scope, project: str | None, caller: Caller) -> HookPlace:
        path = self._path(scope, project, caller)
        item = HookPlace(scope=scope, file=str(path))
        try:
            found = rules.look(editor.read_text(path) or "", self._block(scope).entries())
        except BrokenText as exc:
            where = f" (line {exc.line}, column {exc.column})" if exc.line else ""
            item.problem = f"The file is not valid JSON{where}: {exc.problem}. Correct it by hand."
            return item
        except ClaudeCodeMcpError as exc:
            item.problem = str(exc)
            return item
        item.events, item.current = found.events, found.current
        if found.events and not found.current:
            item.problem = f"They are of another version or port. Run `{PROGRAM} hooks install --scope {scope.value}`."
        elif found.events and found.switched_off_by:
            item.problem = f"`{found.switched_off_by}` in this file switches hooks off."
        return item

    def _path(self, scope: Scope, project: str | None, caller: Caller) -> Path:
        host = self.host.of_client(caller.env)
        if scope is Scope.USER:
            named = host.env.get("CLAUDE_CONFIG_DIR", "")
            return (Path(named) if named else host.home / ".claude") / "settings.json"
        directory = _absolute(host, project or caller.cwd or str(host.home), caller)
        if project and not directory.is_dir():
            raise HooksProjectMissing(
                f"{directory} is not a directory.", remedy="Name an existing project with -C.", path=str(directory)
            )
        return directory / ".claude" / _NAMES[scope]

    def _plugin(self, wish: MakeHookPlugin, caller: Caller) -> HookPlugin:
        folder = _absolute(self.host.of_client(caller.env), wish.out, caller)
        manifest = folder / ".claude-plugin" / "plugin.json"
        if folder.exists() and not manifest.is_file() and (not folder.is_dir() or any(folder.iterdir())):
            raise PluginFolderTaken(
                f"{folder} holds something that is no plugin.", remedy="Name a new folder.", path=str(folder)
            )
        keep_script(self.state_dir)
        about = {
            "name": f"{PROGRAM}-hooks",
            "version": __version__,
            "description": f"Tells {PROGRAM} on this machine what your sessions do.",
        }
        files = {manifest: about, folder / "hooks" / "hooks.json": {"hooks": _lists(self._block(Scope.USER))}}
        for path, value in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, json.dumps(value, indent=2).encode() + b"\n")
        return HookPlugin(directory=str(folder), files=[str(path) for path in files])

    def _undo(self) -> dict[str, dict[str, Any]]:
        try:
            kept = json.loads((self.state_dir / _UNDO).read_text("utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}

    def _remember(self, done: editor.Plan, *, held: bool) -> None:
        """Keep how the file was without us, so that it can be so again; what we changed before counts as ours."""
        kept = self._undo()
        old = kept.pop(str(done.path), None)
        if not held:
            kept[str(done.path)] = {"after": _digest(done.after), "before": done.before}
        elif old and old["after"] == _digest(done.before or ""):
            kept[str(done.path)] = {"after": _digest(done.after), "before": old["before"]}
        write_atomic(self.state_dir / _UNDO, json.dumps(kept).encode())

    def _forget(self, path: Path) -> None:
        kept = self._undo()
        kept.pop(str(path), None)
        write_atomic(self.state_dir / _UNDO, json.dumps(kept).encode())


def _lists(block: Block) -> dict[str, list[Mapping[str, Any]]]:
    return {event: [entry] for event, entry in block.entries().items()}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _remove_if(target: Path, text: str) -> None:
    """Remove a file that only we had made, unless somebody has written to it in between."""
    with directory_lock(target.parent, 15.0):
        if editor.read_text(target) == text:
            target.unlink(missing_ok=True)


def _absolute(host: Host, path: str, caller: Caller) -> Path:
    if path == "~" or path.startswith("~/"):
        path = f"{host.home}{path[1:]}"
    return Path(os.path.normpath(Path(caller.cwd or host.home) / path))


def _notes(scope: Scope, off: str, *, heard: bool) -> list[str]:
    found = [
        "Sessions that run now take it up within seconds; `claude-code-mcp hooks status` tells what was heard last."
    ]
    if scope is Scope.PROJECT:
        found.append(
            "Others who share this file are heard only where their http_port is the same; elsewhere it is idle."
        )
    if not heard:
        found.append("Nobody listens for them now: `claude-code-mcp daemon status` says why.")
    if off:
        found.append(f"`{off}` in this file switches hooks off: Claude Code will not run them.")
    return found
