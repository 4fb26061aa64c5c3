"""What issue 4 promises about the tree: taking it, leaving things out, restoring it safely."""

from tests.requirements.model import Part, promise

T = "platform/worktrees"

WORKTREES = Part(
    "Checkpoints: the project tree (issue 4, point 3 and “Store”)",
    (
        promise(
            "S4.tree.kinds",
            "Files, executables, symlinks as links, empty directories; non-UTF-8 names; FIFOs, sockets and devices "
            "named and skipped; sparse, hard-linked, changing, unreadable files handled by rule and reported.",
            f"{T}/test_round_trip.py",
            f"{T}/test_attacks.py",
            f"{T}/test_scanning.py",
            note="Extended attributes, ACL and owner are not kept, which the format page says.",
        ),
        promise(
            "S4.tree.manifest",
            "A full manifest per checkpoint (path bytes, type, mode, size, mtime, object), itself an object; format "
            "written first in docs/format/.",
            f"{T}/test_attacks.py::test_c1_a_manifest_that_is_no_tree_is_refused_whole",
            f"{T}/test_round_trip.py::test_any_tree_comes_back_from_any_other",
            note="The root lists parts that unchanged folders share: a checkpoint of few changes stores few.",
        ),
        promise("S4.tree.cache", "Stat cache with the racy-mtime rule.", f"{T}/test_scanning.py"),
        promise(
            "S4.tree.ignore",
            "Ignore rules exactly as git (nested .gitignore, excludes, own ignore file, size cap, sensible defaults) "
            "with include_files; what was left out is said.",
            f"{T}/test_ignoring.py",
            f"{T}/test_scanning.py::test_what_is_too_large_is_left_out_and_said",
            note="The patterns are translated to RE2 by ourselves and not by pathspec: names are bytes, and the result "
            "is compared with the real git by properties.",
        ),
        promise(
            "S4.tree.secrets",
            "Secrets such as .env by policy (kept by default, encrypted store optional).",
            f"{T}/test_ignoring.py::test_secrets_are_kept_left_out_or_treated_as_git_does",
            f"{T}/test_sealing.py",
        ),
        promise(
            "S4.tree.plan",
            "Plan first: create, change, delete, conflicts, executable-configuration files.",
            f"{T}/test_restoring.py::test_a_plan_says_what_will_be_done_and_changes_nothing",
            f"{T}/test_restoring.py::test_what_was_changed_since_the_known_state_is_a_conflict_until_it_is_agreed_to",
            f"{T}/test_attacks.py::test_b6_what_can_run_is_listed_before_it_is_restored",
        ),
        promise(
            "S4.tree.restore",
            "Verify all objects before the first write, write temp + rename, delete last, journal, verify after; "
            "killed anywhere it ends fully old or fully new on the next start.",
            f"{T}/test_crashes.py",
            f"{T}/test_attacks.py::test_c16_content_that_is_missing_or_damaged_leaves_the_tree_untouched",
            note="The kill sweep stops the process before each call that others can see, by a seam in the child, not "
            "by strace. Objects are checked while they are written beside the tree, before anything of it is touched.",
        ),
        promise(
            "S4.tree.root",
            "Files outside the project root are never touched, whatever the manifest or the tree says.",
            f"{T}/test_attacks.py",
        ),
        promise(
            "S4.tree.paths",
            "Restore of paths only.",
            f"{T}/test_restoring.py::test_only_the_paths_that_were_asked_for_are_restored",
        ),
        promise(
            "S4.tree.concurrent",
            "Concurrent changes and restores: one wins, the other gets a clear error.",
            f"{T}/test_restoring.py::test_of_two_processes_that_restore_at_once_each_restores_whole_or_is_told",
            f"{T}/test_restoring.py::test_a_restore_beside_a_busy_writer_loses_none_of_its_last_words",
            f"{T}/test_attacks.py::test_c19_of_two_restores_at_once_in_one_tree_one_is_told",
        ),
        promise("S4.tree.diff", "Diff: stat, names, unified text, binary noted; renames.", f"{T}/test_diff.py"),
        promise(
            "S4.tree.watch",
            "A live watch spares the walk.",
            f"{T}/test_watch.py",
            note="By inotify on Linux; elsewhere the tree is walked. Writes through a memory map are not told by the "
            "kernel, so the whole tree is walked once a minute.",
        ),
        promise(
            "S4.speed",
            "The speed table of issue 4, beside git, restic and borg of Debian.",
            "bench/test_bench.py::test_checkpoints_are_measured_without_the_peers_that_are_not_there",
            gap="Missed (rows checkpoints, checkpoint_restore, checkpoint_many; reasons in docs/benchmarks.md): first "
            "takes beside git (0.28x for 0.22x) and of 1,000 files beside restic and borg, whole restores (0.5x git "
            "for 0.4x), restores where 10 differ (0.78x to 1.4x for 0.5x), where little changed beside git (1.9x to "
            "2.3x for 1.7x; 0.18x to 0.45x with a watch for 0.3x), a sweep (1.33x reading the store once).",
        ),
    ),
)
