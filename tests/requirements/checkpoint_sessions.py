"""What the issue about checkpoints promises of sessions: automatic ones, conversations, branches."""

from tests.requirements.model import Part, promise

E = "e2e/test_checkpoint_sessions.py"
B = "e2e/test_checkpoint_branches.py"
F = "features/checkpoints"

CHECKPOINT_SESSIONS = Part(
    "Checkpoints and sessions",
    (
        promise(
            "S4.auto.strategies",
            "Automatic checkpoints by strategy per project: manual, per_prompt, per_tool_use, smart, interval.",
            f"{F}/test_strategies.py",
            f"{E}::test_per_tool_use_keeps_what_each_command_made_and_restores_both_ways",
            f"{E}::test_smart_takes_before_the_first_change_after_the_last_and_before_risky_commands",
            f"{F}/test_automatic.py::test_by_the_clock_a_project_is_taken_where_it_changed",
            note="smart takes at the start and the end of a turn, each only where the tree differs from the last "
            "checkpoint; so nothing is held up, and a turn that changes nothing leaves none.",
        ),
        promise(
            "S4.auto.risky",
            "smart takes before risky commands such as rm, mv, git reset, migrations.",
            f"{F}/test_strategies.py::test_a_command_that_may_destroy_work_is_risky",
            f"{F}/test_strategies.py::test_a_risky_command_is_seen_however_it_is_wrapped",
            f"{E}::test_a_command_that_waits_for_a_person_is_preceded_by_its_checkpoint",
            gap="A command that needs no permission is not held up, so the look at the tree may come while it runs; "
            "the checkpoint says so. What was there before it is then in the checkpoint before.",
        ),
        promise(
            "S4.auto.foreign",
            "For our own sessions from the stream, for foreign ones from hooks.",
            f"{E}::test_a_session_that_we_did_not_start_gets_its_checkpoints_through_hooks",
            f"{E}::test_a_person_at_a_terminal_gets_checkpoints_too",
            note="Without hooks the transcripts tell the same, some tenths of a second later.",
        ),
        promise(
            "S4.auto.honest",
            "It never slows the session; told honestly when files moved under it, or when it came late.",
            f"{F}/test_automatic.py::test_a_prompt_waits_no_longer_than_two_seconds_for_its_checkpoint",
            f"{F}/test_automatic.py::test_a_checkpoint_that_came_late_says_so",
            note="per_prompt of our own sessions holds the hand-over until the tree was read, two seconds at most, "
            "while the process starts anyway; nothing else waits.",
        ),
        promise(
            "S4.auto.once",
            "A daemon killed between events: nothing lost, nothing twice.",
            f"{E}::test_a_killed_daemon_loses_no_moment_and_takes_none_twice",
            f"{E}::test_a_prompt_that_waits_is_seen_to_once_across_a_killed_daemon",
        ),
        promise(
            "S4.talk.point",
            "A checkpoint holds session id, message uuid and the transcript position.",
            "platform/claude/test_cutting.py",
            f"{B}::test_a_checkpoint_by_hand_belongs_to_the_conversation_that_somebody_has_there",
        ),
        promise(
            "S4.talk.cut",
            "Restore offers files, conversation, or both; the resumed model sees exactly the cut history.",
            f"{E}::test_per_tool_use_keeps_what_each_command_made_and_restores_both_ways",
            f"{B}::test_a_session_started_from_a_checkpoint_has_its_files_and_exactly_its_history",
            f"{B}::test_before_a_compaction_nobody_goes_back_and_nothing_is_changed",
            note="By Claude Code's own --resume, --fork-session and --resume-session-at; the original stays whole. "
            "It cannot cut before a compaction, which is refused.",
        ),
        promise(
            "S4.talk.execute",
            "`execute_claude(checkpoint_id=…)` continues from a checkpoint: files and conversation.",
            f"{B}::test_a_session_started_from_a_checkpoint_has_its_files_and_exactly_its_history",
            f"{B}::test_a_checkpoint_is_refused_where_somebody_works_or_the_wish_contradicts_itself",
        ),
        promise(
            "S4.fork",
            "`fork`: a new session with the conversation cut at that point, in place, in a git worktree or a folder.",
            f"{B}::test_a_fork_goes_into_a_worktree_or_a_folder_with_files_and_history",
            f"{B}::test_a_fork_that_cannot_be_made_changes_nothing",
        ),
        promise(
            "S4.branches",
            "`branch-compare`: diff stat, cost, time, tests if a command is given, side by side.",
            f"{B}::test_branches_are_compared_with_what_a_test_says_of_each",
            "docs/test_howtos.py",
            gap="Cost, time and turns are those of our own sessions; of somebody else's they are not added up here.",
        ),
    ),
)
