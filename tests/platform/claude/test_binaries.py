"""Binaries: all found, each told apart from what is none, the best chosen by the rule."""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from claude_code_mcp.platform.claude.binaries import (
    MINIMUM_VERSION,
    BinaryFinder,
    Found,
    parsed_version,
    version_key,
)
from claude_code_mcp.platform.claude.errors import BinaryNotFound, BinaryTooOld, BinaryUnusable
from claude_code_mcp.platform.claude.places import BinarySource, bundled_binary, update_command

pytestmark = pytest.mark.anyio


def _program(path: Path, says: str = "2.1.328 (Claude Code)", body: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body or f'echo {says!r}'}\n")
    path.chmod(0o755)
    return path


def _env(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'bin'}:relative::/usr/bin:/bin", **more}


async def _find(env: Mapping[str, str], preferred: str | None = None, timeout_s: float = 5) -> Found:
    return await BinaryFinder(timeout_s=timeout_s).find(env, preferred)


def _of_test(found: Found, tmp_path: Path) -> list[tuple[str, BinarySource, str | None]]:
    """Leave out what this machine itself has in its standard places."""
    return [
        (str(one.path.relative_to(tmp_path)), one.source, one.version)
        for one in found.candidates
        if one.path.is_relative_to(tmp_path)
    ]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.328 (Claude Code)\n", "2.1.328"),
        ("2.2.0-rc.1 (Claude Code)", "2.2.0"),
        ("2.1.328", None),
        ("v18.19.0", None),
        ("", None),
        ("2.1.328 (Claude Code)\nnpm WARN", None),
        ("9" * 400 + ".1.1 (Claude Code)", None),
    ],
)
def test_only_the_text_of_claude_code_is_a_version(text: str, version: str | None) -> None:
    assert parsed_version(text) == version


def test_versions_compare_by_number() -> None:
    assert version_key("2.1.1000") > version_key("2.1.328") > version_key("2.1.99")


