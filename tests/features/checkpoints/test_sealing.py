"""Sealed secrets through a real daemon: chosen, kept, looked at, carried, lost and found again."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.blobs import expanded
from tests.support.daemon import CallFailed, Terminal

TOKEN = "TOKEN=an-unmistakable-secret\n"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "sealing.key"


@pytest.fixture
def env(env: dict[str, str], key_file: Path) -> dict[str, str]:
    return {**env, "CLAUDE_CODE_MCP_CHECKPOINT_KEY_FILE": str(key_file)}


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / ".gitignore").write_text(".env\n")
    (folder / ".env").write_text(TOKEN)
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, env: dict[str, str], folder: Path) -> Iterator[Terminal]:
    """A daemon on another machine, so to speak: other data, another key file, a copy of the project."""
    state, other = tmp_path / "other-state", tmp_path / "other"
    state.mkdir(mode=0o700)
    other.mkdir()
    found = Terminal(state, {**env, "CLAUDE_CODE_MCP_CHECKPOINT_KEY_FILE": str(tmp_path / "other.key")}, other)
    yield found
    found.stop()


def in_the_clear(state: Path) -> bool:
    """Tell whether the secret stands anywhere below the daemon's data, compression aside."""
    files = [path for path in state.rglob("*") if path.is_file() and path.suffix != ".pack"]
    plain = any(b"unmistakable" in path.read_bytes() for path in files)
    return plain or any(b"unmistakable" in block for block in expanded(state / "blobs"))


def test_a_secret_is_never_kept_in_the_clear_and_comes_back(terminal: Terminal, project: Path, key_file: Path) -> None:
    chosen = terminal.call("checkpoints.settings", secrets="seal")
    assert (chosen["secrets"], chosen["notes"]) == ("seal", [])
    assert key_file.stat().st_mode & 0o777 == 0o600
    first = terminal.call("checkpoints.create", message="sealed")
    assert not in_the_clear(terminal.state_dir)
    (project / ".env").write_text("TOKEN=another\n")
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert (project / ".env").read_text() == TOKEN
    assert not in_the_clear(terminal.state_dir)
    terminal.call("checkpoints.redo")
    assert (project / ".env").read_text() == "TOKEN=another\n"
    assert reply["backup_id"]
    terminal.stop()
    terminal.call("checkpoints.restore", checkpoint_id=first["id"])  # a new daemon asks for the key anew
    assert (project / ".env").read_text() == TOKEN


def test_the_doctor_tells_whether_secrets_can_be_sealed(terminal: Terminal, project: Path, key_file: Path) -> None:
    def found() -> tuple[str, str]:
        checks = {one["name"]: one for one in terminal.call("diagnoses.run")["checks"]}
        return checks["sealed secrets"]["verdict"], checks["sealed secrets"]["found"]

    assert found() == ("ok", "nothing is sealed")
    terminal.call("checkpoints.settings", project_path=str(project), secrets="seal")
    assert found() == ("ok", f"key {terminal.call('checkpoints.key')['key_id'][:8]} in {key_file}")


def test_a_diff_names_a_sealed_secret_and_shows_none_of_it(terminal: Terminal, project: Path) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    first = terminal.call("checkpoints.create", message="sealed")
    (project / ".env").write_text("TOKEN=another-secret\n")
    (project / "README.md").write_text("Read it.\n")
    for wish in ({}, {"compare_with": terminal.call("checkpoints.create")["id"]}):
        reply = terminal.call("checkpoints.diff", checkpoint_id=first["id"], format="unified", **wish)
        assert [(one["path"], one["sealed"]) for one in reply["items"]] == [(".env", True), ("README.md", False)]
        assert "Read it." in reply["_text"]
        assert "secret" not in json.dumps(reply)
    listed = terminal.call("checkpoints.files", checkpoint_id=first["id"], paths=[".env", "README.md"])["items"]
    assert [(one["path"], one["sealed"], one["sha256"] is None) for one in listed] == [
        (".env", True, True), ("README.md", False, False),
    ]  # fmt: skip


