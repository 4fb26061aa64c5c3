"""Jobs: background commands that behave, and the truth about every process."""

from tests.requirements.model import Part, promise

RUNNING = "features/jobs/test_running.py"
LASTING = "features/jobs/test_lasting.py"
OUTPUT = "features/jobs/test_output.py"
LIMITS = "features/jobs/test_limits.py"
WEAR = "features/jobs/test_wear.py"
POLICY = "features/jobs/test_policy.py"
PROCESSES = "features/processes/test_processes.py"
CONFINE = "platform/procs/test_confine.py"
EXCERPT = "platform/procs/test_excerpt.py"
SESSION = "e2e/test_jobs.py"
SWEEP = "e2e/test_job_kill_sweep.py"
DROP_IN = "surfaces/mcp/test_background_job_profile.py"
HTTP = "daemon/test_http_operations.py"
CLI = "surfaces/cli/test_job_commands.py"
HOWTO_PAGES = "docs/test_howtos.py::test_the_page_works_as_it_stands"

JOBS = Part(
    "Jobs and processes",
    (
        promise(
            "S5.tools",
            "The seven tools of the document under the profile `background-job` with its names as a drop-in, as "
            "`job_*` in `full`; `claude_background_tasks`; the CLI `jobs …`.",
            f"{DROP_IN}::test_the_profile_is_a_drop_in_under_both_sets_of_names",
            f"{SESSION}::test_background_tasks_of_claude_code_and_jobs_are_managed_by_one_door",
            f"{CLI}::test_a_job_is_followed_to_its_end_and_ends_as_it_did",
            f"{HTTP}::test_a_job_is_started_read_shown_among_all_processes_and_killed",
            note="The published package has other names than the document; they are the profile `mcp-background-job`.",
        ),
        promise(
            "S5.settings",
            "`MCP_BG_MAX_JOBS`, `MCP_BG_MAX_OUTPUT_SIZE`, `MCP_BG_JOB_TIMEOUT`, `MCP_BG_CLEANUP_INTERVAL`, and our own "
            "names.",
            f"{WEAR}::test_the_limits_of_the_documents_server_hold",
            f"{RUNNING}::test_no_more_run_at_once_than_may",
            f"{WEAR}::test_ended_jobs_are_cleared_away_by_number_and_age_pinned_ones_never",
        ),
        promise(
            "S5.execute",
            "A shell command as a person would type it, or an argument list; cwd, env, timeout, name, labels, stdin, "
            "pty; the id at once, or the end if it comes in time.",
            f"{RUNNING}::test_a_command_is_run_as_a_person_types_it",
            f"{RUNNING}::test_a_list_of_arguments_is_run_without_a_shell",
            f"{RUNNING}::test_a_job_is_started_at_once_and_its_end_is_waited_for",
            f"{RUNNING}::test_it_sees_few_variables_of_its_client_and_those_that_are_given",
            f"{RUNNING}::test_text_for_its_input_ends_with_the_text",
            f"{RUNNING}::test_a_job_that_takes_too_long_is_ended",
            f"{RUNNING}::test_jobs_are_listed_by_session_and_label_and_found_by_the_beginning_of_their_id",
        ),
        promise(
            "S5.wait",
            "`wait` for exit, a line, a port; readiness by log, port, http; `depends_on`; restart policy with "
            "back-off; `restart`, `signal`, `rm`.",
            f"{LASTING}::test_a_job_is_ready_when_its_line_its_port_and_its_url_are_there",
            f"{LASTING}::test_a_job_starts_when_what_it_depends_on_is_ready",
            f"{LASTING}::test_a_job_fails_when_what_it_depends_on_will_never_be_ready",
            f"{LASTING}::test_a_failing_job_is_started_again_and_again_until_it_may_not",
            f"{LASTING}::test_when_a_job_is_started_again",
            f"{LASTING}::test_a_restart_on_wish_ends_the_old_process_and_runs_the_same_again",
            f"{RUNNING}::test_a_signal_reaches_the_main_process",
            f"{RUNNING}::test_ended_jobs_are_removed_and_running_ones_only_by_force",
        ),
        promise(
            "S5.interact",
            "`interact` sends text, keys or EOF and returns what came after; `python -i`, `cat`, a pager, a password "
            "prompt.",
            f"{RUNNING}::test_an_interpreter_on_a_terminal_is_talked_to",
            f"{RUNNING}::test_its_input_is_ended_on_wish",
            f"{RUNNING}::test_a_pager_is_driven_by_keys",
            f"{CLI}::test_a_password_prompt_is_answered_and_not_shown",
            f"{CLI}::test_a_person_sits_at_the_terminal_of_a_job_leaves_and_comes_back",
        ),
        promise(
            "S5.kill",
            "`kill` ends the whole tree, verified: fork trees, setsid, double forks, TERM ignored, stopped.",
            f"{RUNNING}::test_a_kill_ends_the_whole_tree_escapees_included",
            f"{RUNNING}::test_a_stopped_job_is_ended_all_the_same",
            f"{RUNNING}::test_what_a_command_leaves_behind_ends_with_it_unless_it_is_kept",
            "platform/procs/test_stop.py",
        ),
        promise(
            "S5.output",
            "Every byte in order with a byte cursor; streams told apart; tail and ranges cheap on 10 GB; head and "
            "tail kept, the cut named, no line can break it; binary safe; ANSI raw and clean; search; followed live.",
            f"{OUTPUT}::test_every_byte_is_given_once_and_in_order_however_it_is_read",
            f"{EXCERPT}::test_the_last_lines_of_a_huge_file_cost_one_block",
            f"{OUTPUT}::test_output_over_its_limit_keeps_head_and_tail_and_names_what_is_gone",
            f"{WEAR}::test_a_single_line_cannot_break_the_limit",
            f"{WEAR}::test_output_that_was_written_without_a_daemon_is_cut_to_its_limit_too",
            f"{OUTPUT}::test_binary_and_broken_text_is_safe_and_escape_sequences_are_shown_clean",
            f"{OUTPUT}::test_a_search_finds_places_in_both_streams",
            f"{OUTPUT}::test_output_is_followed_while_it_is_written",
            f"{LIMITS}::test_no_pattern_holds_up_the_daemon",
            f"{WEAR}::test_output_is_followed_from_attempt_to_attempt_and_an_earlier_one_is_read_by_its_number",
            note="A program that opens /dev/stderr anew without appending truncates its own file, as in any shell.",
        ),
        promise(
            "S5.survive",
            "Jobs survive client, relay and daemon (kill -9) with exit status and output whole; after a reboot they "
            "are lost or restarted; cleaned by age and count, pinned ones kept.",
            f"{SWEEP}::test_kill_9_of_the_daemon_at_any_step_leaves_a_job_whole",
            f"{SWEEP}::test_a_start_that_is_killed_at_each_of_its_steps_in_turn_runs_the_command_once",
            f"{SWEEP}::test_a_kill_that_is_killed_at_each_of_its_steps_in_turn_leaves_nothing",
            f"{SWEEP}::test_kill_9_of_the_supervisor_at_any_moment_leaves_no_process_and_says_so",
            f"{DROP_IN}::test_a_job_goes_on_when_its_client_and_the_daemon_are_gone",
            f"{WEAR}::test_after_a_reboot_a_job_is_lost_or_starts_again_as_it_was_told",
            f"{WEAR}::test_ended_jobs_are_cleared_away_by_number_and_age_pinned_ones_never",
            f"{WEAR}::test_a_job_that_waits_for_its_next_attempt_is_not_cleared_away",
            note="The reboot is played: another boot id in the record, and no process left.",
        ),
        promise(
            "S5.ps",
            "`ps` and `list_active_sessions`: one tree of everything Claude with owner, cwd, command, cpu, memory, "
            "ports, age, state; history for ours.",
            f"{PROCESSES}::test_a_job_is_shown_with_all_it_started_and_what_they_use",
            f"{PROCESSES}::test_sessions_of_anybody_are_listed_with_their_processes",
            f"{PROCESSES}::test_shells_and_servers_below_a_claude_are_told_apart",
            f"{PROCESSES}::test_what_a_job_uses_is_kept_over_time",
            f"{PROCESSES}::test_secrets_in_the_command_lines_of_others_are_not_shown",
        ),
        promise(
            "S5.reap",
            "`reap` finds orphans proven by our tag, pid and start time, or a dead parent that Claude Code recorded; "
            "shown first; never anything unproven.",
            f"{PROCESSES}::test_what_a_dead_claude_left_is_shown_first_and_ended_on_wish",
            f"{PROCESSES}::test_what_outlived_its_job_is_proven_by_its_tag",
            f"{PROCESSES}::test_what_is_not_proven_is_never_ended",
            f"{PROCESSES}::test_a_process_with_a_terminal_is_never_proven",
            HOWTO_PAGES,
        ),
        promise(
            "S5.alerts",
            "A job's end, failure, readiness or matching line becomes an event and a message into the session that "
            "started it.",
            f"{SESSION}::test_a_session_starts_a_dev_server_and_is_told_when_it_is_ready_and_when_it_fails",
            f"{SESSION}::test_what_happened_while_the_daemon_was_dead_is_told_exactly_once",
            f"{LASTING}::test_lines_that_fit_become_events_once",
            HOWTO_PAGES,
        ),
        promise(
            "S5.limits",
            "Limits for memory, cpu time, processes, file size, nice; fork bomb and memory hog hit only their job.",
            f"{LIMITS}::test_processor_time_is_limited_for_the_whole_tree",
            f"{LIMITS}::test_a_memory_hog_is_ended_and_the_reason_is_told",
            f"{LIMITS}::test_a_fork_bomb_stays_within_its_number_of_processes",
            f"{LIMITS}::test_a_file_larger_than_may_be_is_not_written",
            f"{LIMITS}::test_the_first_limit_that_is_passed_is_named",
            CONFINE,
        ),
        promise(
            "S5.sandbox",
            "Sandbox levels with capability detection; the record says what was really in force; a level that is "
            "missing refuses the start.",
            f"{LIMITS}::test_a_sandboxed_job_writes_where_it_may_only_and_reads_no_secrets",
            f"{LIMITS}::test_a_job_without_network_reaches_nobody",
            f"{LIMITS}::test_what_this_system_can_do_is_told",
            f"{CONFINE}::test_a_sandbox_that_cannot_be_had_refuses_the_start",
            f"{CONFINE}::test_without_landlock_bubblewrap_is_put_before_the_command",
            note="Of bubblewrap tests show the command line; it was run by hand (0.8.0).",
        ),
        promise(
            "S5.policy",
            "A policy (allow, ask, deny) decided by a real shell parser, documented as advice.",
            f"{POLICY}::test_a_denied_command_is_found_however_it_is_written",
            f"{POLICY}::test_words_that_are_only_data_are_no_command",
            f"{POLICY}::test_jobs_keep_to_the_policy",
        ),
        promise(
            "S5.safety",
            "Secrets never in listings or logs; NUL, 3 MB strings, missing and deleted cwd, what is not executable: "
            "clear errors.",
            f"{LIMITS}::test_secrets_of_a_job_are_in_no_listing_and_no_log",
            f"{RUNNING}::test_secrets_in_a_command_are_not_shown_in_listings",
            "platform/claude/test_command_secrets.py",
            f"{RUNNING}::test_what_cannot_be_run_is_refused_and_leaves_nothing",
            f"{RUNNING}::test_a_program_that_is_not_there_fails_with_its_reason",
            f"{LIMITS}::test_a_working_directory_that_is_gone_is_a_clear_failure",
        ),
        promise(
            "S5.wear",
            "500 jobs: descriptors and processes back to base; no job goes on when the disk is about to be full.",
            f"{WEAR}::test_500_jobs_leave_no_descriptor_and_no_process",
            f"{WEAR}::test_no_job_goes_on_when_the_disk_is_about_to_be_full",
            f"{WEAR}::test_a_job_that_fills_the_disk_takes_nobody_along",
            f"{WEAR}::test_zombies_are_taken_away_with_their_job",
        ),
        promise(
            "S5.peer",
            "Against the document's own server, same scenarios, differences listed.",
            f"{DROP_IN}::test_the_published_server_plays_the_same",
            note="Runs where MCP_BACKGROUND_JOB_SERVER names its command; docs/explanations/jobs.md lists the rest.",
        ),
        promise(
            "S5.speed",
            "The table of job output and job start.",
            gap="Execute to running is far from 2x `subprocess.Popen`: a durable record, a supervisor and two forks "
            "stand between them; 50 jobs at once pay that 50 times.",
            note="`python -m bench job_output job_start`",
        ),
    ),
)
