"""Puts this program into the lists of MCP clients, and takes it out again."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from claude_code_mcp.features.installations import rules
from claude_code_mcp.features.installations.errors import EntryTaken, ProjectDirectoryMissing
from claude_code_mcp.features.installations.models import (
    AddInstallation,
    Installation,
    InstallationChange,
    InstallationList,
    ListInstallations,
    RemoveInstallation,
)
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError
from claude_code_mcp.kernel.file_change import Action
from claude_code_mcp.platform.clients.host import Host
from claude_code_mcp.platform.clients.places import SCOPES, Client, Place, PlaceUnknown, Scope, place
from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.files.errors import BrokenText
from claude_code_mcp.platform.files.json_document import MISSING
from claude_code_mcp.platform.files.json_text import get_value, remove_value, set_value
from claude_code_mcp.platform.files.offload import off_loop


@dataclass(frozen=True, slots=True)
class Installations:
    """Knows the host, and `redact`, which takes secrets out of what is shown."""

    host: Host
    redact: Callable[[str], str]

    async def add(self, wish: AddInstallation, caller: Caller) -> InstallationChange:
        """Add or renew our entry; an entry that is as it should be is left, one of another server refused.

        Raises:
            EntryTaken, ProjectDirectoryMissing, ScopeUnsupported, PlaceUnknown: nothing was changed.
            FileBroken, FileRefused, FileBusy, FileUnavailable: nothing was changed.
        """
        return await off_loop(self._add, wish, caller)

    async def remove(self, wish: RemoveInstallation, caller: Caller) -> InstallationChange:
        """Take our entry out; where there is none nothing happens.

        Raises:
            as `add`.
        """
        return await off_loop(self._remove, wish, caller)

    async def all(self, wish: ListInstallations, caller: Caller) -> InstallationList:
        """Return every client's list as far as it concerns us; a broken one is told as its problem.

        Raises:
            ProjectDirectoryMissing: the project that was named is no directory.
        """
        return await off_loop(self._all, wish, caller)

    def _add(self, wish: AddInstallation, caller: Caller) -> InstallationChange:
        host = self.host.of_client(caller.env)
        target = _target(host, wish, caller)
        keys = (*target.keys, wish.name)
        new_client = not target.home.is_dir()

        def edit(text: str) -> str:
            found = get_value(text, keys, comments=target.comments)
            _check_owner(found, wish.name, target, force=wish.force)
            wanted = rules.entry(
                target,
                host.launcher,
                host.distribution,
                profile=wish.profile,
                env=wish.env,
                existing=found if rules.is_ours(found) else None,
            )
            return set_value(text, keys, wanted, comments=target.comments)

        notes = rules.notes(target, host.launcher, new_client=new_client)
        return self._change(wish, target, edit, notes)

    def _remove(self, wish: RemoveInstallation, caller: Caller) -> InstallationChange:
        target = _target(self.host.of_client(caller.env), wish, caller)
        keys = (*target.keys, wish.name)

        def edit(text: str) -> str:
            _check_owner(get_value(text, keys, comments=target.comments), wish.name, target, force=wish.force)
            return remove_value(text, keys, comments=target.comments)

        return self._change(wish, target, edit, [])

    def _change(
        self, wish: AddInstallation | RemoveInstallation, target: Place, edit: editor.Edit, notes: list[str]
    ) -> InstallationChange:
        planned, backup = editor.plan(target.path, edit), None
        if not wish.dry_run:
            new_mode = 0o644 if target.shared else 0o600
            done = editor.apply(planned, backup=wish.backup, peer=target.peer, new_mode=new_mode)
            planned, backup = done.plan, done.backup
        return InstallationChange(
            client=wish.client,
            scope=wish.scope,
            name=wish.name,
            file=str(target.path),
            action=_action(planned, (*target.keys, wish.name), comments=target.comments),
            dry_run=wish.dry_run,
            diff=self.redact(planned.diff()),
            backup_file=str(backup) if backup else None,
            notes=notes if planned.changed else [],
        )

    def _all(self, wish: ListInstallations, caller: Caller) -> InstallationList:
        host = self.host.of_client(caller.env)
        project = _project(host, wish.project_path, caller)
        return InstallationList(
            items=[_look(host, client, scope, project) for client, scopes in SCOPES.items() for scope in scopes]
        )


def _target(host: Host, wish: AddInstallation | RemoveInstallation, caller: Caller) -> Place:
    project = _project(host, wish.project_path, caller)
    named = _absolute(host, wish.config_file, caller) if wish.config_file else None
    return place(host, wish.client, wish.scope, project, named=named)


def _project(host: Host, named: str | None, caller: Caller) -> Path:
    path = _absolute(host, named or caller.cwd or str(host.home), caller)
    if named and not path.is_dir():
        raise ProjectDirectoryMissing(
            f"{path} is not a directory.", remedy="Name an existing project with -C.", path=str(path)
        )
    return path


def _absolute(host: Host, path: str, caller: Caller) -> Path:
    if path == "~" or path.startswith("~/"):
        path = f"{host.home}{path[1:]}"
    return Path(os.path.normpath(Path(caller.cwd or host.home) / path))


def _check_owner(found: Any, name: str, target: Place, *, force: bool) -> None:
    if found is not MISSING and not rules.is_ours(found) and not force:
        raise EntryTaken(
            f"{target.path} has another server called {name}.",
            remedy="Choose another name with --name, or replace that one with --force.",
            file=str(target.path),
        )


def _action(planned: editor.Plan, keys: tuple[str, ...], *, comments: bool) -> Action:
    if not planned.changed:
        return Action.UNCHANGED
    if get_value(planned.after, keys, comments=comments) is MISSING:
        return Action.REMOVED
    known = get_value(planned.before or "", keys, comments=comments)
    return Action.ADDED if known is MISSING else Action.UPDATED


def _look(host: Host, client: Client, scope: Scope, project: Path) -> Installation:
    try:
        target = place(host, client, scope, project)
    except PlaceUnknown as exc:
        return Installation(client=client, scope=scope, file="", problem=str(exc))
    item = Installation(client=client, scope=scope, file=str(target.path))
    try:
        servers = get_value(editor.read_text(target.path) or "", target.keys, comments=target.comments)
    except BrokenText as exc:
        where = f" (line {exc.line}, column {exc.column})" if exc.line else ""
        item.problem = f"The file is not valid JSON{where}: {exc.problem}. Correct it by hand."
        return item
    except ClaudeCodeMcpError as exc:
        item.problem = str(exc)
        return item
    ours = {name: found for name, found in servers.items() if rules.is_ours(found)} if isinstance(servers, dict) else {}
    item.names = sorted(ours)
    gone = sorted({program for found in ours.values() if (program := rules.program_of(found)) and _gone(program)})
    if gone:
        item.problem = f"{', '.join(gone)} cannot be run. Run `claude-code-mcp install {client.value}` again."
    return item


def _gone(program: str) -> bool:
    return program.startswith("/") and not os.access(program, os.X_OK)
