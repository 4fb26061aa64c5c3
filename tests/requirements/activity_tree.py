"""What issue 3 promises about the tree, its times and the merging of sources, and what shows it."""

from tests.requirements.model import Part, promise

FOLD = "features/activity/test_fold.py"
ORDER = "features/activity/test_order.py"
TREES = "features/activity/test_recorded_trees.py"
TIMES = "features/activity/test_times.py"
LINES = "features/activity/test_lines.py"
EVENTS = "features/activity/test_events_out.py"
TALKS = "features/activity/test_real_conversations.py"
AGREE = "features/activity/test_agreement.py"
RULE = "features/activity/test_merging.py"

ACTIVITY_TREE = Part(
    "Activity: tree and time",
    (
        promise(
            "S3.tree.pure",
            "A pure fold from events to tree, incremental, the same live as from cold.",
            f"{ORDER}::test_looking_on_the_way_changes_nothing",
            f"{ORDER}::test_a_cut_list_goes_on_where_it_was_cut",
            f"{FOLD}::test_only_what_changed_is_told_after_a_mark",
        ),
        promise(
            "S3.tree.order",
            "Any order, any duplication, any cut of the event list that keeps per-source order ends in the same tree.",
            f"{ORDER}::test_a_run_seen_by_stream_and_transcript_folds_into_one_tree_in_any_order",
            f"{ORDER}::test_a_sequence_of_hooks_told_twice_folds_into_the_same_tree",
            f"{ORDER}::test_a_made_up_session_folds_into_one_tree_in_any_order",
        ),
        promise(
            "S3.tree.captures",
            "Every recorded stream, transcript and hook sequence is folded and compared with a stored, hand-checked "
            "tree.",
            f"{TREES}::test_a_recorded_stream_folds_into_the_tree_that_is_written_down",
            f"{TREES}::test_a_recorded_transcript_folds_into_the_tree_that_is_written_down",
            f"{TREES}::test_a_recorded_sequence_of_hooks_folds_into_the_tree_that_is_written_down",
            f"{TREES}::test_each_written_tree_has_its_recording",
        ),
        promise(
            "S3.tree.node",
            "The same call from several sources is one node; the best-known start, end, status and duration win by a "
            "written rule.",
            f"{AGREE}::test_a_node_that_both_saw_says_so_and_takes_the_time_that_the_stream_tells",
            f"{RULE}::test_each_rule_stands_on_the_page_as_it_is",
            f"{RULE}::test_ranks_follow_the_rules_and_an_unknown_source_is_believed_least",
            f"{FOLD}::test_a_subagent_and_its_call_are_one_node_once_they_are_linked",
            f"{FOLD}::test_the_question_about_one_call_is_one_node_whoever_saw_it",
        ),
        promise(
            "S3.tree.agree",
            "A run seen by stream, by transcript and by hooks is the same tree, up to what a source cannot see.",
            "features/activity/test_real_sources.py::test_three_sources_of_a_real_session_agree",
            f"{AGREE}::test_stream_and_transcript_of_a_run_agree",
            f"{AGREE}::test_tokens_of_a_run_are_the_same_from_both_sources",
            f"{TALKS}::test_an_interrupt_is_one_interrupted_turn_with_its_call",
            f"{TALKS}::test_a_compaction_is_in_the_turn_that_asked_for_it",
            f"{TALKS}::test_a_crash_leaves_its_call_abandoned",
            f"{TALKS}::test_calls_of_an_mcp_server_succeed_and_fail",
            f"{TALKS}::test_a_background_shell_runs_on_and_ends_or_is_stopped",
            f"{TALKS}::test_a_person_denies_one_call_and_allows_the_next",
            note="What a source cannot see is written down as data in those tests: hooks tell of no interrupt and of "
            "no tool that does not exist, a stream prints nothing of a subagent's subagent.",
        ),
        promise(
            "S3.tree.turns",
            "Turns by prompt_id, joined with a stream's by message, by a shared call, else by time; what a running "
            "turn takes in begins none.",
            f"{FOLD}::test_a_turn_of_a_stream_is_that_of_the_prompt_whose_message_it_names",
            f"{FOLD}::test_turns_that_share_a_call_are_one_however_far_apart_they_seem",
            f"{FOLD}::test_turns_that_share_nothing_are_paired_by_time",
            f"{FOLD}::test_a_prompt_that_a_running_turn_takes_in_begins_none",
        ),
        promise(
            "S3.tree.processes",
            "Two processes at once on one session.",
            f"{TREES}::test_a_recorded_transcript_folds_into_the_tree_that_is_written_down",
            f"{TALKS}::test_two_processes_at_once_on_one_session_keep_their_calls",
        ),
        promise(
            "S3.tree.closing",
            "Open nodes are closed on the end of the turn or session, process death or the next prompt, and say so.",
            f"{FOLD}::test_what_a_turn_left_open_is_closed_with_it",
            f"{FOLD}::test_a_turn_without_an_end_is_closed_by_the_next_prompt",
            f"{FOLD}::test_the_end_of_a_process_closes_all_that_is_open_background_work_too",
            f"{FOLD}::test_what_begins_after_a_process_ended_is_not_closed_by_it",
            f"{FOLD}::test_an_end_that_is_seen_at_last_wins_over_what_closed_the_call",
        ),
        promise(
            "S3.tree.background",
            "Background tasks and subagents live past the turn that launched them; an orphan end is ignored.",
            f"{FOLD}::test_background_work_lives_past_its_turn_below_the_call_that_launched_it",
            f"{FOLD}::test_a_background_subagent_goes_on_after_its_call_has_its_answer",
            f"{FOLD}::test_the_end_of_a_subagent_that_never_began_is_nothing",
        ),
        promise(
            "S3.tree.approvals",
            "A hook's question is matched to its call by agent, tool and input, else the last open call of that tool.",
            f"{FOLD}::test_a_question_of_a_hook_belongs_to_the_open_call_with_the_same_input",
            f"{FOLD}::test_a_question_of_a_hook_with_another_input_belongs_to_the_last_open_call_of_its_tool",
            f"{FOLD}::test_a_question_of_a_subagent_belongs_to_a_call_of_that_subagent",
            f"{FOLD}::test_a_question_of_ours_can_be_answered_by_its_id_until_it_is",
        ),
        promise(
            "S3.time.parts",
            "For each turn and session: time with the model, in tools, and waiting for a person; they do not overlap.",
            f"{TIMES}::test_the_parts_of_a_turn_never_overlap",
            f"{TIMES}::test_the_parts_of_a_session_are_no_longer_than_it",
            f"{TIMES}::test_waiting_for_a_permission_is_the_persons_and_running_the_tools",
            f"{TIMES}::test_tools_of_a_subagent_count_as_tools_and_the_rest_of_it_as_the_model",
            f"{TIMES}::test_the_time_until_the_next_prompt_is_the_persons_once_they_were_told",
        ),
        promise(
            "S3.time.path",
            "For each node self time and total; slowest calls, errors, tokens and cost where known, critical path.",
            f"{TIMES}::test_parallel_tools_count_once_and_the_longer_is_critical",
            f"{TIMES}::test_the_critical_path_ends_with_what_ended_last",
            f"{FOLD}::test_the_slowest_calls_of_a_turn_and_of_the_session_are_named",
            f"{TREES}::test_a_recorded_stream_folds_into_the_tree_that_is_written_down",
        ),
        promise(
            "S3.tree.filters",
            "Depth, completed and collapse filters.",
            f"{FOLD}::test_a_view_leaves_out_and_counts",
            f"{LINES}::test_what_is_left_out_is_counted",
        ),
        promise(
            "S3.tree.hostile",
            "Output of tools is hostile: escape sequences are made visible, bidi neutralised; circles and endless "
            "nesting harm nothing; secrets are taken out.",
            f"{LINES}::test_no_text_of_others_acts_on_a_terminal_or_breaks_a_line",
            f"{LINES}::test_secrets_do_not_reach_a_line",
            f"{FOLD}::test_a_circle_of_subagents_harms_nothing",
            f"{FOLD}::test_a_chain_deeper_than_any_real_one_harms_nothing",
        ),
        promise(
            "S3.lines",
            "Lines as the document draws them, updates append, update or replace them by their ids.",
            f"{LINES}::test_a_tree_reads_as_in_the_document",
            f"{LINES}::test_a_tree_without_icons_is_plain_ascii",
            f"{LINES}::test_updates_append_what_is_new_and_update_what_is_known",
            f"{LINES}::test_a_part_that_ended_replaces_what_was_in_it_where_that_is_not_shown",
        ),
        promise(
            "S3.events",
            "The document's fields all exist in the exported event, with its types and ours beyond them.",
            f"{EVENTS}::test_every_exported_event_has_exactly_the_fields_of_the_document",
            f"{EVENTS}::test_subagents_mcp_calls_and_turns_have_their_own_types",
            f"{EVENTS}::test_what_goes_beyond_the_document_is_told_too",
            f"{EVENTS}::test_what_the_process_uses_is_told_once_it_was_measured",
        ),
    ),
)
