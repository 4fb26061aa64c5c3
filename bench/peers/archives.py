"""git, restic and borg as commands that keep a tree; each has a store of its own in a folder, made before the clock."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

from bench.place import ROOT, Place


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds from the start of commands to their end, and what the last of them printed."""

    wall_s: float
    said: str = ""

    def told(self) -> dict[str, Any]:
        """Return what our own process says of itself."""
        found: dict[str, Any] = json.loads(self.said)
        return found


class Archive(Protocol):
    """Keeps trees."""

    def take(self, root: Path) -> Used:
        """Keep the tree at `root`."""
        ...


def run(argvs: Sequence[Sequence[str]], cwd: Path, env: Mapping[str, str]) -> Used:
    """Run commands one after the other.

    Raises:
        RuntimeError: one of them failed.
    """
    wall, said = 0.0, ""
    for argv in argvs:
        began = perf_counter()
        done = subprocess.run(argv, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        wall += perf_counter() - began
        said = done.stdout.decode(errors="replace")
        if done.returncode:
            raise RuntimeError(f"{argv[0]} failed with {done.returncode}: {said[-500:]}")
    return Used(wall, said)


def _env(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(home), **more}


class Ours:
    """Our store, opened by a new process each time, imports included."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, mode=0o700)
        self._home = home
        self._env = _env(home, {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])})

    def _run(self, *words: str) -> Used:
        return run([[sys.executable, "-m", "bench.peers.keeper", str(self._home), *words]], ROOT, self._env)

    def take(self, root: Path) -> Used:
        """Keep the tree."""
        return self._run("take", str(root))

    def digest(self, root: Path) -> str:
        """Keep the tree, and return the digest by which it is restored."""
        return str(self.take(root).told()["digest"])

    def restore(self, root: Path, digest: str, paths: Sequence[str] = ()) -> Used:
        """Restore a tree or paths of it."""
        return self._run("restore", digest, str(root), *paths)

    def idle(self) -> Used:
        """Open the store and do nothing."""
        return self._run("idle")


class Command:
    """Our command, as people give it, beside a daemon that runs; a take looks at the whole tree, nothing watches it."""

    def __init__(self, here: Place) -> None:
        self._env = here.env

    def _run(self, root: Path, *words: str) -> Used:
        return run([[sys.executable, "-m", "claude_code_mcp", "checkpoints", *words, "--json"]], root, self._env)

    def take(self, root: Path) -> Used:
        """Keep the tree, and its row, its event, its point in the conversation."""
        return self._run(root, "create")

    def restore(self, root: Path, checkpoint_id: str, paths: Sequence[str] = ()) -> Used:
        """Restore a tree or paths of it, without a safety checkpoint."""
        return self._run(root, "restore", checkpoint_id, *paths, "--no-create-backup", "--force")


class Git:
    """git with a repository beside the tree; a take is `add -A` and `write-tree`."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.store = home / "repo.git"
        self._env = _env(home, {"GIT_CONFIG_NOSYSTEM": "1", "GIT_DIR": str(self.store)})
        run([["git", "init", "-q", "--bare", str(self.store)]], home, self._env)

    def take(self, root: Path) -> Used:
        """Keep the tree; it says the name of git's tree."""
        return run([["git", "add", "-A"], ["git", "write-tree"]], root, self._at(root))

    def restore_all(self, root: Path, tree: str) -> Used:
        """Write a tree into an empty folder, with an index of its own."""
        env = {**self._at(root), "GIT_INDEX_FILE": str(self.store / "other-index")}
        (self.store / "other-index").unlink(missing_ok=True)
        return run([["git", "read-tree", tree], ["git", "checkout-index", "-a", "-f"]], root, env)

    def restore_tree(self, root: Path, tree: str) -> Used:
        """Make a tree what it was when it was kept; git looks at every file that it knows, as we do."""
        return run([["git", "read-tree", "--reset", "-u", tree]], root, self._at(root))

    def restore_some(self, root: Path, tree: str, paths: Sequence[str]) -> Used:
        """Bring paths of a kept tree back; git looks at nothing else."""
        return run([["git", "checkout", "-q", tree, "--", *paths]], root, self._at(root))

    def _at(self, root: Path) -> dict[str, str]:
        return {**self._env, "GIT_WORK_TREE": str(root)}


class Restic:
    """restic, with its own cache and a password, as it always has."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.store = home / "repo"
        more = {"RESTIC_PASSWORD": "x", "RESTIC_REPOSITORY": str(self.store), "RESTIC_CACHE_DIR": str(home / "cache")}
        self._env = _env(home, more)
        run([["restic", "-q", "init"]], home, self._env)

    def take(self, root: Path) -> Used:
        """Keep the tree."""
        return run([["restic", "-q", "backup", "."]], root, self._env)


class Borg:
    """borg with zstd 1 and no encryption."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True)
        self.store = home / "repo"
        more = {"BORG_BASE_DIR": str(home), "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes"}
        self._env = _env(home, more)
        self._count = 0
        run([["borg", "init", "-e", "none", str(self.store)]], home, self._env)

    def take(self, root: Path) -> Used:
        """Keep the tree."""
        self._count += 1
        return run([["borg", "create", "-C", "zstd,1", f"{self.store}::n{self._count}", "."]], root, self._env)


PEERS: Mapping[str, type[Git | Restic | Borg]] = {"git": Git, "restic": Restic, "borg": Borg}


def present() -> list[str]:
    """Return those of the peers that are installed."""
    return [name for name in PEERS if shutil.which(name)]
