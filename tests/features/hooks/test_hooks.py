"""Our hooks in settings files of all kinds: put in, renewed, taken out, and nothing else touched."""

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.hooks import rules
from claude_code_mcp.features.hooks.errors import HooksProjectMissing, PluginFolderTaken
from claude_code_mcp.features.hooks.service import Hooks
from claude_code_mcp.kernel.file_change import Action
from claude_code_mcp.platform.claude.hooks.block import Block, is_ours
from claude_code_mcp.platform.claude.hooks.read import EVENTS
from claude_code_mcp.platform.files.errors import FileBroken, FileRefused
from tests.features.hooks.conftest import PORT, TOKEN, Call

pytestmark = pytest.mark.anyio
OWN = {"matcher": "Bash", "hooks": [{"type": "command", "command": "date"}]}
FILES = {
    "user": "home/.claude/settings.json",
    "project": "project/.claude/settings.json",
    "local": "project/.claude/settings.local.json",
}
WANTED = Block(PORT, Path("/state"), TOKEN).entries()


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def handlers(path: Path) -> list[tuple[str, dict[str, Any]]]:
    found = read(path).get("hooks", {})
    return [(event, one) for event, entries in found.items() for entry in entries for one in entry["hooks"]]


@pytest.mark.parametrize("scope", FILES)
async def test_every_event_that_may_be_observed_is_hooked(call: Call, tmp_path: Path, scope: str) -> None:
    change = await call("install", scope=scope)
    path = tmp_path / FILES[scope]
    assert (change.action, change.file, change.port) == (Action.ADDED, str(path), PORT)
    found = handlers(path)
    posted = {event for event, one in found if one["type"] == "http"}
    run = {event for event, one in found if one["type"] == "command"}
    assert posted == set(EVENTS) - {
        "SessionStart", "Setup", "WorktreeCreate", "MessageDisplay", "PreModelSwitch", "PostToolBatch",
    }  # fmt: skip
    assert run >= {"SessionStart", "Setup", "SessionEnd", "PermissionRequest", "Notification", "StopFailure"}
    assert not run & {"PreToolUse", "PostToolUse", "PostToolUseFailure"}
    assert {one["timeout"] for _, one in found if one["type"] == "http"} == {2}
    assert all(is_ours(one) for _, one in found)
    assert not [one for _, one in found if "python" in json.dumps(one)]
    assert stat.S_IMODE(path.stat().st_mode) == (0o644 if scope == "project" else 0o600)


async def test_a_file_that_is_shared_holds_no_secret_and_no_path_of_this_machine(
    call: Call, tmp_path: Path, hooks: Hooks
) -> None:
    await call("install", scope="project")
    await call("install", scope="local")
    shared, own = ((tmp_path / FILES[scope]).read_text() for scope in ("project", "local"))
    assert TOKEN not in shared
    assert str(tmp_path) not in shared
    assert TOKEN in own
    assert str(hooks.state_dir) in own


async def test_the_diff_shows_the_change_but_not_the_token(call: Call) -> None:
    change = await call("install", dry_run=True)
    assert change.text().startswith("Would be added: hooks (user scope) in ")
    assert f'+            "url": "http://127.0.0.1:{PORT}/hooks?from=claude-code-mcp"' in change.diff
    assert TOKEN not in change.text()
    assert not Path(change.file).exists()


async def test_installing_again_writes_nothing(call: Call, tmp_path: Path) -> None:
    await call("install")
    inode = (tmp_path / FILES["user"]).stat().st_ino
    change = await call("install")
    assert (change.action, (tmp_path / FILES["user"]).stat().st_ino) == (Action.UNCHANGED, inode)


BEFORE = [
    None,
    "",
    "{}",
    "{\n}\n",
    '{"hooks": {}}',
    '{"hooks": {"PreToolUse": []}, "x": 1}',
    json.dumps({"theme": "dark", "hooks": {"PreToolUse": [OWN], "Stop": [OWN, OWN]}}),
    json.dumps({"theme": "dark", "hooks": {"PreToolUse": [OWN], "Stop": [OWN, OWN]}}, indent=4),
    '{ "z": 1.0,\n\t"hooks": {"Stop":[{"hooks" : [ {"type":"command","command":"\\u0041"} ]}\n]},\n\n\t"a": [1,2]\n}',
    '{\r\n  "hooks": {\r\n    "Stop": [\r\n      {"hooks": []}\r\n    ]\r\n  }\r\n}\r\n',
]


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("scope", ["user", "project"])
async def test_uninstalling_gives_the_file_back_byte_for_byte(
    call: Call, tmp_path: Path, scope: str, before: str | None
) -> None:
    path = tmp_path / FILES[scope]
    if before is not None:
        path.parent.mkdir(parents=True)
        path.write_bytes(before.encode())
        path.chmod(0o640)
    assert (await call("install", scope=scope)).action is Action.ADDED
    kept = [one for _, one in handlers(path) if not is_ours(one)]
    own = json.loads(before or "{}").get("hooks", {})
    assert kept == [one for entries in own.values() for entry in entries for one in entry["hooks"]]
    change = await call("uninstall", scope=scope)
    assert change.action is Action.REMOVED
    assert path.exists() == (before is not None)
    if before is not None:
        assert path.read_bytes() == before.encode()
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (await call("uninstall", scope=scope)).action is Action.UNCHANGED


async def test_what_somebody_changed_in_between_stays(call: Call, tmp_path: Path) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    path.write_text(json.dumps({"hooks": {"Stop": [OWN]}}, indent=2))
    await call("install")
    changed = read(path)
    changed["model"] = "opus"
    changed["hooks"]["Stop"].append(OWN)
    changed["hooks"]["PreToolUse"][0]["hooks"].append({"type": "command", "command": "mine"})
    path.write_text(json.dumps(changed, indent=2))
    await call("uninstall")
    mine = {"hooks": [{"type": "command", "command": "mine"}]}
    assert read(path) == {"hooks": {"Stop": [OWN, OWN], "PreToolUse": [mine]}, "model": "opus"}


