import json
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.features.installations.errors import EntryTaken, ProjectDirectoryMissing
from claude_code_mcp.features.installations.operations import OPERATIONS
from claude_code_mcp.kernel.errors import ClaudeCodeMcpError, Invalid
from claude_code_mcp.kernel.file_change import Action
from claude_code_mcp.kernel.operation import Surface
from claude_code_mcp.platform.clients.host import Host, System
from claude_code_mcp.platform.clients.places import PlaceUnknown, ScopeUnsupported
from claude_code_mcp.platform.files.errors import FileBroken

pytestmark = pytest.mark.anyio

Call = Callable[..., Awaitable[Any]]

PLACES = {
    "claude-code": (".claude.json", "mcpServers"),
    "claude-desktop": (".config/Claude/claude_desktop_config.json", "mcpServers"),
    "cursor": (".cursor/mcp.json", "mcpServers"),
    "vscode": (".config/Code/User/mcp.json", "servers"),
}


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def servers(home: Path, client: str) -> Any:
    file, key = PLACES[client]
    return read(home / file)[key]


@pytest.mark.parametrize("client", PLACES)
async def test_an_installation_is_written_where_the_client_looks(
    call: Call, home: Path, program: Path, client: str
) -> None:
    change = await call("add", client=client)
    profile = "full" if client == "claude-code" else "core"
    expected: dict[str, Any] = {"command": str(program), "args": ["serve", "--profile", profile]}
    if client != "claude-desktop":
        expected = {"type": "stdio", **expected}
    assert servers(home, client) == {"claude-code-mcp": expected}
    file = home / PLACES[client][0]
    assert (change.action, change.file, change.dry_run) == (Action.ADDED, str(file), False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f'+      "command": "{program}"' in change.text()
    assert change.text().startswith(f"Added: claude-code-mcp for {client} (user scope) in {file}\n--- /dev/null")


@pytest.mark.parametrize("client", PLACES)
async def test_installing_again_writes_nothing(call: Call, home: Path, client: str) -> None:
    await call("add", client=client)
    before = (home / PLACES[client][0]).stat().st_ino
    change = await call("add", client=client)
    assert change.action is Action.UNCHANGED
    assert (home / PLACES[client][0]).stat().st_ino == before
    assert change.text() == f"Nothing to change in {home / PLACES[client][0]}."


@pytest.mark.parametrize("client", PLACES)
async def test_uninstalling_gives_the_file_back_byte_for_byte(call: Call, home: Path, client: str) -> None:
    file, key = PLACES[client]
    path = home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    text = '{ "z": 1.0,\n\t"' + key + '": {\n\t\t"other": {"command": "\\u0041", "args": []} },\n\n\t"a": [1,2]\n}'
    path.write_text(text)
    path.chmod(0o644)
    await call("add", client=client)
    assert set(servers(home, client)) == {"other", "claude-code-mcp"}
    change = await call("remove", client=client)
    assert change.action is Action.REMOVED
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert (await call("remove", client=client)).action is Action.UNCHANGED
    assert sorted(entry.name for entry in path.parent.iterdir() if entry.is_file()) == [path.name]


async def test_a_dry_run_shows_the_change_and_makes_nothing(call: Call, home: Path) -> None:
    change = await call("add", client="vscode", dry_run=True)
    assert change.text().startswith("Would be added: claude-code-mcp for vscode")
    assert "+++ " in change.diff
    assert list(home.iterdir()) == []
    assert any("did not exist" in note for note in change.notes)


async def test_another_server_of_that_name_is_not_overwritten(call: Call, home: Path) -> None:
    path = home / ".claude.json"
    path.write_text('{"mcpServers": {"claude-code-mcp": {"command": "other"}}}')
    for verb in ("add", "remove"):
        with pytest.raises(EntryTaken) as caught:
            await call(verb, client="claude-code")
        assert "--force" in caught.value.remedy
    assert read(path) == {"mcpServers": {"claude-code-mcp": {"command": "other"}}}
    assert (await call("add", client="claude-code", name="mine")).action is Action.ADDED
    assert (await call("add", client="claude-code", force=True)).action is Action.UPDATED
    assert (await call("remove", client="claude-code", name="mine")).action is Action.REMOVED
    assert read(path)["mcpServers"]["claude-code-mcp"]["args"] == ["serve", "--profile", "full"]


@pytest.mark.parametrize(
    "old",
    [
        {"command": "/old/venv/bin/claude-code-mcp", "args": ["serve", "--profile", "readonly"]},
        {"command": "/old/python", "args": ["-m", "claude_code_mcp", "serve", "--profile", "readonly"]},
        {"command": "uvx", "args": ["claude-code-mcp", "serve", "--profile", "readonly"]},
    ],
)
async def test_an_older_installation_is_renewed_and_keeps_what_the_user_set(
    call: Call, home: Path, program: Path, old: dict[str, Any]
) -> None:
    (home / ".claude.json").write_text(
        json.dumps({"mcpServers": {"claude-code-mcp": {**old, "timeout": 60, "env": {"A": "1", "B": "2"}}}})
    )
    change = await call("add", client="claude-code", env={"B": "3"})
    assert change.action is Action.UPDATED
    assert servers(home, "claude-code")["claude-code-mcp"] == {
        "command": str(program),
        "args": ["serve", "--profile", "readonly"],
        "timeout": 60,
        "env": {"A": "1", "B": "3"},
        "type": "stdio",
    }
    await call("add", client="claude-code", profile="core")
    assert servers(home, "claude-code")["claude-code-mcp"]["args"] == ["serve", "--profile", "core"]


async def test_comments_of_vs_code_are_kept(call: Call, home: Path) -> None:
    path = home / ".config/Code/User/mcp.json"
    path.parent.mkdir(parents=True)
    text = (
        '// mine\n{\n  "servers": {\n    /* mine too */ "a": { "command": "x", },\n  },\n  "inputs": [], // last\n}\n'
    )
    path.write_text(text)
    change = await call("add", client="vscode")
    assert path.read_text().startswith(text.partition('"x", },')[0])
    assert path.read_text().endswith('\n  },\n  "inputs": [], // last\n}\n')
    assert change.diff.count("\n-") == 0
    await call("remove", client="vscode")
    assert path.read_text() == text


@pytest.mark.parametrize("client", ["claude-code", "claude-desktop", "cursor"])
@pytest.mark.parametrize("text", ['{"mcpServers": {}', '{"a": 1, // note\n"b": 2}', '{"mcpServers": []}', "[]"])
async def test_a_broken_file_is_left_as_it_is(call: Call, home: Path, client: str, text: str) -> None:
    path = home / PLACES[client][0]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(FileBroken) as caught:
        await call("add", client=client)
    assert "line 1" in caught.value.message
    assert path.read_text() == text
    listed = {item.client.value: item for item in (await call("list")).items if item.scope.value == "user"}
    if text != '{"mcpServers": []}':
        assert "line 1" in listed[client].problem
    assert listed[client].names == []


async def test_a_secret_in_the_neighbourhood_is_not_shown(call: Call, home: Path) -> None:
    secret = "sk-ant-api03-" + "x" * 40
    (home / ".cursor").mkdir()
    (home / ".cursor/mcp.json").write_text(json.dumps({"mcpServers": {"o": {"env": {"K": secret}}}}, indent=1))
    change = await call("add", client="cursor", env={"TOKEN": secret})
    assert secret not in change.text()
    assert servers(home, "cursor")["claude-code-mcp"]["env"] == {"TOKEN": secret}


async def test_a_backup_is_kept_on_wish(call: Call, home: Path) -> None:
    (home / ".claude.json").write_text("{}")
    change = await call("add", client="claude-code", backup=True)
    assert Path(change.backup_file).read_text() == "{}"
    assert change.backup_file in change.text()


@pytest.mark.parametrize(
    ("client", "file", "key"),
    [
        ("claude-code", ".mcp.json", "mcpServers"),
        ("cursor", ".cursor/mcp.json", "mcpServers"),
        ("vscode", ".vscode/mcp.json", "servers"),
    ],
)
async def test_a_project_has_its_own_list(call: Call, project: Path, client: str, file: str, key: str) -> None:
    umask = os.umask(0o022)
    try:
        change = await call("add", client=client, scope="project")
    finally:
        os.umask(umask)
    assert list(read(project / file)[key]) == ["claude-code-mcp"]
    assert stat.S_IMODE((project / file).stat().st_mode) == 0o644
    assert stat.S_IMODE((project / file).parent.stat().st_mode) == 0o755
    assert any("path of this machine" in note for note in change.notes)


async def test_a_local_installation_belongs_to_the_repository(call: Call, home: Path, project: Path) -> None:
    (project / "below").mkdir()
    await call("add", client="claude-code", scope="local", cwd=project / "below")
    assert list(read(home / ".claude.json")["projects"]) == [str(project)]
    await call("remove", client="claude-code", scope="local", project_path=str(project), cwd=home)
    assert read(home / ".claude.json")["projects"][str(project)]["mcpServers"] == {}


async def test_what_does_not_exist_is_refused(call: Call, home: Path) -> None:
    for wish, error in (
        ({"client": "cursor", "scope": "local"}, ScopeUnsupported),
        ({"client": "claude-desktop", "scope": "project"}, ScopeUnsupported),
        ({"client": "claude-code", "scope": "project", "project_path": "absent"}, ProjectDirectoryMissing),
        ({"client": "emacs"}, Invalid),
        ({"client": "cursor", "name": "a b"}, Invalid),
        ({"client": "cursor", "profile": "full --evil"}, Invalid),
    ):
        with pytest.raises(error) as caught:
            await call("add", **wish)
        assert isinstance(caught.value, ClaudeCodeMcpError)
    assert list(home.iterdir()) == []


async def test_a_file_can_be_named(call: Call, home: Path, project: Path) -> None:
    await call("add", client="vscode", config_file="insiders/mcp.json")
    assert list(read(project / "insiders/mcp.json")["servers"]) == ["claude-code-mcp"]
    await call("add", client="cursor", config_file="~/c.json")
    assert list(read(home / "c.json")["mcpServers"]) == ["claude-code-mcp"]


async def test_the_home_of_the_caller_counts(call: Call, tmp_path: Path, home: Path) -> None:
    other = tmp_path / "other"
    env = {"HOME": str(other), "CLAUDE_CONFIG_DIR": str(other / "cc"), "XDG_CONFIG_HOME": str(other / "xdg")}
    for client, file in (
        ("claude-code", "cc/.claude.json"),
        ("cursor", ".cursor/mcp.json"),
        ("claude-desktop", "xdg/Claude/claude_desktop_config.json"),
    ):
        assert (await call("add", client=client, caller_env=env)).file == str(other / file)
    assert list(home.iterdir()) == []


async def test_macos_has_its_own_places(call: Call, host: Host, home: Path) -> None:
    mac = replace(host, system=System.MACOS)
    base = home / "Library/Application Support"
    assert (await call("add", on=mac, client="vscode")).file == str(base / "Code/User/mcp.json")
    change = await call("add", on=mac, client="claude-desktop")
    assert change.file == str(base / "Claude/claude_desktop_config.json")


async def test_windows_beside_wsl_starts_us_through_wsl(call: Call, host: Host, tmp_path: Path, program: Path) -> None:
    users = tmp_path / "Users"
    (users / "Public").mkdir(parents=True)
    wsl = replace(host, system=System.WSL, windows_users=users, distribution="Ubuntu")
    with pytest.raises(PlaceUnknown, match="No Claude Desktop"):
        await call("add", on=wsl, client="claude-desktop")
    directory = users / "ann" / "AppData/Roaming/Claude"
    directory.mkdir(parents=True)
    await call("add", on=wsl, client="claude-desktop", env={"A": "1"})
    entry = read(directory / "claude_desktop_config.json")["mcpServers"]["claude-code-mcp"]
    assert entry == {
        "command": "wsl.exe",
        "args": ["--distribution", "Ubuntu", "--exec", "env", "A=1", str(program), "serve", "--profile", "core"],
    }
    again = await call("add", on=wsl, client="claude-desktop")
    assert again.action is Action.UNCHANGED
    listed = await call("list", on=wsl)
    assert [item.names for item in listed.items if item.client.value == "claude-desktop"] == [["claude-code-mcp"]]
    (users / "bob" / "AppData/Roaming/Claude").mkdir(parents=True)
    with pytest.raises(PlaceUnknown, match="ann, bob"):
        await call("remove", on=wsl, client="claude-desktop")
    problems = [item.problem for item in (await call("list", on=wsl)).items if item.client.value == "claude-desktop"]
    assert "--config-file" in problems[0]
    named = str(directory / "claude_desktop_config.json")
    await call("remove", on=wsl, client="claude-desktop", config_file=named)
    assert read(Path(named)) == {"mcpServers": {}}
    cursor = await call("add", on=wsl, client="cursor")
    assert cursor.file == str(host.home / ".cursor/mcp.json")


async def test_the_list_tells_what_is_installed_and_what_is_broken(call: Call, program: Path) -> None:
    await call("add", client="claude-code")
    await call("add", client="claude-code", name="second")
    await call("add", client="cursor", scope="project")
    listed = await call("list")
    state = {(item.client.value, item.scope.value): item.names for item in listed.items if item.names}
    assert state == {("claude-code", "user"): ["claude-code-mcp", "second"], ("cursor", "project"): ["claude-code-mcp"]}
    assert all(item.problem is None for item in listed.items)
    assert "claude-code (user): installed as claude-code-mcp, second; " in listed.text()
    assert "vscode (user): not installed; " in listed.text()
    program.unlink()
    broken = {(item.client.value, item.scope.value): item.problem for item in (await call("list")).items if item.names}
    assert all(f"{program} cannot be run" in str(problem) for problem in broken.values())
    assert len(broken) == 2


async def test_a_copy_in_a_cache_is_warned_about(call: Call, host: Host, tmp_path: Path) -> None:
    fleeting = replace(host, launcher=("/h/.cache/uv/archive-v0/abc/bin/claude-code-mcp",))
    change = await call("add", on=fleeting, client="cursor", dry_run=True)
    assert any("uv tool install" in note for note in change.notes)


async def test_without_a_script_the_interpreter_is_named(call: Call, host: Host, home: Path) -> None:
    await call("add", on=replace(host, launcher=("/p/python", "-m", "claude_code_mcp")), client="cursor")
    assert servers(home, "cursor")["claude-code-mcp"]["args"] == ["-m", "claude_code_mcp", "serve", "--profile", "core"]
    assert (await call("remove", client="cursor")).action is Action.REMOVED


def test_a_model_cannot_reach_these_operations() -> None:
    assert {frozenset(op.surfaces) for op in OPERATIONS} == {frozenset({Surface.CLI})}
