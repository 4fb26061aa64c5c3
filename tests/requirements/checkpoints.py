"""What the issue about checkpoints promises of the feature: taking, the timeline, restoring, keeping."""

from tests.requirements.model import Part, promise

F = "features/checkpoints"
R = f"{F}/test_restoring.py"
K = f"{F}/test_keeping.py"
X = f"{F}/test_crashes.py"
T = f"{F}/test_together.py"
S = f"{F}/test_surfaces.py"
C = f"{F}/test_comparing_trees.py"

CHECKPOINTS = Part(
    "Checkpoints: operations, restoring, keeping",
    (
        promise(
            "S4.create",
            "`create_checkpoint` and `restore_checkpoint` (`create_backup` true by default) as in the first document; "
            "`claude_checkpoint` with `action create|list|restore|compare|delete` as in the second.",
            f"{S}::test_the_checkpoint_tools_have_the_names_and_arguments_of_the_documents",
            f"{S}::test_the_tool_of_the_second_document_does_all_five_actions",
            f"{R}::test_a_restore_brings_back_every_byte_and_keeps_what_was_there",
            note="`include_files` names what is taken although it is ignored; a checkpoint of a part of the tree alone "
            "is not made, since restoring one would delete the rest.",
        ),
        promise(
            "S4.looking",
            "`list`, `timeline` (tree with branches, current position), `diff` (two checkpoints, or one and the "
            "working tree; stat, names, unified text, binary noted), `show`, `files`.",
            C,
            f"{R}::test_after_a_restore_the_next_checkpoint_begins_a_branch",
        ),
        promise(
            "S4.surfaces",
            "In MCP, CLI and HTTP projections alike.",
            f"{S}::test_every_checkpoint_operation_is_on_the_command_line_and_http",
            f"{S}::test_the_command_line_takes_looks_restores_and_takes_back",
            "daemon/test_http_operations.py::test_a_checkpoint_is_taken_listed_compared_and_restored",
            note="Over MCP create, restore, claude_checkpoint, diff, timeline, fork and compare are tools; the others "
            "are on the command line and HTTP only, so that the budget of tokens is kept.",
        ),
        promise(
            "S4.restore.plan",
            "Plan first (`--dry-run`, and in the reply: create, change, delete, conflicts, executable-configuration "
            "files), safety checkpoint.",
            f"{R}::test_a_dry_run_says_what_would_be_done_and_does_nothing",
            f"{R}::test_files_that_can_run_something_need_consent_and_are_named",
            f"{R}::test_without_a_backup_changes_that_nobody_keeps_are_a_conflict",
        ),
        promise(
            "S4.restore.killed",
            "Killed anywhere it ends fully old or fully new on the next start.",
            f"{X}::test_a_restore_that_is_killed_is_fully_old_or_fully_new_and_can_be_taken_back",
            f"{F}/test_stateful.py",
            "platform/worktrees/test_crashes.py",
            note="Every step of the journal is swept in platform/worktrees; here the daemon is killed at places spread "
            "over the whole operation, and the rows are compared with the tree.",
        ),
        promise(
            "S4.restore.occupied",
            "A running session in that tree is a conflict unless forced (then stopped first).",
            f"{R}::test_a_job_in_the_tree_is_a_conflict_unless_forced_and_is_ended_then",
            f"{R}::test_another_claude_code_in_the_tree_is_a_conflict_and_is_never_ended",
            "e2e/test_checkpoint_restores.py",
            note="A session that rests is none; sessions of others are never ended, and named.",
        ),
        promise("S4.redo", "`redo` brings back what was.", f"{R}::test_redo_takes_restores_back_one_after_the_other"),
        promise(
            "S4.restore.paths",
            "`restore` of paths only; paths outside the project are refused.",
            f"{R}::test_only_the_named_paths_are_restored_and_the_project_stands_where_it_stood",
            f"{R}::test_a_path_outside_the_project_is_refused",
            f"{R}::test_a_checkpoint_of_another_project_is_not_restored_here",
        ),
        promise(
            "S4.restore.two",
            "C19: of two restores at once one is told; never a mix.",
            f"{T}::test_of_two_restores_at_once_one_is_told_and_the_tree_is_never_a_mix",
        ),
        promise(
            "S4.keeping",
            "`label`, `pin`, `delete`, `settings`, `du`; retention (`keep` last, hourly, daily, pinned, by size).",
            K,
            f"{F}/test_rules.py",
        ),
        promise(
            "S4.gc",
            "gc safe beside concurrent creates; killed anywhere it loses nothing.",
            f"{K}::test_a_sweep_gives_back_what_no_checkpoint_needs_and_nothing_else",
            f"{T}::test_creates_restores_and_sweeps_at_once_lose_nothing",
            f"{X}::test_a_sweep_that_is_killed_loses_nothing_and_ends_the_next_time",
        ),
        promise(
            "S4.verify",
            "`verify` re-hashes; corruption is named, contained, and healed when the content is still in the tree "
            "(C16).",
            f"{K}::test_damage_is_named_and_contained",
            f"{K}::test_damage_is_healed_from_the_tree_that_still_has_it",
        ),
        promise(
            "S4.carry",
            "`export`/`import` (one file); an import is believed only whole (C11).",
            f"{K}::test_checkpoints_are_carried_to_another_machine_in_one_file",
            f"{K}::test_a_file_that_was_tampered_with_is_not_taken_in",
        ),
        promise(
            "S4.secrets",
            "Secrets such as `.env` by policy (kept by default, encrypted store optional with a key from the keyring).",
            f"{R}::test_secrets_are_left_out_where_the_project_says_so",
            f"{R}::test_ignored_things_stay_out_and_stay_where_they_are",
            "features/checkpoints/test_sealing.py",
            "platform/seal/test_keys.py",
            note="Secrets alone are encrypted, not the whole store: ADR 19.",
        ),
        promise(
            "S4.stateful",
            "Stateful test: random create, edit, restore, redo, fork, delete, gc, crash against a simple model.",
            f"{F}/test_stateful.py",
            note="Its forks have no conversation; those that have one are in e2e/test_checkpoint_branches.py.",
        ),
        promise(
            "S4.disk",
            "A full disk is told, and nothing is half there.",
            f"{T}::test_a_full_disk_is_told_and_the_next_checkpoint_works_when_there_is_room",
        ),
        promise(
            "S4.watched",
            "A live watch makes that nothing changed cheap, for projects with a strategy.",
            f"{F}/test_watching_trees.py",
        ),
        promise(
            "S4.attacks",
            "Path attacks that reach through import and restore.",
            f"{F}/test_attacks.py",
        ),
        promise(
            "S4.concurrent",
            "Concurrent creates, restores, gc.",
            T,
        ),
        promise(
            "S4.howto",
            "A how-to for “undo what Claude just did” and “get back a file from yesterday”, executed as tests.",
            "docs/test_howtos.py",
        ),
    ),
)
