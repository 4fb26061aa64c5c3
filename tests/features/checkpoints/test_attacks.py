"""Files and trees that want a restore to reach outside the project: refused, and nothing outside is touched."""

import hashlib
import os
import shutil
from pathlib import Path

import msgspec
import pytest

from claude_code_mcp.kernel.ids import uuid7
from claude_code_mcp.platform.blobs.objects import Wanted
from claude_code_mcp.platform.blobs.store import Store
from claude_code_mcp.platform.worktrees.manifest import MAGIC, VERSION
from claude_code_mcp.platform.worktrees.models import Kind
from tests.features.checkpoints.looking import seen
from tests.support.daemon import CallFailed, Terminal

EVIL = b"evil"
DIGEST = hashlib.sha256(EVIL).digest()
PATHS = {
    "parent": b"../evil",
    "absolute": b"/srv/evil",
    "inner": b"a/../../evil",
    "dot": b"./evil",
    "nul": b"a\0b",
    "empty": b"",
    "staging": b".claude-code-mcp-restore-x/evil",
    "no folder": b"nowhere/evil",
}


def _file(path: bytes) -> list[object]:
    return [path, int(Kind.FILE), 0o644, len(EVIL), 0, DIGEST, False, b"", False]


def _crafted(tmp_path: Path, part: list[list[object]], *, size: int = len(EVIL), without: bool = False) -> Path:
    """Return an export that is whole in every byte, with a manifest that our own program would never write."""
    state = tmp_path / "attacker"
    state.mkdir(mode=0o700)
    store = Store.open(state / "blobs")
    entries = msgspec.msgpack.encode(part)
    root = msgspec.msgpack.encode([MAGIC, VERSION, len(part), size, [hashlib.sha256(entries).digest()], []])
    with store.writer() as writer:
        digests = [writer.put(data) for data in ((entries, root) if without else (entries, root, EVIL))]
        writer.commit()
    note = msgspec.json.encode(
        {
            "version": 1,
            "project": "/p",
            "checkpoints": [
                {
                    "id": uuid7(), "project": "/p", "manifest": hashlib.sha256(root).hexdigest(),
                    "trigger": "manual", "created_at": "2026-11-20T00:00:00.000000Z",
                }
            ],
        }
    )  # fmt: skip
    target = tmp_path / "evil.ckpt"
    store.export_to(target, Wanted(digests), note)
    return target


@pytest.mark.parametrize("kind", PATHS)
def test_an_export_with_a_path_that_no_tree_can_have_is_refused(terminal: Terminal, tmp_path: Path, kind: str) -> None:
    file = _crafted(tmp_path, [_file(PATHS[kind])])
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.import", path=str(file))
    assert refused.value.code == "import_refused"
    assert terminal.call("checkpoints.list")["items"] == []


def test_an_export_that_lacks_a_content_is_refused(terminal: Terminal, tmp_path: Path) -> None:
    file = _crafted(tmp_path, [_file(b"good.txt")], without=True)
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.import", path=str(file))
    assert refused.value.code == "import_refused"


def test_a_crafted_export_that_is_honest_is_taken_in(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    file = _crafted(tmp_path, [_file(b"good.txt")])
    (came,) = terminal.call("checkpoints.import", path=str(file))["checkpoint_ids"]
    terminal.call("checkpoints.restore", checkpoint_id=came, paths=["good.txt"])
    assert (folder / "good.txt").read_bytes() == EVIL


def test_a_link_in_an_import_that_leads_outside_needs_consent(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    file = _crafted(tmp_path, [[b"out", int(Kind.LINK), 0, 0, 0, b"", False, b"/etc", False]], size=0)
    (came,) = terminal.call("checkpoints.import", path=str(file))["checkpoint_ids"]
    before = seen(folder)
    with pytest.raises(CallFailed) as refused:
        terminal.call("checkpoints.restore", checkpoint_id=came)
    assert refused.value.code == "restore_conflict"
    assert seen(folder) == before


def test_a_folder_that_became_a_link_is_not_followed(terminal: Terminal, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "app.py").write_text("precious")
    one = terminal.call("checkpoints.create")
    shutil.rmtree(folder / "src")
    (folder / "src").symlink_to(outside)
    terminal.call("checkpoints.restore", checkpoint_id=one["id"])
    assert (folder / "src" / "app.py").read_text() == "print('one')\n"
    assert not (folder / "src").is_symlink()
    assert seen(outside) == {"app.py": ("file", 0o644, b"precious")}
    terminal.call("checkpoints.redo", force=True)
    assert os.readlink(folder / "src") == str(outside)
    assert seen(outside) == {"app.py": ("file", 0o644, b"precious")}


def test_a_checkpoint_id_is_no_path_and_no_pattern(terminal: Terminal) -> None:
    terminal.call("checkpoints.create")
    for wanted in ("../../etc/passwd", "%", "*", "_", "'; DROP TABLE checkpoint; --", "0 OR 1=1"):
        with pytest.raises(CallFailed) as refused:
            terminal.call("checkpoints.show", checkpoint_id=wanted)
        assert refused.value.code == "checkpoint_not_found"
