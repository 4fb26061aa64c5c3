"""Names, pins, deletion, retention, the store, and files that carry checkpoints, through a real daemon."""

import shutil
from pathlib import Path

import pytest

from tests.features.checkpoints.looking import seen
from tests.support.daemon import CallFailed, Json, Terminal


def _three(terminal: Terminal, folder: Path) -> list[Json]:
    found = []
    for text in ("one", "two", "three"):
        (folder / "README.md").write_text(text)
        found.append(terminal.call("checkpoints.create", message=text))
    return found


def _packs(terminal: Terminal) -> list[Path]:
    return sorted((terminal.state_dir / "blobs" / "packs").iterdir())


def test_a_deleted_checkpoint_leaves_its_children_to_its_parent(terminal: Terminal, folder: Path) -> None:
    one, two, three = _three(terminal, folder)
    assert terminal.call("checkpoints.delete", checkpoint_ids=[two["id"]])["deleted"] == 1
    assert terminal.call("checkpoints.show", checkpoint_id=three["id"])["parent_id"] == one["id"]
    terminal.call("checkpoints.delete", checkpoint_ids=[three["id"]])
    assert terminal.call("checkpoints.timeline")["current"] == one["id"]


def test_a_pinned_checkpoint_is_not_deleted_and_nothing_else_of_the_wish_is(terminal: Terminal, folder: Path) -> None:
    one, two, _ = _three(terminal, folder)
    terminal.call("checkpoints.pin", checkpoint_id=two["id"])
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.delete", checkpoint_ids=[one["id"], two["id"]])
    assert refused.value.code == "checkpoint_pinned"
    assert len(terminal.call("checkpoints.list")["items"]) == 3
    terminal.call("checkpoints.pin", checkpoint_id=two["id"], off=True)
    assert terminal.call("checkpoints.delete", checkpoint_ids=[one["id"], two["id"]])["deleted"] == 2


def test_a_label_is_given_and_taken_away(terminal: Terminal) -> None:
    one = terminal.call("checkpoints.create")
    assert terminal.call("checkpoints.label", checkpoint_id=one["id"], label="good")["label"] == "good"
    assert terminal.call("checkpoints.label", checkpoint_id=one["id"])["label"] is None


def test_a_sweep_gives_back_what_no_checkpoint_needs_and_nothing_else(terminal: Terminal, folder: Path) -> None:
    (folder / "big.bin").write_bytes(bytes(range(256)) * 8000)
    one = terminal.call("checkpoints.create")
    (folder / "big.bin").unlink()
    before = seen(folder)
    two = terminal.call("checkpoints.create")
    assert terminal.call("checkpoints.gc", grace_s=0)["freed_bytes"] == 0
    terminal.call("checkpoints.delete", checkpoint_ids=[one["id"]])
    swept = terminal.call("checkpoints.gc", grace_s=0)
    assert swept["freed_bytes"] > 0
    (folder / "README.md").write_text("gone")
    terminal.call("checkpoints.restore", checkpoint_id=two["id"])
    assert seen(folder) == before
    assert terminal.call("checkpoints.verify")["whole"]


def test_a_later_sweep_knows_of_what_was_taken_and_deleted_since_the_last(terminal: Terminal, folder: Path) -> None:
    (folder / "one.bin").write_bytes(bytes(range(256)) * 8000)
    one = terminal.call("checkpoints.create")
    terminal.call("checkpoints.gc", grace_s=0)
    (folder / "one.bin").write_bytes(bytes(range(255, -1, -1)) * 8000)
    two = terminal.call("checkpoints.create")
    before = seen(folder)
    assert terminal.call("checkpoints.gc", grace_s=0)["freed_bytes"] == 0
    (folder / "one.bin").unlink()
    terminal.call("checkpoints.create")
    terminal.call("checkpoints.delete", checkpoint_ids=[one["id"]])
    assert terminal.call("checkpoints.gc", grace_s=0)["freed_bytes"] > 0
    assert terminal.call("checkpoints.verify")["whole"]
    terminal.call("checkpoints.restore", checkpoint_id=two["id"])
    assert seen(folder) == before


