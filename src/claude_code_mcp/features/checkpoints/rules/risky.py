"""Which shell commands may destroy work, so that a checkpoint should be there before they run.

Advice, not a guard: decided on the words of each simple command, wrappers and shells within shells included. A script
is not read. A command that only looks is never risky; one that is not known is not either.
"""

from collections.abc import Callable, Mapping

from claude_code_mcp.platform.shell import commands

Words = tuple[str, ...]

_ALWAYS = frozenset({
    "rm", "rmdir", "unlink", "shred", "mv", "dd", "truncate", "mkfs", "wipefs", "rename", "patch", "git-filter-repo",
})  # fmt: skip
"""Programs that take away or write over."""
_GIT = frozenset({
    "reset", "checkout", "switch", "restore", "clean", "rebase", "stash", "rm", "mv", "merge", "pull", "revert",
    "cherry-pick", "am", "apply", "filter-branch", "filter-repo", "worktree", "gc", "bisect", "sparse-checkout",
})  # fmt: skip
_GIT_WITH_VALUE = frozenset({"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"})
_GIT_LOOKS: Mapping[str, frozenset[str]] = {
    "stash": frozenset({"list", "show"}),
    "worktree": frozenset({"list"}),
    "bisect": frozenset({"log", "view", "visualize"}),
    "sparse-checkout": frozenset({"list"}),
}
_REMOVALS: Mapping[str, frozenset[str]] = {
    "npm": frozenset({"uninstall", "remove", "rm", "r", "un", "unlink", "prune", "ci", "dedupe"}),
    "pnpm": frozenset({"remove", "rm", "uninstall", "un", "prune", "unlink"}),
    "yarn": frozenset({"remove", "autoclean", "unlink"}),
    "bun": frozenset({"remove", "rm", "unlink"}),
    "pip": frozenset({"uninstall"}),
    "pip3": frozenset({"uninstall"}),
    "uv": frozenset({"remove", "sync", "clean"}),
    "poetry": frozenset({"remove", "sync"}),
    "pdm": frozenset({"remove", "sync"}),
    "conda": frozenset({"remove", "uninstall", "clean"}),
    "cargo": frozenset({"remove", "rm", "clean", "fix", "uninstall"}),
    "gem": frozenset({"uninstall", "cleanup"}),
    "bundle": frozenset({"remove", "clean"}),
    "composer": frozenset({"remove", "reinstall"}),
    "go": frozenset({"clean", "fix"}),
    "apt": frozenset({"remove", "purge", "autoremove"}),
    "apt-get": frozenset({"remove", "purge", "autoremove"}),
    "brew": frozenset({"uninstall", "remove", "rm", "autoremove", "cleanup"}),
    "dnf": frozenset({"remove", "erase", "autoremove"}),
    "yum": frozenset({"remove", "erase", "autoremove"}),
    "docker": frozenset({"rm", "rmi", "prune", "down"}),
}
"""Verbs of package managers, and of their like, that take something away."""
_MIGRATIONS: Mapping[str, frozenset[str]] = {
    "alembic": frozenset({"upgrade", "downgrade", "stamp"}),
    "flyway": frozenset({"migrate", "clean", "repair", "undo"}),
    "liquibase": frozenset({"update", "rollback", "drop-all"}),
    "prisma": frozenset({"migrate", "db"}),
    "knex": frozenset({"migrate:latest", "migrate:rollback", "migrate:up", "migrate:down"}),
    "sequelize": frozenset({"db:migrate", "db:drop", "db:migrate:undo"}),
    "sequelize-cli": frozenset({"db:migrate", "db:drop", "db:migrate:undo"}),
    "typeorm": frozenset({"migration:run", "migration:revert", "schema:drop", "schema:sync"}),
    "drizzle-kit": frozenset({"push", "migrate", "drop"}),
    "goose": frozenset({"up", "down", "reset", "redo"}),
    "dbmate": frozenset({"up", "down", "migrate", "rollback", "drop"}),
    "diesel": frozenset({"migration", "database"}),
    "sqlx": frozenset({"migrate", "database"}),
    "rails": frozenset({"db:migrate", "db:drop", "db:reset", "db:rollback", "db:schema:load", "db:setup"}),
    "rake": frozenset({"db:migrate", "db:drop", "db:reset", "db:rollback", "db:schema:load", "db:setup"}),
    "artisan": frozenset({"migrate", "migrate:fresh", "migrate:reset", "migrate:rollback", "db:wipe"}),
    "manage.py": frozenset({"migrate", "flush", "reset_db"}),
    "migrate": frozenset({"up", "down", "drop", "goto", "force"}),
}
_INTERPRETERS = frozenset({"python", "python3", "php", "ruby", "node", "npx", "bunx", "pnpx", "bundle", "poetry", "uv"})
_EDITORS = frozenset({"sed", "perl", "ruby", "gawk"})
_COPIES = frozenset({"rsync", "robocopy"})