async def test_every_place_is_looked_at_and_each_binary_named_with_version_and_source(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _program(tmp_path / "bin/claude", "2.1.300 (Claude Code)")
    _program(home / ".local/bin/claude", "2.1.301 (Claude Code)")
    _program(home / ".claude/local/claude", "2.1.302 (Claude Code)")
    _program(home / ".npm-global/bin/claude", "2.1.303 (Claude Code)")
    _program(home / ".nvm/versions/node/v9.1.0/bin/claude", "2.1.304 (Claude Code)")
    _program(home / ".nvm/versions/node/v22.1.0/bin/claude", "2.1.305 (Claude Code)")
    _program(home / ".local/share/fnm/node-versions/v20.0.0/installation/bin/claude", "2.1.306 (Claude Code)")
    _program(home / ".volta/bin/claude", "2.1.307 (Claude Code)")
    _program(home / ".asdf/installs/nodejs/20.0.0/bin/claude", "2.1.308 (Claude Code)")
    _program(home / ".bun/bin/claude", "2.1.309 (Claude Code)")
    found = await _find(_env(tmp_path))
    assert _of_test(found, tmp_path) == [
        ("bin/claude", BinarySource.PATH, "2.1.300"),
        ("home/.local/bin/claude", BinarySource.NATIVE, "2.1.301"),
        ("home/.claude/local/claude", BinarySource.LOCAL, "2.1.302"),
        ("home/.npm-global/bin/claude", BinarySource.NPM, "2.1.303"),
        ("home/.nvm/versions/node/v22.1.0/bin/claude", BinarySource.NVM, "2.1.305"),
        ("home/.nvm/versions/node/v9.1.0/bin/claude", BinarySource.NVM, "2.1.304"),
        ("home/.local/share/fnm/node-versions/v20.0.0/installation/bin/claude", BinarySource.FNM, "2.1.306"),
        ("home/.volta/bin/claude", BinarySource.VOLTA, "2.1.307"),
        ("home/.asdf/installs/nodejs/20.0.0/bin/claude", BinarySource.ASDF, "2.1.308"),
        ("home/.bun/bin/claude", BinarySource.BUN, "2.1.309"),
    ]
    assert found.chosen().path == tmp_path / "bin/claude"


async def test_the_newest_is_chosen_where_path_has_none(tmp_path: Path) -> None:
    _program(tmp_path / "home/.local/bin/claude", "9.1.5 (Claude Code)")
    newest = _program(tmp_path / "home/.bun/bin/claude", "9.1.40 (Claude Code)")
    _program(tmp_path / "home/.volta/bin/claude", "9.1.9 (Claude Code)")
    env = {**_env(tmp_path), "PATH": str(tmp_path / "bin")}
    assert (await _find(env)).chosen().path == newest


async def test_a_preference_wins_and_is_passed_over_when_it_is_broken(tmp_path: Path) -> None:
    on_path = _program(tmp_path / "bin/claude")
    mine = _program(tmp_path / "mine")
    assert (await _find(_env(tmp_path), str(mine))).chosen().path == mine
    mine.unlink()
    found = await _find(_env(tmp_path), str(mine))
    assert found.chosen().path == on_path
    assert [one.problem for one in found.candidates if one.source is BinarySource.PREFERRED] == ["it does not exist"]


async def test_an_override_is_the_only_choice(tmp_path: Path) -> None:
    _program(tmp_path / "bin/claude")
    mine = _program(tmp_path / "home/mine")
    assert (await _find(_env(tmp_path, CLAUDE_CODE_BINARY=str(mine)))).chosen().path == mine
    assert (await _find(_env(tmp_path, CLAUDE_CODE_BINARY="~/mine"))).chosen().path == mine
    with pytest.raises(BinaryUnusable, match="does not exist"):
        (await _find(_env(tmp_path, CLAUDE_CODE_BINARY="/nowhere/claude"))).chosen()


async def test_an_override_without_a_slash_is_a_name_on_path(tmp_path: Path) -> None:
    named = _program(tmp_path / "bin/claude-next")
    assert (await _find(_env(tmp_path, CLAUDE_CODE_BINARY="claude-next"))).chosen().path == named


async def test_one_file_found_in_several_ways_is_one_candidate(tmp_path: Path) -> None:
    real = _program(tmp_path / "home/.local/share/claude/versions/2.1.328")
    for link in (tmp_path / "bin/claude", tmp_path / "home/.local/bin/claude"):
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(real)
    found = await _find(_env(tmp_path), str(tmp_path / "bin/claude"))
    (one,) = [one for one in found.candidates if one.real_path == real]
    assert one.sources == (BinarySource.PREFERRED, BinarySource.PATH, BinarySource.NATIVE)
    assert one.path == tmp_path / "bin/claude"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("echo 20.1.0", "no Claude Code: --version printed '20.1.0'"),
        ("true", "no Claude Code: --version printed 'nothing'"),
        ("echo '2.1.328 (Claude Code)'; exit 3", "--version ended with 3: 2.1.328 (Claude Code)"),
        ("kill -9 $$", "--version ended with -9"),
        ("echo '2.1.100 (Claude Code)'", f"version 2.1.100 is too old; {MINIMUM_VERSION} is the oldest that works"),
        ("printf '\\033[2Jx'", "␛"),
        ("head -c 3000000 /dev/zero", "it did not tell its version within 1 s"),
    ],
)
async def test_a_broken_one_is_named_with_the_reason(tmp_path: Path, body: str, problem: str) -> None:
    path = _program(tmp_path / "claude", body=body)
    candidate = await BinaryFinder(timeout_s=1).inspect(path, _env(tmp_path))
    assert not candidate.works
    assert problem in candidate.problem


async def test_what_is_no_program_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    (tmp_path / "strange").write_bytes(b"\0\1\2")
    (tmp_path / "strange").chmod(0o755)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    _program(tmp_path / "lost").write_text("#!/nowhere/sh\n")
    finder, env = BinaryFinder(), _env(tmp_path)
    told = {
        name: (await finder.inspect(tmp_path / name, env)).problem
        for name in ("plain", "strange", "lost", "none", "loop")
    }
    assert told["plain"] == "it is not executable"
    assert told["none"] == "it does not exist"
    assert told["strange"].startswith("it cannot be started")
    assert told["lost"].startswith("it cannot be started")
    assert told["loop"]
    assert (await finder.inspect(tmp_path, env)).problem == "it is not a file"


