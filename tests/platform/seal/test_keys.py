"""Keys: made once, kept where they say, given up when their place does not answer, carried elsewhere."""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from claude_code_mcp.platform.seal import keepers
from claude_code_mcp.platform.seal.errors import KeyRefused, KeyUnavailable
from claude_code_mcp.platform.seal.keepers import KeyFile, SystemKeyring, ask_keyring
from claude_code_mcp.platform.seal.keys import SealKeys
from tests.support.keyring import keyring_env


class Ring:
    """What the keyring process would say, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}
        self.asked = 0
        self.locked = False
        self.forgets = False

    def __call__(self, wish: dict[str, str]) -> dict[str, Any]:
        self.asked += 1
        if self.locked:
            raise KeyUnavailable("locked", remedy="unlock it")
        name = f"{wish['service']}/{wish['name']}"
        if wish["do"] == "put" and not self.forgets:
            self.held[name] = wish["secret"]
        return {"keyring": "tests.Ring", "found": self.held.get(name)}


def test_a_key_is_made_once_and_found_by_the_next_daemon(tmp_path: Path) -> None:
    ring = Ring()
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    assert keys.current_id is None
    first = keys.ensure()
    assert keys.ensure() == first
    assert keys.place == "keyring tests.Ring"
    later = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    assert later.current_id == first.id
    assert later.ensure() == later.key(first.id) == first
    assert len(ring.held) == 1
    assert base64.b64encode(first.secret).decode() not in (tmp_path / "keys.json").read_text()


def test_nothing_is_asked_before_a_key_is_needed(tmp_path: Path) -> None:
    ring = Ring()
    SealKeys(tmp_path / "keys.json", SystemKeyring(ring)).ensure()
    ring.asked = 0
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    assert keys.current_id is not None
    assert keys.known_ids == [keys.current_id]
    assert ring.asked == 0


def test_a_locked_keyring_is_not_asked_over_and_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = Ring()
    made = SealKeys(tmp_path / "keys.json", SystemKeyring(ring)).ensure()
    ring.locked, ring.asked = True, 0
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    for _ in range(3):
        with pytest.raises(KeyUnavailable):
            keys.key(made.id)
    assert ring.asked == 1
    ring.locked = False
    with pytest.raises(KeyUnavailable):
        keys.key(made.id)
    assert keys.ensure() == made  # somebody asked for it by name
    assert keys.key(made.id) == made
    ring.locked = True
    assert keys.key(made.id) == made  # what was had once is kept in memory
    monkeypatch.setattr("claude_code_mcp.platform.seal.keys.RETRY_S", 0.0)
    other = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    with pytest.raises(KeyUnavailable):
        other.key(made.id)
    ring.locked = False
    assert other.key(made.id) == made


def test_a_keyring_that_forgets_is_found_out_before_anything_is_sealed(tmp_path: Path) -> None:
    ring = Ring()
    ring.forgets = True
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    with pytest.raises(KeyUnavailable, match="does not keep"):
        keys.ensure()
    assert keys.current_id is None


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    ring = Ring()
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    old, new = keys.ensure(), keys.renew()
    later = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    assert later.current_id == new.id
    assert later.known_ids == [old.id, new.id]
    assert later.key(old.id) == old


def test_keys_are_carried_to_another_machine(tmp_path: Path) -> None:
    here = SealKeys(tmp_path / "here.json", SystemKeyring(Ring()))
    old, new = here.ensure(), here.renew()
    there = SealKeys(tmp_path / "there.json", KeyFile(tmp_path / "there.key"))
    assert there.take_in(here.carried()) == [old, new]
    assert there.current_id == new.id
    own = SealKeys(tmp_path / "own.json", KeyFile(tmp_path / "own.key"))
    mine = own.ensure()
    own.take_in(here.carried())
    assert own.current_id == mine.id  # what seals here goes on
    assert own.key(old.id) == old


@pytest.mark.parametrize(
    "text", ["", "\n", "hello", "ccmseal1:", "ccmseal1:AAAA", "ccmseal1:!!!!", "ccmseal2:" + "A" * 88]
)
def test_what_is_no_key_is_refused_whole(tmp_path: Path, text: str) -> None:
    donor = SealKeys(tmp_path / "donor.json", KeyFile(tmp_path / "donor.key"))
    donor.ensure()
    keys = SealKeys(tmp_path / "keys.json", KeyFile(tmp_path / "sealing.key"))
    with pytest.raises(KeyRefused):
        keys.take_in(donor.carried() + text if text.strip() else text)
    assert not (tmp_path / "sealing.key").exists()
    assert keys.current_id is None


def test_the_key_of_somebody_else_under_our_name_is_none(tmp_path: Path) -> None:
    ring = Ring()
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
    made = keys.ensure()
    name = f"{keepers.SERVICE}/{made.id.hex()}"
    ring.held[name] = "ccmseal1:" + base64.b64encode(bytes(64)).decode()
    with pytest.raises(KeyUnavailable, match="another one"):
        SealKeys(tmp_path / "keys.json", SystemKeyring(ring)).key(made.id)
    del ring.held[name]
    with pytest.raises(KeyUnavailable, match="is not in"):
        SealKeys(tmp_path / "keys.json", SystemKeyring(ring)).key(made.id)


def test_a_lost_note_costs_a_new_key_and_opens_what_was_sealed(tmp_path: Path) -> None:
    ring = Ring()
    made = SealKeys(tmp_path / "keys.json", SystemKeyring(ring)).ensure()
    for broken in (b"", b"{", b'{"current": "zz"}', b"[]"):
        (tmp_path / "keys.json").write_bytes(broken)
        keys = SealKeys(tmp_path / "keys.json", SystemKeyring(ring))
        assert keys.current_id is None
        assert keys.key(made.id) == made
    assert keys.ensure() != made


def test_a_key_file_is_made_for_its_owner_alone_and_shared_by_who_names_it(tmp_path: Path) -> None:
    path = tmp_path / "sealing.key"
    made = SealKeys(tmp_path / "one.json", KeyFile(path)).ensure()
    assert path.stat().st_mode & 0o777 == 0o600
    assert SealKeys(tmp_path / "two.json", KeyFile(path)).ensure() == made


@pytest.mark.parametrize("how", ["open to others", "a folder", "something else", "in no folder"])
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path: Path, how: str) -> None:
    path = tmp_path / "sealing.key"
    if how == "open to others":
        SealKeys(tmp_path / "one.json", KeyFile(path)).ensure()
        path.chmod(0o640)
    elif how == "a folder":
        path.mkdir()
    elif how == "something else":
        path.write_text("-----BEGIN-CERTIFICATE-----\n")
        path.chmod(0o600)
    else:
        path = tmp_path / "not" / "there" / "sealing.key"
    keys = SealKeys(tmp_path / "keys.json", KeyFile(path))
    with pytest.raises(KeyUnavailable, match="cannot be used"):
        keys.ensure()
    assert keys.current_id is None


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring of the test's own, behind the real library in its real process."""
    for name, value in keyring_env(tmp_path / "shelf.json").items():
        monkeypatch.setenv(name, value)
    return tmp_path / "shelf.json"


