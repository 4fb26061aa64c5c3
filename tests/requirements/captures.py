"""What is seen of Claude Codes that we did not start: transcripts, the index of history, the registry."""

from tests.requirements.model import Part, promise

RECORDED = "platform/claude/transcript/test_recorded_transcripts.py"
READING = "platform/claude/transcript/test_reading.py"
APPENDED = "platform/files/test_appended.py"
FOLLOWING = "features/captures/test_transcripts.py"
REGISTRY = "features/captures/test_registry.py"
E2E = "e2e/test_foreign_sessions.py"

CAPTURES = Part(
    "Activity: sources that need no set-up",
    (
        promise(
            "S3.outside.live",
            "With no set-up, every live session of anybody is seen, and past ones too.",
            f"{E2E}::test_a_session_of_somebody_else_is_seen_live_from_its_start_to_its_end",
            f"{FOLLOWING}::test_an_old_session_is_known_but_nothing_of_it_is_copied",
        ),
        promise(
            "S3.outside.crash",
            "A crashed Claude Code is told to be gone, although its registry file stays.",
            f"{E2E}::test_a_killed_session_is_gone_and_its_call_stays_open",
            f"{REGISTRY}::test_a_crashed_process_is_gone_although_its_file_is_there",
            f"{REGISTRY}::test_what_a_crashed_process_left_behind_opens_nothing",
        ),
        promise(
            "S3.outside.homes",
            "Transcripts under every known configuration directory.",
            f"{FOLLOWING}::test_the_homes_of_callers_are_looked_into_and_remembered",
            f"{FOLLOWING}::test_the_very_first_session_of_a_home_is_seen",
        ),
        promise(
            "S3.outside.agents",
            "Subagents' files and their `meta.json`, nested ones too, linked to the calls that launched them.",
            f"{E2E}::test_nested_subagents_are_linked_to_the_calls_that_launched_them",
            f"{RECORDED}::test_a_subagent_stands_under_the_call_that_launched_it",
            f"{FOLLOWING}::test_a_subagents_description_that_comes_late_is_told",
        ),
        promise(
            "S3.outside.tail",
            "Tailed incrementally: inode and offset, rotation, truncation, replaced files, torn tails, half "
            "characters, runs of zero bytes, huge lines, 10,000 files.",
            APPENDED,
            f"{FOLLOWING}::test_a_cut_or_replaced_transcript_is_read_anew_and_counted_anew",
            f"{FOLLOWING}::test_a_torn_line_is_taken_when_it_is_whole",
            f"{FOLLOWING}::test_ten_thousand_transcripts_are_known_and_listed_in_pages",
            f"{READING}::test_a_torn_line_and_one_that_is_glued_to_it_lose_only_the_torn_one",
        ),
        promise(
            "S3.outside.watch",
            "A watch, with polling as fallback.",
            f"{FOLLOWING}::test_what_is_appended_is_seen_as_it_happens",
            f"{FOLLOWING}::test_where_nothing_tells_of_changes_they_are_looked_for",
        ),
        promise(
            "S3.outside.once",
            "A restart goes on from the stored place and adds nothing twice; copied and renamed files add nothing.",
            f"{FOLLOWING}::test_a_restart_goes_on_where_it_stopped_and_adds_nothing_twice",
            f"{FOLLOWING}::test_a_copied_and_a_renamed_transcript_add_nothing",
            f"{RECORDED}::test_reading_on_from_any_line_gives_the_same_events_under_the_same_keys",
        ),
        promise(
            "S3.outside.hostile",
            "No bytes in a transcript raise, and secrets never come out of one.",
            f"{READING}::test_no_bytes_raise",
            f"{READING}::test_no_fields_of_a_known_line_raise",
            f"{READING}::test_secrets_never_come_out_of_a_transcript",
        ),
        promise(
            "S3.outside.recorded",
            "Every recorded transcript is read, and its facts are compared with stored, hand-checked ones.",
            f"{RECORDED}::test_a_recorded_transcript_gives_the_facts_that_are_written_down",
        ),
        promise(
            "S3.outside.order",
            "Events from outside are recorded in order, many to a commit, and none is dropped, on a full disk either.",
            "features/captures/test_recorder.py",
        ),
        promise(
            "S3.outside.speed",
            "First look at 2,000 transcripts, 1.5 GB: live sessions within 1 s, all indexed within 10 s, at most "
            "150 MB; with 50 quiet sessions at most 0.5 % of a core and 100 MB.",
            "bench/test_history.py",
            note="Measured by `python -m bench history`: 0.5 s, 2.7 s, 71 MB; 0.25 %, 68 MB.",
        ),
        promise(
            "S3.outside.usage",
            "`resource_usage` is measured for the processes that we can see, while somebody looks.",
            f"{REGISTRY}::test_processes_are_measured_only_while_somebody_looks",
        ),
        promise(
            "S3.outside.forks",
            "Two processes on one session at once: each answer is told under its own turn.",
            "features/activity/test_real_conversations.py::test_two_processes_at_once_on_one_session_keep_their_calls",
        ),
    ),
)