def test_choosing_to_seal_tells_what_was_kept_before_and_changes_no_file(terminal: Terminal, project: Path) -> None:
    first = terminal.call("checkpoints.create", message="as it is")
    assert in_the_clear(terminal.state_dir)
    chosen = terminal.call("checkpoints.settings", secrets="seal")
    assert chosen["notes"][0].startswith("1 checkpoints were taken before")
    assert terminal.call("checkpoints.diff", checkpoint_id=first["id"])["items"] == []
    terminal.call("checkpoints.create", message="sealed")
    terminal.call("checkpoints.delete", checkpoint_ids=[first["id"]])
    terminal.call("checkpoints.gc", grace_s=0)
    assert not in_the_clear(terminal.state_dir)
    assert terminal.call("checkpoints.verify")["whole"]
    assert (project / ".env").read_text() == TOKEN


def test_where_there_is_no_place_for_a_key_nothing_is_changed(
    terminal: Terminal, project: Path, key_file: Path
) -> None:
    key_file.mkdir()
    with pytest.raises(CallFailed) as caught:
        terminal.call("checkpoints.settings", secrets="seal", keep_last=7)
    assert caught.value.code == "seal_key_unavailable"
    found = terminal.call("checkpoints.settings")
    assert (found["secrets"], found["keep_last"]) == ("keep", 50)
    shown = terminal.call("checkpoints.key")
    assert (shown["available"], shown["key_id"]) == (False, None)


def test_a_lost_key_costs_the_secrets_alone(terminal: Terminal, project: Path, key_file: Path) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    first = terminal.call("checkpoints.create", message="sealed")
    terminal.stop()
    key_file.rename(key_file.with_suffix(".away"))
    (project / ".env").write_text("TOKEN=changed\n")
    (project / "README.md").write_text("changed\n")
    shown = terminal.call("checkpoints.key")
    assert not shown["available"]
    assert shown["key_id"][:8] in shown["why"]
    checks = {one["name"]: one for one in terminal.call("diagnoses.run")["checks"]}
    assert checks["sealed secrets"]["verdict"] == "warning"
    assert "checkpoints key import" in checks["sealed secrets"]["fix"]
    without = terminal.call("checkpoints.create", message="without the key")
    assert without["left_out"] == {"no_key": 1}
    with pytest.raises(CallFailed) as caught:
        terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert caught.value.code == "restore_blocked"
    assert "sealed" in str(caught.value)
    plan = terminal.call("checkpoints.restore", checkpoint_id=first["id"], dry_run=True)
    assert [one["path"] for one in plan["blocked"]] == [".env"]
    assert (project / "README.md").read_text() == "changed\n"
    reply = terminal.call("checkpoints.restore", checkpoint_id=first["id"], skip_sealed=True)
    assert [one["path"] for one in reply["kept"]] == [".env"]
    assert (project / "README.md").read_text() == "Read me.\n"
    assert (project / ".env").read_text() == "TOKEN=changed\n"
    terminal.stop()
    key_file.with_suffix(".away").rename(key_file)
    terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert (project / ".env").read_text() == TOKEN