def test_what_was_swept_is_stored_again_when_it_comes_back(terminal: Terminal, folder: Path) -> None:
    one = terminal.call("checkpoints.create")
    (folder / "other.txt").write_text("other")
    terminal.call("checkpoints.delete", checkpoint_ids=[one["id"]])
    terminal.call("checkpoints.gc", grace_s=0)
    terminal.call("checkpoints.create")
    assert terminal.call("checkpoints.verify")["whole"]
    terminal.kill_daemon()
    before = seen(folder)
    (folder / "README.md").write_text("later")
    newest = terminal.call("checkpoints.list")["items"][0]["id"]
    terminal.call("checkpoints.restore", checkpoint_id=newest)
    assert seen(folder) == before


def test_retention_forgets_only_what_was_taken_by_itself(terminal: Terminal, folder: Path) -> None:
    one, two, _ = _three(terminal, folder)
    for target in (one, two, one, two):
        (folder / "README.md").write_text(f"worked on since {target['id']}")
        terminal.call("checkpoints.restore", checkpoint_id=target["id"])
    terminal.call("checkpoints.settings", keep_last=0, keep_hourly=0, keep_daily=0)
    triggers = [item["trigger"] for item in terminal.call("checkpoints.list")["items"]]
    assert sorted(triggers) == ["manual"] * 3 + ["safety"] * 4
    assert terminal.call("checkpoints.gc", expire=True)["expired"] == 0  # redo needs every one of them
    terminal.call("checkpoints.redo")
    terminal.call("checkpoints.redo")
    assert terminal.call("checkpoints.gc", expire=True)["expired"] > 0
    left = [item["trigger"] for item in terminal.call("checkpoints.list")["items"]]
    assert left.count("manual") == 3
    assert terminal.call("checkpoints.verify")["whole"]


def test_a_bound_of_the_store_forgets_the_oldest_first(terminal: Terminal, folder: Path) -> None:
    base = terminal.call("checkpoints.create")
    for number in range(4):
        (folder / "big.bin").write_bytes(bytes((byte * (number + 3)) % 251 for byte in range(100_000)))
        terminal.call("checkpoints.restore", checkpoint_id=base["id"])
    for _ in range(4):
        terminal.call("checkpoints.redo", allow_config=True)
    before = terminal.call("checkpoints.du")
    terminal.call("checkpoints.settings", keep_bytes=1)
    assert terminal.call("checkpoints.gc", expire=True, grace_s=0)["expired"] > 0
    after = terminal.call("checkpoints.du")
    assert after["projects"][0]["stored_bytes"] < before["projects"][0]["stored_bytes"]
    assert base["id"] in [item["id"] for item in terminal.call("checkpoints.list")["items"]]