def test_the_keyring_is_asked_in_a_process_of_its_own(tmp_path: Path, shelf: Path) -> None:
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring())
    made = keys.ensure()
    assert keys.place == "keyring shelf_backend.Shelf"
    assert list(json.loads(shelf.read_text())) == [f"claude-code-mcp checkpoints/{made.id.hex()}"]
    assert SealKeys(tmp_path / "keys.json", SystemKeyring()).key(made.id) == made
    assert "keyring" not in sys.modules  # its libraries are not the daemon's to carry


def test_a_keyring_that_is_locked_says_so(tmp_path: Path, shelf: Path) -> None:
    keys = SealKeys(tmp_path / "keys.json", SystemKeyring())
    (shelf.parent / "locked").touch()
    with pytest.raises(KeyUnavailable, match="Failed to unlock the collection") as caught:
        keys.ensure()
    assert "checkpoint_key_file" in (caught.value.remedy or "")


def test_where_there_is_no_keyring_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(KeyUnavailable, match="No recommended backend"):
        ask_keyring({"do": "get", "service": "s", "name": "n"})


def test_a_keyring_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hanging.py").write_text(
        "import signal\nfrom keyring.backend import KeyringBackend\n"
        "class Hanging(KeyringBackend):\n    priority = 1\n"
        "    def get_password(self, service, username): signal.pause()\n"
        "    set_password = get_password\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "hanging.Hanging")
    monkeypatch.setattr(keepers, "ASK_S", 1.5)
    with pytest.raises(KeyUnavailable, match="did not answer"):
        ask_keyring({"do": "get", "service": "s", "name": "n"})
