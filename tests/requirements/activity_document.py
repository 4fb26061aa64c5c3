"""The lines of the fourth document (observability), and what shows each."""

from tests.requirements.model import Part, promise

SERVICE = "features/activity/test_activity.py"
EXPORTS = "features/activity/test_exports.py"
EXPORTING = "features/activity/test_exporting.py"
E2E = "e2e/test_activity.py"
FOLLOWING = "features/activity/test_following.py"
SHOWING = "features/activity/test_showing.py"
CHANGES = "features/activity/test_changes.py"

ACTIVITY_DOCUMENT = Part(
    "The fourth document (observability of Claude Code)",
    (
        promise(
            "D3.goal",
            "Real-time visibility into Claude Code activities: tasks, tools, MCP calls, subagents, in the style of "
            "Claude Code's own output.",
            f"{E2E}::test_a_follower_sees_a_call_begin_and_end_while_it_happens",
            f"{E2E}::test_a_claude_code_that_somebody_else_ran_is_seen_without_any_set_up",
        ),
        promise(
            "D3.types.1",
            "Event types of tasks (`task_started`, `task_progress`, `task_complete`, `task_failed`), of tools "
            "(`tool_pre_call`, `tool_post_call`, `tool_error`), of MCP calls (`mcp_request`, `mcp_response`, "
            "`mcp_error`) and of subagents (`subagent_spawn`, `subagent_complete`, `subagent_failed`).",
            f"{EXPORTING}::test_the_json_fits_its_published_schema_and_has_every_field_of_the_document",
            f"{E2E}::test_every_format_is_exported_by_the_command_line_and_a_file_is_never_overwritten",
        ),
        promise(
            "D3.style.1",
            "Lines match Claude Code's console: icon, name, duration, status, a tree of `├─` and `└─`, the "
            "task's total at its end.",
            f"{EXPORTING}::test_the_console_log_reads_as_the_document_shows_it",
            f"{FOLLOWING}::test_formats_say_the_same_with_icons_in_ascii_and_as_events",
            f"{E2E}::test_every_format_is_exported_by_the_command_line_and_a_file_is_never_overwritten",
        ),
        promise(
            "D3.style.2",
            "A warning names each slow operation and the threshold.",
            f"{FOLLOWING}::test_a_stream_brings_everything_once_and_then_only_what_changed",
        ),
        promise(
            "D3.style.3",
            "Visual indicators: running, green, red, yellow, blue; indentation for hierarchy; durations.",
            f"{FOLLOWING}::test_a_stream_brings_everything_once_and_then_only_what_changed",
        ),
        promise(
            "D3.schema.1",
            "The event's fields: `timestamp session_id event_type status duration_ms parent_id correlation_id "
            "details display_info`, as written, in a published and versioned JSON schema.",
            f"{EXPORTING}::test_the_json_fits_its_published_schema_and_has_every_field_of_the_document",
            "surfaces/docs/test_reference.py::test_the_committed_page_is_current",
        ),
        promise(
            "D3.stream.1",
            "`stream_activity(session_id, output_format, show_progress, collapse_completed)` gives "
            "`activity_update{formatted_line, raw_event, display_action, line_id}`.",
            f"{FOLLOWING}::test_a_stream_brings_everything_once_and_then_only_what_changed",
            f"{FOLLOWING}::test_a_stream_without_progress_tells_only_of_what_has_ended",
            f"{FOLLOWING}::test_what_is_inside_of_a_completed_part_is_collapsed_into_its_line",
            f"{E2E}::test_an_mcp_client_has_the_documents_tools_and_reads_trees_as_resources",
            f"{FOLLOWING}::test_a_follower_that_asks_for_parts_gets_each_change_at_once_and_an_end",
            note="A tool call cannot stream for ever: the reply has a `cursor`, and `wait_s` waits for what comes "
            "after it; on the local socket `follow` pushes each change.",
        ),
        promise(
            "D3.tree.1",
            "`get_activity_tree(session_id, include_completed, max_depth)` gives `activity_tree{root_task{id, name, "
            "status, children[…]}}`.",
            f"{SERVICE}::test_a_tree_can_leave_out_what_has_ended_and_what_lies_deep",
            f"{E2E}::test_a_session_of_ours_is_a_tree_with_its_tools_and_counts",
        ),
        promise(
            "D3.display.1",
            "`configure_display(session_id, settings{show_timings, collapse_fast_ops, threshold_slow_ms, "
            "max_tree_depth, highlight_errors})`.",
            SHOWING,
            f"{SERVICE}::test_settings_of_display_change_what_is_shown",
            f"{E2E}::test_a_daemon_that_was_killed_shows_the_same_tree_again",
        ),
        promise(
            "D3.export.1",
            "`export_session(session_id, format=claude_code_log|json|text)`.",
            f"{E2E}::test_every_format_is_exported_by_the_command_line_and_a_file_is_never_overwritten",
            EXPORTS,
            EXPORTING,
            note="And `html` (one inert file) and `otlp` (spans in GenAI words).",
        ),
        promise(
            "D3.hooks.1",
            "Hooks of Claude Code feed the server.",
            "e2e/test_hooks.py",
            note="The document's `mcp://` hook block is no format that Claude Code knows; ours are http hooks and a "
            "spool.",
        ),
        promise(
            "D3.hooks.2",
            "Rapid events are grouped, and none is lost.",
            f"{FOLLOWING}::test_events_in_quick_succession_are_told_together_and_none_is_lost",
            f"{CHANGES}::test_what_comes_while_followers_are_served_is_told_a_moment_later_and_never_lost",
        ),
        promise(
            "D3.hooks.3",
            "Each event says what task it is part of.",
            f"{FOLLOWING}::test_a_stream_brings_everything_once_and_then_only_what_changed",
        ),
        promise(
            "D3.session.1",
            "A session: `id, start_time, status (active|paused|completed|failed), root_task, active_operations, "
            "metrics{total_tools_used, total_mcp_calls, total_duration_ms, error_count}`.",
            f"{SERVICE}::test_a_session_is_active_while_something_runs_paused_while_it_can_go_on_and_then_completed_or_failed",
            f"{E2E}::test_what_waits_for_a_person_is_in_the_tree_with_the_id_to_answer_by",
            f"{E2E}::test_a_session_of_ours_is_a_tree_with_its_tools_and_counts",
        ),
        promise(
            "D3.resource",
            "`resource_usage{memory_mb, cpu_percent}`.",
            f"{E2E}::test_what_a_live_process_uses_is_measured_while_somebody_looks",
        ),
        promise(
            "D3.session.2",
            "Active sessions are kept in memory, completed ones archived after 24 hours, and nothing is lost.",
            f"{SERVICE}::test_what_ended_long_ago_leaves_memory_and_is_made_anew_the_same",
            f"{SERVICE}::test_a_listed_session_at_rest_is_not_unfolded_again",
            note="`activity_archive_h` sets the hours. Archived means out of memory; the log keeps everything.",
        ),
        promise(
            "D3.session.3",
            "Sessions can be exported before they are cleaned up.",
            f"{E2E}::test_every_format_is_exported_by_the_command_line_and_a_file_is_never_overwritten",
            note="And after: nothing is deleted.",
        ),
        promise(
            "D3.session.4",
            "The state of sessions is restored when the server restarts.",
            f"{SERVICE}::test_a_tree_is_the_same_live_after_a_restart_and_from_the_transcript_alone",
            f"{E2E}::test_a_daemon_that_was_killed_shows_the_same_tree_again",
        ),
        promise(
            "D3.speed.1",
            "Updates within 50 ms of the event; 100 and more events a second in a burst; under 100 MB.",
            f"{CHANGES}::test_what_comes_while_followers_are_served_is_told_a_moment_later_and_never_lost",
            note="Measured by `python -m bench activity_followers`.",
        ),
        promise(
            "D3.success.1",
            "All kinds of activity are seen, with clear parents and children.",
            f"{EXPORTS}::test_spans_nest_as_the_tree_does_in_one_trace_named_by_the_session",
            f"{E2E}::test_a_session_of_ours_is_a_tree_with_its_tools_and_counts",
        ),
        promise(
            "D3.success.2",
            "The view goes on across the life of a task.",
            f"{SERVICE}::test_what_ended_long_ago_leaves_memory_and_is_made_anew_the_same",
            f"{E2E}::test_a_daemon_that_was_killed_shows_the_same_tree_again",
        ),
    ),
)
