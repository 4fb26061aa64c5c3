"""What a restore must not delete: the checkpoint would have left it out, so its absence there says nothing."""

from collections.abc import Callable, Collection
from functools import cached_property

from claude_code_mcp.platform.worktrees.ignoring import GIT_IGNORE, OWN_IGNORE, IgnoreOptions, IgnoreRules, Scope
from claude_code_mcp.platform.worktrees.models import Entry, Kind, Manifest
from claude_code_mcp.platform.worktrees.rooted import split

ReadContent = Callable[[Entry], bytes]
"""Returns the content of a file of the target, for its ignore files."""


class Protection:
    """Whether the target would have left a path out, so that its absence there says nothing."""

    def __init__(self, root: bytes, target: Manifest, read: ReadContent, options: IgnoreOptions) -> None:
        self._root, self._options = root, options
        self._target = target
        self._read = read
        self._omitted = {one.path: one.reason for one in target.omitted}
        self._scopes: dict[bytes, Scope | str] = {}

    @cached_property
    def _rules(self) -> IgnoreRules:
        """Made when the first thing is to go: what surrounds the tree is read for it."""
        return IgnoreRules(self._root, self._options)

    def why_kept(self, path: bytes, *, folder: bool) -> str:
        """Return why `path` must stay, empty where it may go."""
        if path in self._omitted:
            return self._left_out(path)
        above, name = split(path)
        scope = self._scope(above)
        if isinstance(scope, str):
            return scope
        verdict = self._rules.verdict(scope, path, name, folder=folder)
        return "" if verdict.taken else f"the checkpoint's rules ignored it ({verdict.source})"

    def _left_out(self, path: bytes) -> str:
        return f"the checkpoint left it out ({self._omitted[path]})"

    def _scope(self, folder: bytes) -> Scope | str:
        """Return the target's rules inside `folder`, or why everything in it must stay."""
        found = self._scopes.get(folder)
        if found is None:
            found = self._scopes[folder] = self._entered(folder)
        return found

    def _entered(self, folder: bytes) -> Scope | str:
        if folder in self._omitted:
            return self._left_out(folder)
        scope = self._rules.top()
        if folder:
            above, name = split(folder)
            outer = self._scope(above)
            if isinstance(outer, str):
                return outer
            verdict = self._rules.verdict(outer, folder, name, folder=True)
            if not verdict.taken:
                return f"the checkpoint's rules ignored it ({verdict.source})"
            scope = verdict.enter or outer
        return self._rules.enter(scope, folder, self._rule_files(folder), lambda name: self._text(folder, name))

    def _rule_files(self, folder: bytes) -> Collection[str]:
        return [name.decode() for name in (GIT_IGNORE, OWN_IGNORE) if below(folder, name) in self._target.by_path]

    def _text(self, folder: bytes, name: bytes) -> bytes | None:
        entry = self._target.by_path.get(below(folder, name))
        return self._read(entry) if entry is not None and entry.kind == Kind.FILE else None


def below(folder: bytes, name: bytes) -> bytes:
    """Return the path of something in a folder of the tree."""
    return folder + b"/" + name if folder else name