async def test_one_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    path = _program(tmp_path / "claude", body=f"sleep 300 & echo $! > {tmp_path / 'pid'}; wait")
    started = time.monotonic()
    candidate = await BinaryFinder(timeout_s=1).inspect(path, _env(tmp_path))
    assert candidate.problem == "it did not tell its version within 1 s"
    assert time.monotonic() - started < 60  # its children would hold it up for 300 s
    pid = int((tmp_path / "pid").read_text())
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=60)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_a_binary_is_asked_again_only_when_it_changed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    path = _program(tmp_path / "bin/claude", body=f"echo x >> {log}; echo '2.1.328 (Claude Code)'")
    finder, env = BinaryFinder(), _env(tmp_path)
    for _ in range(3):
        await finder.find(env)
    assert log.read_text() == "x\n"
    await finder.find(env, refresh=True)
    assert log.read_text() == "x\n" * 2
    _program(path, "2.1.329 (Claude Code)")
    os.utime(path, ns=(1, 1))
    assert (await finder.find(env)).chosen().version == "2.1.329"


async def test_a_script_of_npm_finds_the_node_beside_it(tmp_path: Path) -> None:
    _program(tmp_path / "v/bin/mynode", "2.1.328 (Claude Code)")
    path = tmp_path / "v/bin/claude"
    path.write_text("#!/usr/bin/env mynode\n")
    path.chmod(0o755)
    assert (await BinaryFinder().inspect(path, _env(tmp_path))).version == "2.1.328"


async def test_a_binary_is_asked_without_the_clients_secrets(tmp_path: Path) -> None:
    out = tmp_path / "env"
    path = _program(tmp_path / "claude", body=f"env > {out}; echo '2.1.328 (Claude Code)'")
    await BinaryFinder().inspect(path, _env(tmp_path, ANTHROPIC_API_KEY="canary", CLAUDE_CONFIG_DIR="/canary"))
    assert "canary" not in out.read_text()


def test_nothing_found_and_only_old_ones_found_are_different_errors() -> None:
    with pytest.raises(BinaryNotFound) as caught:
        Found((), None).chosen()
    assert "CLAUDE_CODE_BINARY" in caught.value.remedy


async def test_only_too_old_ones_say_so_with_the_way_to_update(tmp_path: Path) -> None:
    path = _program(tmp_path / "old", "1.0.3 (Claude Code)")
    with pytest.raises(BinaryTooOld) as caught:
        (await _find(_env(tmp_path, CLAUDE_CODE_BINARY=str(path)))).chosen()
    assert caught.value.details["version"] == "1.0.3"
    assert caught.value.remedy == f"Update it: {path} update"


async def test_the_bundled_one_is_the_last_resort(tmp_path: Path) -> None:
    bundled = bundled_binary()
    assert bundled is not None
    found = await _find({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    (one,) = [one for one in found.candidates if one.path == bundled]
    assert one.works
    assert one.source is BinarySource.BUNDLED
    _program(tmp_path / ".local/bin/claude", f"{MINIMUM_VERSION} (Claude Code)")
    found = await _find({"HOME": str(tmp_path), "PATH": str(tmp_path)})
    assert found.chosen().path != bundled


@pytest.mark.parametrize(
    ("real", "source", "command"),
    [
        ("/h/.local/share/claude/versions/2.1.3", BinarySource.NATIVE, "/p/claude update"),
        ("/h/.claude/local/node_modules/.bin/claude", BinarySource.LOCAL, "/p/claude update"),
        ("/h/.nvm/versions/node/v20/lib/node_modules/@anthropic-ai/claude-code/cli.js", BinarySource.NVM,
         "npm install -g @anthropic-ai/claude-code@latest"),
        ("/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js", BinarySource.PATH,
         "npm install -g @anthropic-ai/claude-code@latest"),
        ("/h/.volta/bin/volta-shim", BinarySource.PATH, "volta install @anthropic-ai/claude-code@latest"),
        ("/h/.bun/install/global/node_modules/x/cli.js", BinarySource.BUN,
         "bun add -g @anthropic-ai/claude-code@latest"),
        ("/opt/homebrew/Caskroom/claude-code/2.1/claude", BinarySource.PATH, "brew upgrade --cask claude-code"),
        ("/v/site-packages/claude_agent_sdk/_bundled/claude", BinarySource.BUNDLED,
         "pip install --upgrade claude-agent-sdk"),
    ],
)  # fmt: skip
def test_each_source_has_its_way_to_update(real: str, source: BinarySource, command: str) -> None:
    assert update_command(Path("/p/claude"), Path(real), source) == command
