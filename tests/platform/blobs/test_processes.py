"""Several processes use one store at once: some write, one sweeps, some are killed."""

import subprocess
import sys
from pathlib import Path

from claude_code_mcp.platform.blobs.objects import Wanted
from claude_code_mcp.platform.blobs.store import Store
from tests.platform.blobs.content import keep, read_all, some
from tests.platform.blobs.crowd import wanted

ROOT = Path(__file__).parents[3]


def start(what: str, directory: Path, name: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.platform.blobs.crowd", what, str(directory), name]
    started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline().endswith("begins\n")
    return started


def end(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_writers_a_sweeper_and_kills_lose_nothing_that_is_wanted(tmp_path: Path) -> None:
    (tmp_path / "wanted").mkdir()
    sweeper = start("sweep", tmp_path)
    writers = [start("write", tmp_path, name) for name in ("one", "two", "three")]
    doomed = start("write", tmp_path, "doomed")
    while not list((tmp_path / "wanted").glob("doomed-*")) and doomed.poll() is None:
        keep(Store.open(tmp_path / "blobs"), some(3, seed=8))
    doomed.kill()
    doomed.communicate(timeout=10)
    for writer in writers:
        end(writer)
    (tmp_path / "stop").touch()
    assert int(end(sweeper)) > 0
    want = wanted(tmp_path)
    store = Store.open(tmp_path / "blobs")
    verified = store.verify(want)
    assert verified.whole, verified
    assert not verified.damages
    assert len(want.objects) >= 15
    store.gc(lambda: want, grace_s=0)
    assert list((tmp_path / "blobs" / "staging").iterdir()) == []


def test_what_one_process_stores_another_does_not_store_again(tmp_path: Path) -> None:
    here = Store.open(tmp_path / "blobs")
    assert here.usage().objects == 0
    code = (
        "import sys; from pathlib import Path; from claude_code_mcp.platform.blobs.store import Store\n"
        "from tests.platform.blobs.content import keep, some\n"
        "keep(Store.open(Path(sys.argv[1])), some(50))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "blobs")], cwd=ROOT, check=True)
    with here.writer() as writer:
        digests = [writer.put(data) for data in some(50)]
        assert writer.commit().objects == 0
    assert read_all(here, digests) == some(50)
    assert here.gc(lambda: Wanted(digests), grace_s=0).packs_deleted == 0
