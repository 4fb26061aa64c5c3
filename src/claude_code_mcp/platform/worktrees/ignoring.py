"""Which things of a tree are left out: git's rules, our own ignore file, defaults, and what overrides them."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from claude_code_mcp.platform.worktrees.patterns import PatternList, read_patterns
from claude_code_mcp.platform.worktrees.repository import (
    Excludes,
    Repository,
    configured_excludes,
    index_state,
    repository_around,
    repository_at,
    small_file,
    tracked_paths,
)

GIT_IGNORE = b".gitignore"
OWN_IGNORE = b".checkpointignore"
DEFAULTS = b"""\
node_modules/
bower_components/
build/
dist/
target/
.venv/
venv/
__pycache__/
*.py[co]
*.egg-info/
.eggs/
.tox/
.nox/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.gradle/
.next/
.nuxt/
.svelte-kit/
.turbo/
.parcel-cache/
.terraform/
.cache/
.DS_Store
Thumbs.db
*.sw[op]
*~
"""
SECRETS = (b".env", b".env.*", b".envrc")


class Secrets(StrEnum):
    """What is done with `.env` and its like: kept although git ignores them (as they are, or sealed), left out, or
    treated as git does."""

    KEEP = "keep"
    SEAL = "seal"
    LEAVE_OUT = "leave_out"
    AS_GIT = "as_git"


class IgnoreOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's wishes about what is left out.

    `include`: patterns, written as in `.gitignore`, of what is taken whatever else says so; one without a slash does
    not reach into folders that are left out. `exclude`: patterns of what is left out. `defaults`: leave out
    dependencies, build folders and caches. `git`: heed git's rules. `secrets`: see `Secrets`; `secret_files`: patterns
    of what counts as a secret beside `.env` and its like.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    defaults: bool = True
    git: bool = True
    secrets: Secrets = Secrets.KEEP
    secret_files: tuple[str, ...] = ()


Reader = Callable[[bytes], bytes | None]
"""Returns the bytes of a file of the folder in question, by name; None where it has none that can be read."""


@dataclass(frozen=True, slots=True)
class _Placed:
    """A list of patterns, and how a path of the tree becomes one of the folder that the list is about."""

    prefix: bytes
    cut: int
    patterns: PatternList

    def decides(self, path: bytes, name: bytes, *, folder: bool) -> bool | None:
        found = self.patterns.decides(self.prefix + path[self.cut :], name, folder=folder)
        return None if found is None else not found.negated


@dataclass(frozen=True, slots=True)
class Scope:
    """The rules inside one folder, strongest first; `digest` tells whether two folders' rules are the same.

    `only`: the folder is left out, and entered for what overrides that. `forced`: everything below is taken.
    """

    own: tuple[_Placed, ...]
    git: tuple[_Placed, ...]
    outer: tuple[_Placed, ...]
    digest: bytes
    only: bool = False
    forced: bool = False

    def lists(self) -> Iterator[_Placed]:
        """Yield all lists, strongest first."""
        yield from self.own
        yield from self.git
        yield from self.outer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one thing: left out because of `source`, taken (in spite of `source`), or, a folder, entered
    for what is below."""

    taken: bool
    source: str = ""
    enter: Scope | None = None


_TAKEN = Verdict(taken=True)


