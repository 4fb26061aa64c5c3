"""The Claude Code binaries of this machine: found, asked for their version, the best one chosen.

The rule: the override (`CLAUDE_CODE_BINARY`) or nothing; else the kept preference if it works; else the first
that works on PATH, which is what typing `claude` would run; else the newest of the others; the one bundled in
claude-agent-sdk only where there is no other.
"""

import asyncio
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.asking import ask
from claude_code_mcp.platform.claude.errors import BinaryNotFound, BinaryTooOld, BinaryUnusable
from claude_code_mcp.platform.claude.places import OVERRIDE_VARIABLE, BinarySource, places, update_command

MINIMUM_VERSION = "2.1.197"
"""The oldest that was seen to give waiting permission questions to a host that attaches again."""

_VERSION = re.compile(r"\s*(\d{1,5}\.\d{1,5}\.\d{1,5})(?:[-+][\w.+-]{1,60})? \(Claude Code\)\s*\Z")
_ALWAYS = (BinarySource.OVERRIDE, BinarySource.PREFERRED)
_ENV = ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A binary that was found.

    `path`: where; what is run. `real_path`: the file behind it. `sources`: all ways that led to it, the first
    counts. `version`: what it says, None where it says nothing. `problem`: why it cannot be used, "" where it
    can. `too_old`: that is the problem. `update_command`: what to type to update it.
    """

    path: Path
    real_path: Path
    sources: tuple[BinarySource, ...]
    version: str | None = None
    problem: str = ""
    too_old: bool = False
    update_command: str = ""

    @property
    def source(self) -> BinarySource:
        """The way that led to it first."""
        return self.sources[0]

    @property
    def works(self) -> bool:
        """It can be used."""
        return not self.problem


@dataclass(frozen=True, slots=True)
class Found:
    """All candidates in the order of the search, and the best of them, None where none works."""

    candidates: tuple[Candidate, ...]
    best: Candidate | None

    def chosen(self) -> Candidate:
        """Return the best one.

        Raises:
            BinaryNotFound: there is none.
            BinaryUnusable: the only ones do not run, or the one that was asked for does not.
            BinaryTooOld: they are too old.
        """
        if self.best is not None:
            return self.best
        # Where one was asked for, the others do not count, working or not.
        asked_for = [one for one in self.candidates if BinarySource.OVERRIDE in one.sources]
        broken = asked_for or self.candidates
        if not broken:
            raise BinaryNotFound(
                "Claude Code was not found on this machine.",
                remedy=f"Install it, put it on PATH, or set {OVERRIDE_VARIABLE} to it.",
            )
        old = next((one for one in broken if one.too_old), None)
        if old is not None:
            raise BinaryTooOld(
                f"Claude Code at {old.path} is version {old.version}; {MINIMUM_VERSION} is the oldest that works.",
                remedy=f"Update it: {old.update_command}",
                path=str(old.path),
                version=old.version,
            )
        told = "; ".join(f"{one.path}: {one.problem}" for one in broken[:5])
        remedy = f"Set {OVERRIDE_VARIABLE} to another, or unset it." if asked_for else "Repair or reinstall it."
        raise BinaryUnusable(f"No Claude Code works here ({told}).", remedy=remedy)


class BinaryFinder:
    """Finds binaries and remembers their versions as long as the files stay as they are.

    `timeout_s` bounds how long one may take to tell its version, `at_once` how many are asked at the same time.
    """

    def __init__(self, *, timeout_s: float = 10, at_once: int = 2) -> None:
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(at_once)
        self._known: dict[tuple[str, int, int], Candidate] = {}

    async def find(self, env: Mapping[str, str], preferred: str | None = None, *, refresh: bool = False) -> Found:
        """Return all binaries that a client with `env` can reach, each asked for its version, and the best one.

        With `refresh` those that did not change are asked again too.
        """
        if refresh:
            self._known.clear()
        found = await asyncio.to_thread(_existing, env, preferred)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._ask(candidate, env)) for candidate in found]
        asked = tuple(task.result() for task in tasks)
        return Found(asked, _best(asked))

    async def inspect(self, path: Path, env: Mapping[str, str]) -> Candidate:
        """Return what the binary at `path` is."""
        real = await asyncio.to_thread(_resolved, path)
        return await self._ask(Candidate(path, real, (BinarySource.PREFERRED,)), env)

    async def _ask(self, candidate: Candidate, env: Mapping[str, str]) -> Candidate:
        path, real = candidate.path, candidate.real_path
        candidate = replace(candidate, update_command=update_command(path, real, candidate.source))
        key, problem = await asyncio.to_thread(_look_at, path, real)
        if key is None:
            return replace(candidate, problem=problem)
        known = self._known.get(key)
        if known is None or known.path != path:
            async with self._places:
                known = _judged(candidate, *await _version_text(path, env, self._timeout_s))
            self._known[key] = known
        return replace(candidate, version=known.version, problem=known.problem, too_old=known.too_old)


def parsed_version(text: str) -> str | None:
    """Return the version in what `claude --version` prints (`2.1.328 (Claude Code)`), None for anything else."""
    found = _VERSION.match(text)
    return found[1] if found else None


def version_key(version: str) -> tuple[int, ...]:
    """Return `version` (numbers and dots, a suffix does not count) in a form that compares by age."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(word) for word in numbers[0].split(".")) if numbers else ()