async def test_hooks_of_another_version_are_renewed_and_can_still_be_undone(
    call: Call, tmp_path: Path, hooks: Hooks
) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    path.write_text('{"hooks": {"Stop": []}}')
    await call("install")
    text = path.read_text().replace(f":{PORT}/", ":1234/").replace("SessionStart", "OldEvent")
    path.write_text(text)
    item = (await call("status")).items[0]
    assert (item.current, item.problem) == (
        False,
        "They are of another version or port. Run `claude-code-mcp hooks install --scope user`.",
    )
    assert (await call("install")).action is Action.UPDATED
    assert "OldEvent" not in read(path)["hooks"]
    assert ":1234/" not in path.read_text()
    assert (await call("status")).items[0].current
    await call("uninstall")
    assert not [one for _, one in handlers(path) if is_ours(one)]


async def test_a_link_stays_a_link(call: Call, tmp_path: Path) -> None:
    path, real = tmp_path / FILES["user"], tmp_path / "dotfiles.json"
    path.parent.mkdir()
    real.write_text('{"a": 1}\n')
    path.symlink_to(real)
    await call("install")
    assert path.is_symlink()
    assert "hooks" in read(real)
    await call("uninstall")
    assert (path.is_symlink(), real.read_text()) == (True, '{"a": 1}\n')


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"hooks": {,}}', "line 1, column 12"),
        ("[]", "the document is not an object"),
        ('{"hooks": []}', "hooks is not an object"),
        ('{"hooks": {"Stop": {}}}', "is not an array"),
        ('{"hooks": 1, "hooks": 2}', "the key"),
    ],
)
async def test_a_broken_file_is_refused_with_the_place_and_left_alone(
    call: Call, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(FileBroken, match=re.escape(problem)):
        await call("install")
    assert path.read_text() == text


async def test_other_things_in_the_place_of_the_file_are_refused(call: Call, tmp_path: Path) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    os.mkfifo(path)
    with pytest.raises(FileRefused):
        await call("install")
    with pytest.raises(HooksProjectMissing):
        await call("install", scope="project", project_path=str(tmp_path / "nowhere"))


_WRITER = """
import json, sys, time
path, end = sys.argv[1], time.monotonic() + 20
for number in range(40):
    text = open(path).read()
    value = json.loads(text)
    value[f"key{number}"] = number
    if open(path).read() == text:
        open(path + ".new", "w").write(json.dumps(value, indent=2))
        import os; os.rename(path + ".new", path)
"""


async def test_a_program_that_writes_at_the_same_time_never_finds_half_a_file(call: Call, tmp_path: Path) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    path.write_text('{"kept": true}')
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)]) as writer:
        while writer.poll() is None:
            await call("install")
            await call("uninstall")
    assert writer.returncode == 0
    await call("install")
    assert read(path)["kept"] is True
    assert rules.look(path.read_text(), {}).events > 20
    await call("uninstall")
    assert "hooks" not in read(path)


@given(
    st.dictionaries(st.sampled_from(["Stop", "PreToolUse", "SessionStart", "x"]), st.lists(st.just(OWN), max_size=3)),
    st.sampled_from([None, 2, "\t"]),
)
def test_putting_in_and_taking_out_leaves_all_other_hooks(own: dict[str, list[Any]], indent: Any) -> None:
    text = json.dumps({"a": [1], "hooks": own, "z": 1}, indent=indent)
    inside = rules.installed(text, WANTED)
    assert rules.look(inside, WANTED).current
    assert rules.installed(inside, WANTED) == inside
    out = rules.uninstalled(inside)
    left = {event: entries for event, entries in own.items() if entries or event not in WANTED}
    assert json.loads(out).get("hooks", {}) == left
    if left == own and own:
        assert out == text


async def test_the_status_tells_what_keeps_hooks_from_running(call: Call, tmp_path: Path) -> None:
    path = tmp_path / FILES["user"]
    path.parent.mkdir()
    path.write_text('{"disableAllHooks": true}')
    change = await call("install")
    assert "`disableAllHooks` in this file switches hooks off" in change.text()
    status = await call("status")
    assert status.items[0].problem == "`disableAllHooks` in this file switches hooks off."
    assert (status.listening, status.last_event_at) == (False, None)
    (tmp_path / FILES["project"]).parent.mkdir()
    (tmp_path / FILES["project"]).write_text("{")
    assert "not valid JSON (line 1, column 2)" in (await call("status")).text()


async def test_claude_codes_own_place_is_used_where_it_was_moved(call: Call, tmp_path: Path) -> None:
    change = await call("install", caller_env={"CLAUDE_CONFIG_DIR": str(tmp_path / "moved")})
    assert change.file == str(tmp_path / "moved" / "settings.json")


async def test_a_plugin_is_written_beside_nothing_else(call: Call, tmp_path: Path) -> None:
    made = await call("plugin", out=str(tmp_path / "plugin"))
    assert made.text().endswith(f"claude --plugin-dir {tmp_path / 'plugin'}")
    assert read(tmp_path / "plugin/.claude-plugin/plugin.json")["name"] == "claude-code-mcp-hooks"
    assert read(tmp_path / "plugin/hooks/hooks.json") == (await call("settings")).settings
    await call("plugin", out=str(tmp_path / "plugin"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("")
    with pytest.raises(PluginFolderTaken):
        await call("plugin", out=str(tmp_path / "other"))