class IgnoreRules:
    """The rules of one tree: those of the world around it, and the overrides; `top()` is where a walk begins."""

    def __init__(self, root: bytes, options: IgnoreOptions, also: Collection[bytes] = ()) -> None:
        """Read what lies outside the tree; `also` are exact paths that are taken whatever the rules say."""
        self._root = root
        self._options = options
        self._repository = repository_around(root) if options.git else None
        self._excludes = configured_excludes(root, self._repository) if options.git else Excludes(b"", fold=False)
        self._include = read_patterns("include_files", "\n".join(options.include).encode("utf-8", "surrogateescape"))
        self._include_roots = tuple(_literal_root(one) for one in options.include)
        self._wanted = frozenset(also)
        self._secret = read_patterns("secret_files", b"\n".join(self._secret_names()))
        self._state = index_state(self._repository)
        self._exact: tuple[frozenset[bytes], frozenset[bytes]] | None = None

    @property
    def exceptions(self) -> bytes:
        """What is the same when the same files are taken although a rule leaves them out: by git's index.

        With exact paths it is never the same: a cache is not made for them.
        """
        return os.urandom(32) if self._wanted else hashlib.sha256(repr(self._state).encode()).digest()

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of all that decides outside the tree's own ignore files, but for the exceptions."""
        outside = repr(self._excludes).encode()
        parts = (msgspec.msgpack.encode(self._options), outside, self.top().digest)
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).digest()

    def top(self) -> Scope:
        """Return the rules at the root, before its own ignore files are read."""
        weak = self._weak()
        outer = [*self._above(), *(_Placed(b"", 0, one) for one in weak)]
        own = self._listed("exclude", self._options.exclude)
        scope = Scope(own, (), tuple(outer), b"")
        if self._repository is not None and self._repository.top != self._root and self._root_is_ignored(outer):
            scope = Scope(own, (), tuple(_Placed(b"", 0, one) for one in weak), b"")
        return _with_digest(scope)

    def enter(self, scope: Scope, folder: bytes, names: Collection[str], read: Reader) -> Scope:
        """Return the rules inside `folder` (its path, empty for the root), given what stands in it."""
        if folder and self._options.git and ".git" in names:
            scope = self._nested(scope, folder)
        own, git = scope.own, scope.git
        if ".checkpointignore" in names and (data := read(OWN_IGNORE)) is not None:
            own = (_placed(folder, read_patterns(OWN_IGNORE.decode(), data, fold=self._excludes.fold)), *own)
        if self._options.git and ".gitignore" in names and (data := read(GIT_IGNORE)) is not None:
            git = (_placed(folder, read_patterns(GIT_IGNORE.decode(), data, fold=self._excludes.fold)), *git)
        if own is scope.own and git is scope.git:
            return scope
        return _with_digest(Scope(own, git, scope.outer, b"", scope.only, scope.forced))

    def verdict(self, scope: Scope, path: bytes, name: bytes, *, folder: bool) -> Verdict:
        """Decide about one thing in the folder of `scope`."""
        if name.lower() == b".git" and not scope.forced and not self._included(path, name, folder=folder):
            return self._left_out(scope, path, ".git", folder=folder)
        if scope.forced:
            return _TAKEN
        if self._included(path, name, folder=folder):
            return Verdict(taken=True, enter=_changed(scope, forced=True)) if folder else _TAKEN
        if scope.only:
            return self._left_out(scope, path, "a folder that is left out", folder=folder)
        for placed in scope.lists():
            ignored = placed.decides(path, name, folder=folder)
            if ignored is not None:
                return self._left_out(scope, path, placed.patterns.source, folder=folder) if ignored else _TAKEN
        return _TAKEN

    def seals(self, path: bytes, name: bytes) -> bool:
        """Tell whether a file that is taken is to be sealed; the ignore files never are, since restores follow them."""
        if self._options.secrets is not Secrets.SEAL or name in (GIT_IGNORE, OWN_IGNORE):
            return False
        if (found := self._secret.decides(path, name, folder=False)) is not None and not found.negated:
            return True
        above = (path[:at] for at in _slashes(path)) if self._options.secret_files else ()
        return any(self._secret.decides(one, one.rpartition(b"/")[2], folder=True) is not None for one in above)

    def _left_out(self, scope: Scope, path: bytes, source: str, *, folder: bool) -> Verdict:
        paths, folders = self._exactly()
        if not folder and path in paths:
            return Verdict(taken=True, source=source)
        if folder and (path in folders or self._leads_to_include(path)):
            return Verdict(taken=True, source=source, enter=_changed(scope, only=True))
        return Verdict(taken=False, source=source)

    def _included(self, path: bytes, name: bytes, *, folder: bool) -> bool:
        if not self._include_roots:
            return False
        found = self._include.decides(path, name, folder=folder)
        return found is not None and not found.negated

    def _leads_to_include(self, folder: bytes) -> bool:
        inside = folder + b"/"
        return any(root and (root.startswith(inside) or inside.startswith(root)) for root in self._include_roots)

    def _exactly(self) -> tuple[frozenset[bytes], frozenset[bytes]]:
        """Return the paths that no rule leaves out (git's tracked files among them), and the folders above them."""
        if self._exact is None:
            paths = self._wanted
            if self._repository is not None:
                paths |= tracked_paths(self._repository, self._below_top())
            self._exact = (paths, frozenset(_folders_above(paths)))
        return self._exact

    def _below_top(self) -> bytes:
        """Return the path of the root below the top of its repository, empty or with a slash at its end."""
        if self._repository is None or self._repository.top == self._root:
            return b""
        return os.path.relpath(self._root, self._repository.top) + b"/"

    def _above(self) -> Iterator[_Placed]:
        """Yield the `.gitignore` of the folders between the root and the top of its repository, nearest first."""
        below = self._below_top()
        parts = below.split(b"/")[:-1]
        for depth in range(len(parts) - 1, -1, -1):
            folder = os.path.join(self._repository.top if self._repository else b"", *parts[:depth])
            data = small_file(os.path.join(folder, GIT_IGNORE), follow=False)
            if data is not None:
                patterns = read_patterns(GIT_IGNORE.decode(), data, fold=self._excludes.fold)
                yield _Placed(b"/".join([*parts[depth:], b""]), 0, patterns)
        if self._repository is not None:
            yield from self._info(self._repository, below, 0)

    def _info(self, repository: Repository, prefix: bytes, cut: int) -> Iterator[_Placed]:
        data = small_file(os.path.join(repository.common_dir, b"info", b"exclude"))
        if data is not None:
            yield _Placed(prefix, cut, read_patterns(".git/info/exclude", data, fold=self._excludes.fold))
        data = small_file(self._excludes.file) if self._excludes.file else None
        if data is not None:
            yield _Placed(prefix, cut, read_patterns("core.excludesFile", data, fold=self._excludes.fold))

    def _weak(self) -> list[PatternList]:
        return [read_patterns("defaults", DEFAULTS)] if self._options.defaults else []

    def _listed(self, source: str, patterns: tuple[str, ...]) -> tuple[_Placed, ...]:
        lines = [*self._secret_lines(), *(one.encode("utf-8", "surrogateescape") for one in patterns)]
        return (_Placed(b"", 0, read_patterns(source, b"\n".join(lines))),) if lines else ()

    def _secret_lines(self) -> list[bytes]:
        if self._options.secrets is Secrets.AS_GIT:
            return []
        sign = b"" if self._options.secrets is Secrets.LEAVE_OUT else b"!"
        return [sign + one for one in self._secret_names()]

    def _secret_names(self) -> list[bytes]:
        return [*SECRETS, *(one.encode("utf-8", "surrogateescape") for one in self._options.secret_files)]

    def _root_is_ignored(self, outer: list[_Placed]) -> bool:
        """Tell whether the repository around the root ignores it: then that one has no say about what is inside."""
        folders = [part for part in self._below_top().split(b"/") if part]
        for depth, name in enumerate(folders, 1):
            path = b"/".join(folders[:depth])
            for placed in outer:
                base = self._below_top().removesuffix(placed.prefix)
                if path.startswith(base) and placed.prefix:
                    found = placed.patterns.decides(path[len(base) :], name, folder=True)
                    if found is not None:
                        if not found.negated:
                            return True
                        break
        return False

    def _nested(self, scope: Scope, folder: bytes) -> Scope:
        """Return the rules at the top of a repository inside the tree: git starts anew there."""
        repository = repository_at(os.path.join(self._root, folder))
        if repository is None:
            return scope
        outer = [*self._info(repository, b"", len(folder) + 1), *(_Placed(b"", 0, one) for one in self._weak())]
        return _with_digest(Scope(scope.own, (), tuple(outer), b"", scope.only, scope.forced))


