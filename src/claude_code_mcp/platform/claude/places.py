"""Where a Claude Code may be installed on this machine: every path worth looking at, in the order of trust."""

import importlib.util
import os
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path


class BinarySource(StrEnum):
    """How a binary was found. The order is the order of the search."""

    OVERRIDE = "override"
    PREFERRED = "preferred"
    PATH = "path"
    NATIVE = "native"
    LOCAL = "local"
    NPM = "npm-global"
    NVM = "nvm"
    FNM = "fnm"
    VOLTA = "volta"
    ASDF = "asdf"
    BUN = "bun"
    HOMEBREW = "homebrew"
    STANDARD = "standard"
    BUNDLED = "bundled"


OVERRIDE_VARIABLE = "CLAUDE_CODE_BINARY"
_NAME = "claude"
_PACKAGE = "@anthropic-ai/claude-code@latest"
_BREW = ("/opt/homebrew", "/usr/local/Homebrew", "/home/linuxbrew/.linuxbrew")
_STANDARD = ("/usr/local/bin", "/usr/bin", "/opt/claude/bin", "/opt/claude-code/bin", "/snap/bin")


def places(env: Mapping[str, str], preferred: str | None = None) -> Iterator[tuple[Path, BinarySource]]:
    """Yield each path where a `claude` may be, with how it was found; whether there is one is not looked at.

    `env` is the client's: its PATH, HOME and version managers count, not those of this process. Only the
    override and the preference are yielded whether or not they exist; a name without a slash in them is looked
    up in PATH.
    """
    for wish, source in ((env.get(OVERRIDE_VARIABLE), BinarySource.OVERRIDE), (preferred, BinarySource.PREFERRED)):
        if wish:
            yield _wished(wish, env), source
    yield from ((directory / _NAME, BinarySource.PATH) for directory in search_path(env))
    home = Path(env.get("HOME") or "/nonexistent")
    if home.is_absolute():
        yield from _of_home(home, env)
    yield from ((Path(root) / "bin" / _NAME, BinarySource.HOMEBREW) for root in _BREW)
    yield from ((Path(directory) / _NAME, BinarySource.STANDARD) for directory in _STANDARD)
    bundled = bundled_binary()
    if bundled is not None:
        yield bundled, BinarySource.BUNDLED


def search_path(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the absolute directories of PATH; relative ones would depend on where we stand, so they do not count."""
    for entry in env.get("PATH", "").split(os.pathsep):
        if entry.startswith("/"):
            yield Path(entry)


def bundled_binary() -> Path | None:
    """Return where the installed `claude-agent-sdk` keeps its Claude Code, None where it is not installed."""
    spec = importlib.util.find_spec("claude_agent_sdk")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "_bundled" / _NAME


def update_command(path: Path, real: Path, source: BinarySource) -> str:
    """Return what to type to update the binary at `path`, judged by where it really lies."""
    text = str(real)
    if source is BinarySource.BUNDLED or "/claude_agent_sdk/" in text:
        return "pip install --upgrade claude-agent-sdk"
    if source is BinarySource.VOLTA or "/.volta/" in text:
        return f"volta install {_PACKAGE}"
    if source is BinarySource.BUN or "/.bun/" in text:
        return f"bun add -g {_PACKAGE}"
    if source is BinarySource.HOMEBREW or any(word in text for word in ("/Cellar/", "/Caskroom/", "/linuxbrew/")):
        return "brew upgrade --cask claude-code"
    if "/.claude/local/" in text or "/node_modules/" not in text:
        return f"{path} update"
    return f"npm install -g {_PACKAGE}"


def _wished(wish: str, env: Mapping[str, str]) -> Path:
    if "/" in wish or wish.startswith("~"):
        home = env.get("HOME", "")
        expanded = home + wish[1:] if home and (wish == "~" or wish.startswith("~/")) else wish
        return Path(expanded)
    found = (directory / wish for directory in search_path(env) if (directory / wish).exists())
    return next(found, Path(wish))


def _of_home(home: Path, env: Mapping[str, str]) -> Iterator[tuple[Path, BinarySource]]:
    config = Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")
    yield home / ".local" / "bin" / _NAME, BinarySource.NATIVE
    yield config / "local" / _NAME, BinarySource.LOCAL
    for prefix in (env.get("NPM_CONFIG_PREFIX"), env.get("npm_config_prefix"), str(home / ".npm-global")):
        if prefix:
            yield Path(prefix) / "bin" / _NAME, BinarySource.NPM
    nvm = Path(env.get("NVM_DIR") or home / ".nvm")
    yield from ((path, BinarySource.NVM) for path in _newest(nvm.glob(f"versions/node/*/bin/{_NAME}")))
    fnm = (env.get("FNM_DIR"), home / ".local/share/fnm", home / ".fnm", home / "Library/Application Support/fnm")
    for root in fnm:
        if root:
            found = Path(root).glob(f"node-versions/*/installation/bin/{_NAME}")
            yield from ((path, BinarySource.FNM) for path in _newest(found))
    yield Path(env.get("VOLTA_HOME") or home / ".volta") / "bin" / _NAME, BinarySource.VOLTA
    asdf = Path(env.get("ASDF_DATA_DIR") or home / ".asdf")
    yield from ((path, BinarySource.ASDF) for path in _newest(asdf.glob(f"installs/nodejs/*/bin/{_NAME}")))
    yield Path(env.get("BUN_INSTALL") or home / ".bun") / "bin" / _NAME, BinarySource.BUN


def _newest(paths: Iterable[Path]) -> list[Path]:
    """Return paths with a node version in them, the newest first."""

    def key(path: Path) -> list[int]:
        words = next((part for part in path.parts if part.lstrip("v")[:1].isdigit()), "0")
        return [int(word) for word in words.lstrip("v").split(".") if word.isdigit()]

    return sorted(paths, key=key, reverse=True)
