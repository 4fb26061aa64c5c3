"""What was taken comes back, whatever the tree was and whatever was done to it since."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claude_code_mcp.platform.worktrees.diff import Change, compare
from claude_code_mcp.platform.worktrees.looked import ScanOptions
from claude_code_mcp.platform.worktrees.manifest import encode_manifest
from claude_code_mcp.platform.worktrees.parts import Parts
from claude_code_mcp.platform.worktrees.taking import Digests, take_tree
from tests.platform.worktrees.trees import BARE, Shape, Vault, clear, make, seen, shapes

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FEW
@given(shapes(), shapes())
def test_any_tree_comes_back_from_any_other(first: Shape, second: Shape) -> None:
    with tempfile.TemporaryDirectory() as home:
        vault = Vault(Path(home) / "home", _made(Path(home)))
        make(vault.root, first)
        digest = vault.take()
        before = seen(vault.root)
        clear(vault.root)
        make(vault.root, second)
        other = vault.take()
        after = seen(vault.root)

        done = vault.restore(digest)

        assert (done.rescued, done.left, done.failed, done.wrong) == ((), (), (), ())
        assert seen(vault.root) == before
        vault.restore(other)
        assert seen(vault.root) == after
        assert list(vault.journals.glob("*")) == []


@FEW
@given(shapes(), shapes())
def test_a_tree_taken_with_a_cache_is_the_tree_taken_without(first: Shape, second: Shape) -> None:
    with tempfile.TemporaryDirectory() as home:
        vault = Vault(Path(home) / "home", _made(Path(home)))
        make(vault.root, first)
        vault.take()
        clear(vault.root)
        make(vault.root, second)
        assert vault.take(cached=True) == vault.take(cached=False)
        assert vault.take(cached=True) == vault.take(cached=True)


@FEW
@given(st.lists(shapes(), min_size=2, max_size=4))
def test_a_manifest_that_is_encoded_beside_the_last_one_is_the_same(many: list[Shape]) -> None:
    parts = Parts()
    with tempfile.TemporaryDirectory() as home:
        vault = Vault(Path(home) / "home", _made(Path(home)))
        for shape in many:
            clear(vault.root)
            make(vault.root, shape)
            manifest = take_tree(vault.root, Digests(), ScanOptions(ignore=BARE)).manifest
            for _ in range(2):
                beside, alone = encode_manifest(manifest, parts), encode_manifest(manifest)
                assert (beside.digest, beside.root, beside.parts) == (alone.digest, alone.root, alone.parts)


@FEW
@given(shapes(), shapes())
def test_a_difference_is_empty_after_a_restore_and_names_each_path_before(first: Shape, second: Shape) -> None:
    with tempfile.TemporaryDirectory() as home:
        vault = Vault(Path(home) / "home", _made(Path(home)))
        make(vault.root, first)
        one = vault.manifest(vault.take())
        clear(vault.root)
        make(vault.root, second)
        two = vault.manifest(vault.take())
        found = compare(one, two)
        named = {item.path for item in found} | {item.before.path for item in found if item.before is not None}
        differ = (one.by_path.keys() | two.by_path.keys()) - {
            path for path, entry in one.by_path.items() if path in two.by_path and entry.same_thing(two.by_path[path])
        }
        assert named == differ
        assert compare(one, one) == []
        assert {item.change for item in compare(two, one)} <= set(Change)


def _made(home: Path) -> Path:
    (home / "home").mkdir(mode=0o700)
    root = home / "tree"
    root.mkdir()
    return root