def _hurt(path: Path, harm: str) -> None:
    data = bytearray(path.read_bytes())
    data[30] ^= 0x40
    path.chmod(0o600)
    path.write_bytes({"flip": bytes(data), "cut": bytes(data[: len(data) // 2]), "empty": b""}[harm])


@pytest.mark.parametrize("harm", ["flip", "cut", "empty"])
def test_damage_is_named_and_contained(terminal: Terminal, folder: Path, harm: str) -> None:
    one = terminal.call("checkpoints.create", message="one")
    before, known = seen(folder), set(_packs(terminal))
    (folder / "new.txt").write_text("only in two")
    two = terminal.call("checkpoints.create", message="two")
    (hurt,) = set(_packs(terminal)) - known
    terminal.kill_daemon()
    _hurt(hurt, harm)
    found = terminal.call("checkpoints.verify")
    assert not found["whole"]
    assert hurt.stem in {item["pack"] for item in found["damages"]}
    assert [item["checkpoint_id"] for item in found["affected"]] == [two["id"]]
    (folder / "new.txt").unlink()
    (folder / "README.md").write_text("later")
    changed = seen(folder)
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=two["id"])
    assert refused.value.code in {"content_missing", "object_damaged", "object_missing"}
    assert seen(folder) == changed
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert seen(folder) == before


@pytest.mark.parametrize("harm", ["flip", "cut", "empty"])
def test_damage_is_healed_from_the_tree_that_still_has_it(terminal: Terminal, folder: Path, harm: str) -> None:
    (folder / "big.bin").write_bytes(bytes((n * n) % 251 for n in range(9_000_000)))
    one = terminal.call("checkpoints.create", message="one")
    before = seen(folder)
    terminal.kill_daemon()
    for pack in _packs(terminal):
        _hurt(pack, harm)
    assert not terminal.call("checkpoints.verify")["whole"]
    healed = terminal.call("checkpoints.verify", repair=True)
    assert (healed["whole"], healed["healed"] > 0, healed["affected"]) == (True, True, [])
    assert terminal.call("checkpoints.verify")["whole"]
    shutil.rmtree(folder / "src")
    (folder / "big.bin").unlink()
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert seen(folder) == before


def test_checkpoints_are_carried_to_another_machine_in_one_file(
    terminal: Terminal, folder: Path, tmp_path: Path
) -> None:
    (folder / "big.bin").write_bytes(bytes((n * n) % 251 for n in range(9_000_000)))
    _three(terminal, folder)
    file = tmp_path / "out.ckpt"
    written = terminal.call("checkpoints.export", path=str(file))
    assert (written["checkpoints"], written["size_bytes"]) == (3, file.stat().st_size)
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.export", path=str(file))
    assert refused.value.code == "bad_checkpoint_request"
    before = seen(folder)

    state, other = tmp_path / "s2", tmp_path / "elsewhere"
    state.mkdir(mode=0o700)
    other.mkdir()
    machine = Terminal(state, terminal.env, other)
    try:
        came = machine.call("checkpoints.import", path=str(file))
        assert len(came["checkpoint_ids"]) == 3
        assert machine.call("checkpoints.import", path=str(file))["known"] == 3
        machine.call("checkpoints.gc", grace_s=0)
        reply = machine.call("checkpoints.restore", checkpoint_id=came["checkpoint_ids"][-1])
        assert seen(other) == before
        assert reply["counts"]["create"] == len(before)
        assert [item["checkpoint"]["message"] for item in machine.call("checkpoints.timeline")["items"]][:3] == [
            "one",
            "two",
            "three",
        ]
    finally:
        machine.stop()


def test_a_file_that_was_tampered_with_is_not_taken_in(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    terminal.call("checkpoints.create")
    file = tmp_path / "out.ckpt"
    terminal.call("checkpoints.export", path=str(file))
    whole = file.read_bytes()
    packs = _packs(terminal)
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        data = bytearray(whole)
        data[at] ^= 0x21
        file.write_bytes(bytes(data))
        with pytest.raises(CallFailed) as refused:
            terminal.call("checkpoints.import", path=str(file))
        assert refused.value.code == "import_refused"
    file.write_bytes(whole[:-7])
    with pytest.raises(CallFailed):
        terminal.call("checkpoints.import", path=str(file))
    assert _packs(terminal) == packs
    assert len(terminal.call("checkpoints.list")["items"]) == 1


def test_the_room_is_told_for_each_project_and_in_all(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    terminal.call("checkpoints.create")
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    (other / "more.txt").write_text("more")
    terminal.call("checkpoints.create", project_path=str(other))
    usage = terminal.call("checkpoints.du")
    assert {one["project_path"]: one["checkpoints"] for one in usage["projects"]} == {str(folder): 1, str(other): 1}
    assert usage["stored_bytes"] == sum(path.stat().st_size for path in _packs(terminal))
    assert all(0 < one["stored_bytes"] <= usage["stored_bytes"] for one in usage["projects"])


def test_settings_are_changed_one_by_one_and_stay(terminal: Terminal) -> None:
    before = terminal.call("checkpoints.settings")
    after = terminal.call("checkpoints.settings", exclude=["*.tmp"], keep_last=7)
    assert (after["exclude"], after["keep_last"], after["keep_daily"]) == (["*.tmp"], 7, before["keep_daily"])
    terminal.kill_daemon()
    assert {key: value for key, value in terminal.call("checkpoints.settings").items() if key != "_text"} == {
        key: value for key, value in after.items() if key != "_text"
    }