def test_keys_and_checkpoints_are_carried_to_another_machine(
    terminal: Terminal, elsewhere: Terminal, project: Path, tmp_path: Path
) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    first = terminal.call("checkpoints.create", message="sealed")
    terminal.call("checkpoints.export", path=str(tmp_path / "app.ckpt"))
    assert not any(b"unmistakable" in block for block in [(tmp_path / "app.ckpt").read_bytes()])
    carried = terminal.call("checkpoints.key", action="export", path=str(tmp_path / "carried.key"))
    assert (tmp_path / "carried.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "carried.key").read_text().split(":")[1].strip() not in json.dumps(carried)

    there = tmp_path / "other"
    taken = elsewhere.call("checkpoints.import", path=str(tmp_path / "app.ckpt"), project_path=str(there))
    assert taken["sealed_files"] == 1
    with pytest.raises(CallFailed):
        elsewhere.call("checkpoints.restore", checkpoint_id=first["id"], project_path=str(there), force=True)
    assert list(there.iterdir()) == []
    found = elsewhere.call("checkpoints.key", action="import", path=str(tmp_path / "carried.key"))
    assert found["key_id"] == terminal.call("checkpoints.key")["key_id"]
    elsewhere.call("checkpoints.restore", checkpoint_id=first["id"], project_path=str(there), force=True)
    assert (there / ".env").read_text() == TOKEN


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"action": "export"}, "bad_checkpoint_request"),
        ({"action": "export", "path": "README.md"}, "bad_checkpoint_request"),
        ({"action": "import", "path": "not-there"}, "bad_checkpoint_request"),
        ({"action": "import", "path": "README.md"}, "seal_key_refused"),
    ],
)
def test_a_wrong_wish_about_keys_gets_one_clear_error(
    terminal: Terminal, project: Path, key_file: Path, wish: dict[str, str], code: str
) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    before = key_file.read_bytes()
    with pytest.raises(CallFailed) as caught:
        terminal.call("checkpoints.key", **wish)
    assert caught.value.code == code
    assert key_file.read_bytes() == before
    assert (project / "README.md").read_text() == "Read me.\n"


def test_a_new_key_seals_from_now_on(terminal: Terminal, project: Path) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    old = terminal.call("checkpoints.create", message="old key")
    before, after = terminal.call("checkpoints.key"), terminal.call("checkpoints.key", action="new")
    assert after["known"] == [before["key_id"], after["key_id"]]
    (project / ".env").write_text("TOKEN=newer\n")
    new = terminal.call("checkpoints.create", message="new key")
    for one, text in ((old, TOKEN), (new, "TOKEN=newer\n")):
        terminal.call("checkpoints.restore", checkpoint_id=one["id"])
        assert (project / ".env").read_text() == text


def test_damage_to_a_sealed_secret_is_healed_from_the_tree(terminal: Terminal, project: Path) -> None:
    terminal.call("checkpoints.settings", secrets="seal")
    (project / ".env").write_bytes(os.urandom(700_000))  # a block of its own
    first = terminal.call("checkpoints.create", message="sealed")
    terminal.stop()
    (pack,) = (terminal.state_dir / "blobs" / "packs").iterdir()
    data = bytearray(pack.read_bytes())
    data[len(data) // 2] ^= 1
    pack.chmod(0o600)
    pack.write_bytes(data)
    assert terminal.call("checkpoints.verify")["lost"] == 1
    repaired = terminal.call("checkpoints.verify", repair=True)
    assert (repaired["whole"], repaired["healed"]) == (True, 1)
    secret = (project / ".env").read_bytes()
    (project / ".env").unlink()
    terminal.call("checkpoints.restore", checkpoint_id=first["id"])
    assert (project / ".env").read_bytes() == secret


def test_a_fork_gets_the_secret_and_a_comparison_does_not_show_it(terminal: Terminal, project: Path) -> None:
    terminal.call("checkpoints.settings", secrets="seal", secret_files=["*.pem"])
    (project / "id.pem").write_text(TOKEN)
    first = terminal.call("checkpoints.create", message="base")
    reply = terminal.call("checkpoints.fork", checkpoint_id=first["id"], into="folder")
    copy = Path(reply["project_path"])
    assert (copy / ".env").read_text() == (copy / "id.pem").read_text() == TOKEN
    shutil.rmtree(copy)


def test_patterns_of_secrets_that_would_say_the_opposite_are_refused(terminal: Terminal, project: Path) -> None:
    with pytest.raises(CallFailed) as caught:
        terminal.call("checkpoints.settings", secret_files=["!.env.example"])
    assert caught.value.code == "bad_request" or "secret_files" in str(caught.value)
    assert terminal.call("checkpoints.settings")["secret_files"] == []
    assert project.is_dir()