def _placed(folder: bytes, patterns: PatternList) -> _Placed:
    return _Placed(b"", len(folder) + 1 if folder else 0, patterns)


def _changed(scope: Scope, *, only: bool = False, forced: bool = False) -> Scope:
    return _with_digest(Scope(scope.own, scope.git, scope.outer, b"", only, forced))


def _with_digest(scope: Scope) -> Scope:
    state = hashlib.sha256(b"%d%d" % (scope.only, scope.forced))
    for name in ("own", "git", "outer"):
        state.update(name.encode())
        for placed in getattr(scope, name):
            head = (placed.patterns.source, placed.prefix, placed.cut, [one.line for one in placed.patterns.patterns])
            state.update(msgspec.msgpack.encode(head))
    return Scope(scope.own, scope.git, scope.outer, state.digest(), scope.only, scope.forced)


def _literal_root(pattern: str) -> bytes:
    """Return what a path that the pattern matches begins with, empty where the pattern is about names."""
    text = pattern.rstrip("/").encode("utf-8", "surrogateescape")
    if b"/" not in text:
        return b""
    text = text.removeprefix(b"/")
    stop = min((at for at, byte in enumerate(text) if byte in b"*?[\\"), default=len(text))
    return text if stop == len(text) else text[: text.rfind(b"/", 0, stop) + 1]


def _folders_above(paths: Iterable[bytes]) -> set[bytes]:
    found: set[bytes] = set()
    for path in paths:
        above = path.rpartition(b"/")[0]
        while above and above not in found:
            found.add(above)
            above = above.rpartition(b"/")[0]
    return found


def _slashes(path: bytes) -> list[int]:
    return [at for at, byte in enumerate(path) if byte == ord("/")]
