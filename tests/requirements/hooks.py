"""Hooks of Claude Code as a source: read, kept, installed."""

from tests.requirements.model import Part, promise

PAYLOADS = "platform/claude/hooks/test_payloads.py"
HOSTILE = "platform/claude/hooks/test_hostile_payloads.py"
SPOOL = "features/captures/test_spool.py"
SAME = "features/captures/test_occurrences.py"
FILES = "features/hooks/test_hooks.py"
E2E = "e2e/test_hooks.py"

HOOKS = Part(
    "Activity: hooks",
    (
        promise(
            "S3.hooks.install",
            "`hooks install [--scope user|project|local]` adds one managed, marked block and shows the diff; "
            "`uninstall` removes exactly that; also as a plugin or `--settings` for one run.",
            f"{FILES}::test_every_event_that_may_be_observed_is_hooked",
            f"{FILES}::test_the_diff_shows_the_change_but_not_the_token",
            f"{FILES}::test_uninstalling_gives_the_file_back_byte_for_byte",
            f"{E2E}::test_after_uninstalling_nothing_is_told_and_the_settings_are_as_before",
            f"{E2E}::test_hooks_as_settings_or_plugin_of_one_run_tell_the_same",
        ),
        promise(
            "S3.hooks.files",
            "Installation against settings with unknown keys, symlinks, broken JSON, concurrent writers, hooks of the "
            "user's own on the same events.",
            f"{FILES}::test_what_somebody_changed_in_between_stays",
            f"{FILES}::test_a_link_stays_a_link",
            f"{FILES}::test_a_broken_file_is_refused_with_the_place_and_left_alone",
            f"{FILES}::test_a_program_that_writes_at_the_same_time_never_finds_half_a_file",
            f"{FILES}::test_putting_in_and_taking_out_leaves_all_other_hooks",
            "platform/files/test_json_array.py",
        ),
        promise(
            "S3.hooks.told",
            "Every payload that was recorded is told as written down; starts, ends, questions and denials are exact.",
            f"{PAYLOADS}::test_a_recorded_payload_gives_the_facts_that_are_written_down",
            f"{PAYLOADS}::test_each_snapshot_has_its_payload_and_each_event_is_known",
            f"{E2E}::test_a_session_that_we_did_not_start_tells_each_thing_once",
            f"{E2E}::test_a_question_can_be_matched_with_its_call",
            "e2e/test_hooks_in_a_terminal.py::test_a_persons_waits_answers_and_leaving_are_exact",
            note="Nobody could provoke TeammateIdle and WorktreeRemove; they are read as the SDK types have them.",
        ),
        promise(
            "S3.hooks.agents",
            "Agent calls are linked to their subagents, nested ones too; an end without a start (compaction) is none.",
            f"{E2E}::test_calls_of_nested_subagents_are_linked_to_those_who_made_them",
            f"{E2E}::test_what_happens_while_claude_code_compacts_is_told_and_nothing_that_did_not",
            f"{PAYLOADS}::test_the_end_of_an_agent_that_never_began_is_no_end",
        ),
        promise(
            "S3.hooks.http",
            "`type: http` to the daemon with a short timeout, answered at once with an empty body; never "
            "WorktreeCreate, never a Python client, no process for a tool call.",
            f"{FILES}::test_every_event_that_may_be_observed_is_hooked",
            f"{E2E}::test_a_session_that_we_did_not_start_tells_each_thing_once",
        ),
        promise(
            "S3.hooks.spool",
            "One tiny `sh` hook keeps what http does not deliver, and what transcripts do not tell while the daemon is "
            "down; the spool is taken up on start, in order, once; it has a quota and says what was lost.",
            f"{SPOOL}::test_what_many_hooks_leave_at_once_is_whole",
            f"{SPOOL}::test_records_come_in_the_order_of_their_times",
            f"{SPOOL}::test_a_reader_that_dies_at_any_step_loses_nothing_and_tells_nothing_twice",
            f"{SPOOL}::test_readers_that_are_killed_lose_nothing_and_tell_nothing_twice",
            f"{SPOOL}::test_a_full_spool_keeps_the_oldest_and_says_how_many_were_lost",
            f"{SPOOL}::test_while_somebody_listens_only_what_is_never_posted_is_kept",
        ),
        promise(
            "S3.hooks.daemon",
            "Real `claude` with our hooks installed and the daemon stopped, hung, restarted mid-session.",
            f"{E2E}::test_without_a_daemon_the_session_goes_on_and_is_told_later",
            f"{E2E}::test_a_daemon_that_hangs_costs_a_bounded_time",
            f"{E2E}::test_a_daemon_may_die_and_come_back_in_the_middle_of_a_session",
        ),
        promise(
            "S3.hooks.once",
            "The same event by http and spool, or told twice by Claude Code, is one.",
            SAME,
            f"{SPOOL}::test_what_is_posted_comes_after_what_was_left_before",
        ),
        promise(
            "S3.hooks.hostile",
            "Hostile payloads never raise and never make us read files outside of the session's own folder.",
            HOSTILE,
            f"{PAYLOADS}::test_secrets_are_taken_out",
            f"{FILES}::test_a_file_that_is_shared_holds_no_secret_and_no_path_of_this_machine",
        ),
        promise(
            "S3.hooks.own",
            "Our own sessions may have the hooks, by a setting.",
            f"{E2E}::test_our_own_sessions_have_our_hooks_when_that_is_set",
        ),
        promise(
            "S3.hooks.cost",
            "Added to a real tool call by our hooks: at most 6 ms, 4 with the daemon down. A posted hook: in the log "
            "at 2.5 times a bare server's time at most, p99 within 5 ms; at least 6,000 a second.",
            "bench/test_hooks.py::test_hooks_are_measured_from_the_sender_the_spool_and_a_real_tool_call",
            note="Measured by `python -m bench ingest hooks` (docs/benchmarks.md).",
            gap="10.5 ms with the daemon and 9 ms without, of which Claude Code's own two posts are 9: missed.",
        ),
        promise(
            "S3.hooks.speed",
            "Sustained ingest from the spool: at least 50,000 events a second.",
            gap="Reached are 31,000 to 44,000 on two cores (`python -m bench spool`): a hook costs some 20 µs of the "
            "one interpreter, half of it to read it as facts, half to keep it.",
        ),
    ),
)