def risky(command: str) -> str:
    """Return the simple command in a shell text that may destroy work, in one line, empty where none may."""
    for words in commands(command):
        if words and _is_risky(words):
            return " ".join(" ".join(words).split())[:200]
    return ""


def _is_risky(words: Words) -> bool:
    name = words[0].rpartition("/")[2]
    if name in _ALWAYS or name.startswith("mkfs."):
        return True
    if any(test(name, words[1:]) for test in _TESTS):
        return True
    return name in _INTERPRETERS and len(words) > 1 and _migrates(_skipped(words[1:]))


def _migrates(words: Words) -> bool:
    """Tell whether what an interpreter or a runner is given is a migration."""
    return bool(words) and _tool(words[0].rpartition("/")[2], words[1:])


def _skipped(words: Words) -> Words:
    """Return the words of a runner without what stands before the program (`-m`, `run`, `exec`, flags)."""
    while words and (words[0].startswith("-") or words[0] in {"run", "exec", "x", "dlx"}):
        words = words[1:]
    return words


def _git(name: str, rest: Words) -> bool:
    if name != "git":
        return False
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in _GIT_WITH_VALUE else rest[1:]
    if not rest or rest[0] not in _GIT:
        return rest[:1] == ("branch",) and any(word in {"-D", "-d", "--delete", "-M", "-m"} for word in rest)
    looks = _GIT_LOOKS.get(rest[0], frozenset())
    return not (len(rest) > 1 and rest[1] in looks)


def _tool(name: str, rest: Words) -> bool:
    verbs = _REMOVALS.get(name, frozenset()) | _MIGRATIONS.get(name, frozenset())
    plain = [word for word in rest if not word.startswith("-")]
    # `docker compose down`, `pip3 -q uninstall`, `uv pip uninstall`: the verb is one of the first words.
    return any(word in verbs for word in plain[:2])


def _removed(name: str, rest: Words) -> bool:
    if name in {"uv", "python", "python3"} and "pip" in rest[:2]:
        return "uninstall" in rest[:4]
    return name in {"pacman", "apk", "dpkg"} and any(
        word in {"del", "-r", "-P"} or word.startswith("-R") for word in rest
    )


def _find(name: str, rest: Words) -> bool:
    return name in {"find", "fd", "fdfind"} and "-delete" in rest


def _in_place(name: str, rest: Words) -> bool:
    """Tell whether an editor of streams writes over its input."""
    return name in _EDITORS and any(
        word.startswith(("-i", "--in-place")) or (word.startswith("-") and word[1:2] not in "-" and "i" in word[1:4])
        for word in rest
    )


def _copies_over(name: str, rest: Words) -> bool:
    return name in _COPIES and any(word.startswith("--delete") or word == "--remove-source-files" for word in rest)


def _makes(name: str, rest: Words) -> bool:
    return name in {"make", "just", "task"} and any(word in {"clean", "distclean", "migrate", "reset"} for word in rest)


_TESTS: tuple[Callable[[str, Words], bool], ...] = (_git, _tool, _removed, _find, _in_place, _copies_over, _makes)