def _existing(env: Mapping[str, str], preferred: str | None) -> list[Candidate]:
    """Return what is there, each real file once, with all the ways that led to it."""
    found: dict[Path, Candidate] = {}
    for path, source in places(env, preferred):
        try:
            if source not in _ALWAYS and not path.exists():
                continue
        except OSError:
            continue
        real = _resolved(path)
        before = found.get(real)
        if before is None:
            found[real] = Candidate(path, real, (source,))
        elif source not in before.sources:
            found[real] = replace(before, sources=(*before.sources, source))
    return list(found.values())


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path


def _look_at(path: Path, real: Path) -> tuple[tuple[str, int, int] | None, str]:
    """Return what identifies the file as it is now, or why it is no program."""
    try:
        info = real.stat()
    except FileNotFoundError:
        return None, "it does not exist"
    except OSError as exc:
        return None, f"it cannot be looked at ({exc.strerror})"
    if not real.is_file():
        return None, "it is not a file"
    if not os.access(path, os.X_OK):
        return None, "it is not executable"
    return (str(real), info.st_mtime_ns, info.st_size), ""


def _judged(candidate: Candidate, text: str, problem: str) -> Candidate:
    version = parsed_version(text)
    if problem:
        return replace(candidate, problem=problem)
    if version is None:
        shown = one_line(text, 80) or "nothing"
        return replace(candidate, problem=f"it is no Claude Code: --version printed {shown!r}")
    if version_key(version) < version_key(MINIMUM_VERSION):
        problem = f"version {version} is too old; {MINIMUM_VERSION} is the oldest that works"
        return replace(candidate, version=version, problem=problem, too_old=True)
    return replace(candidate, version=version)


async def _version_text(path: Path, env: Mapping[str, str], timeout_s: float) -> tuple[str, str]:
    """Return what `--version` prints, or what went wrong."""
    clean = {name: env[name] for name in _ENV if name in env}
    # A script of npm starts with `#!/usr/bin/env node`, and its node lies beside it.
    clean["PATH"] = os.pathsep.join([str(path.parent), *filter(None, [env.get("PATH")])])
    clean["DISABLE_AUTOUPDATER"] = "1"
    try:
        said = await ask([path, "--version"], clean, timeout_s)
    except OSError as exc:
        return "", f"it cannot be started ({exc.strerror or exc})"
    if said.code is None:
        return "", f"it did not tell its version within {timeout_s:g} s"
    if said.code != 0:
        return "", f"--version ended with {said.code}: {one_line(said.text, 120)}".rstrip(": ")
    return said.text, ""


def _best(candidates: Iterable[Candidate]) -> Candidate | None:
    working = [candidate for candidate in candidates if candidate.works]
    override = next((one for one in candidates if BinarySource.OVERRIDE in one.sources), None)
    if override is not None:
        return override if override.works else None
    for source in (BinarySource.PREFERRED, BinarySource.PATH):
        first = next((candidate for candidate in working if source in candidate.sources), None)
        if first is not None:
            return first
    others = [candidate for candidate in working if candidate.sources != (BinarySource.BUNDLED,)]
    return max(others or working, key=lambda candidate: version_key(candidate.version or ""), default=None)
