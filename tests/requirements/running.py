"""The daemon, the relay, and the processes they look after."""

from tests.requirements.model import Part, promise

IPC = "platform/ipc/test_listener.py"
ENV = "platform/claude/test_environment.py"
ATTACH = "platform/procs/test_attach.py"
STOP = "platform/procs/test_stop.py"
SHIM = "platform/procs/test_shim.py"

DAEMON = Part(
    "Daemon and relay",
    (
        promise(
            "S2.daemon.1",
            "One daemon per state directory on a Unix socket (0600, peer uid checked).",
            f"{IPC}::test_only_one_holds_the_directory",
            f"{IPC}::test_the_socket_is_private_and_a_stale_one_is_replaced",
            f"{IPC}::test_another_user_is_refused",
        ),
        promise(
            "S2.daemon.2",
            "Started by the first client; lock file.",
            "e2e/test_sessions.py::test_a_question_gets_its_answer",
            f"{IPC}::test_a_daemon_is_started_without_its_first_clients_secrets",
        ),
        promise(
            "S2.daemon.3",
            "Version handshake: an older daemon hands over, children live on.",
            f"{IPC}::test_versions_compare_as_numbers",
        ),
        promise(
            "S2.daemon.4",
            "Idle exit: configurable, never while something runs.",
        ),
        promise(
            "S2.daemon.5",
            "`daemon status|stop|restart|logs`, graceful shutdown.",
            "surfaces/cli/test_real_session.py::test_the_daemon_is_looked_at_restarted_and_stopped",
            "surfaces/cli/test_own_commands.py::test_daemon_status_starts_none",
            "surfaces/cli/test_own_commands.py::test_the_end_of_the_log_is_shown_readably",
            "surfaces/cli/test_own_commands.py::test_the_log_is_followed_over_a_rotation",
        ),
        promise(
            "S2.daemon.6",
            "The relay is standard library only and copies lines.",
            "relay/test_bridge.py::test_the_relay_imports_nothing_but_the_standard_library_and_its_own_few_files",
            "relay/test_bridge.py::test_lines_pass_both_ways_unchanged",
            "relay/test_bridge.py::test_a_line_of_several_megabytes_passes",
        ),
        promise(
            "S2.daemon.7",
            "A session runs with the environment of the client that started it, sent with the hello, never the "
            "daemon's own.",
            f"{ENV}::test_a_run_gets_its_clients_environment_the_wishes_and_ours",
            f"{IPC}::test_a_daemon_is_started_without_its_first_clients_secrets",
            "surfaces/cli/test_generate.py::test_the_environment_that_is_sent_holds_only_what_a_session_may_see",
        ),
        promise(
            "S2.daemon.8",
            "The allow-list: `PATH HOME ANTHROPIC_* CLAUDE_* *_PROXY NODE_EXTRA_CA_CERTS SSL_CERT_* LANG LC_* "
            "TZ TERM "
            "IS_SANDBOX`, those of Bedrock and Vertex when they are in use, extendable.",
            f"{ENV}::test_only_what_a_session_needs_passes",
            f"{ENV}::test_a_clouds_variables_pass_only_while_it_is_in_use",
            f"{ENV}::test_more_names_can_be_let_through_but_not_those_of_a_surrounding_session",
        ),
        promise(
            "S2.daemon.9",
            "Without what a surrounding Claude Code set for itself (`CLAUDECODE`, session id, pid, messaging "
            "socket and "
            "token, entrypoint …).",
            f"{ENV}::test_only_what_a_session_needs_passes",
            "e2e/test_claude_as_client.py::test_a_model_runs_another_session_to_its_end",
        ),
        promise(
            "S2.daemon.10",
            "Secrets in it are never logged or stored in clear: they live in memory and, where a restart needs "
            "them, in "
            "a 0600 file.",
            "platform/logs/test_logs.py::test_no_secret_reaches_a_log",
            "platform/procs/test_start.py::test_a_secret_of_the_environment_is_nowhere_on_disk_unless_it_is_to_be_kept",
            "e2e/test_session_features.py::test_hooks_and_env_of_the_wish_are_used_and_never_stored_in_clear",
            note="The file is `vault/SESSION_ID.json`, not beside the run: a session has many runs.",
        ),
    ),
)

RUNS = Part(
    "Runs",
    (
        promise(
            "S2.runs.1",
            "Durable attach: a process that outlives the daemon is followed, written to and stopped by the next one.",
            f"{ATTACH}::test_an_attached_run_is_followed_written_to_and_stopped_like_an_own_one",
            "platform/procs/test_real_cli.py::test_a_turn_outlives_the_host_that_started_it_and_the_next_one_takes_over",
        ),
        promise(
            "S2.runs.2",
            "A tiny standard-library shim per run: own session, child subreaper where the system has it.",
            f"{SHIM}::test_the_shim_is_made_of_the_standard_library_and_little_of_it",
            f"{SHIM}::test_it_leads_a_session_and_so_does_the_program",
            "platform/procs/test_start.py::test_a_shim_takes_less_than_twelve_megabytes_and_shares_most_of_it",
        ),
        promise(
            "S2.runs.3",
            "It records pid, start time and boot id, and writes the exit status atomically.",
            f"{SHIM}::test_it_writes_down_how_the_program_ended",
            f"{SHIM}::test_nothing_runs_when_it_cannot_be_recorded",
            f"{SHIM}::test_the_ending_is_recorded_in_space_that_was_kept_for_it",
        ),
        promise(
            "S2.runs.4",
            "On stop it ends the whole tree: escaped shells and double forks too.",
            f"{STOP}::test_escaped_sessions_double_forks_and_deep_trees_end_with_their_run",
            f"{STOP}::test_processes_that_run_away_by_forking_and_ending_are_caught",
            "platform/procs/test_real_cli.py::test_stopping_the_cli_ends_the_shell_that_its_tool_started",
        ),
        promise(
            "S2.runs.5",
            "Re-attach on start by pid + start time + boot id and byte offset.",
            f"{ATTACH}::test_a_pid_that_now_is_another_process_is_never_signalled_and_the_run_is_lost",
            f"{ATTACH}::test_after_a_reboot_a_run_is_lost_and_nothing_is_signalled",
            f"{ATTACH}::test_kill_9_of_the_daemon_at_any_instant_loses_no_line_and_repeats_none",
        ),
        promise(
            "S2.runs.6",
            "Events and offset are committed in one transaction.",
            "platform/eventlog/test_log.py::test_the_same_source_is_taken_once_and_leaves_no_gap",
            "platform/db/test_database.py::test_what_was_acknowledged_survives_kill_9",
            "e2e/test_sessions.py::test_kill_9_of_the_daemon_costs_nothing",
        ),
        promise(
            "S2.runs.7",
            "Stop ladder: interrupt, wait for the result, `end_session`, TERM, KILL, each bounded.",
            f"{STOP}::test_a_polite_program_ends_on_term_at_once",
            f"{STOP}::test_a_program_that_ignores_term_is_killed_after_the_grace",
        ),
        promise(
            "S2.runs.8",
            "The disk is watched: low space is an event and stops new starts before lines are lost.",
            "platform/procs/test_space.py",
            "platform/procs/test_start.py::test_low_space_refuses_a_start_and_touches_nothing",
            "features/sessions/test_admission.py::test_nobody_is_admitted_while_it_is_closed",
            "e2e/test_limits.py::test_nothing_new_starts_on_a_disk_that_is_nearly_full",
            "e2e/test_limits.py::test_a_turn_that_writes_without_end_is_ended_and_says_so",
        ),
        promise(
            "S2.runs.9",
            "Never a signal to a process that is not proven ours.",
            f"{ATTACH}::test_a_pid_that_now_is_another_process_is_never_signalled_and_the_run_is_lost",
            "platform/procs/test_identity.py::test_another_start_or_another_boot_is_another_process_and_gets_no_signal",
        ),
    ),
)

BINARY = Part(
    "Claude binary",
    (
        promise(
            "S2.binary.1",
            "Found by override, kept preference, PATH, nvm/fnm/volta/asdf/npm-global/bun/Homebrew, `~/.local/bin`, "
            "`~/.claude/local`, standard paths, the binary bundled in `claude-agent-sdk`.",
            "platform/claude/test_binaries.py::test_every_place_is_looked_at_and_each_binary_named_with_version_and_source",
            "platform/claude/test_binaries.py::test_the_bundled_one_is_the_last_resort",
        ),
        promise(
            "S2.binary.2",
            "All candidates listed with version and source, best chosen by rule, broken ones named with the reason.",
            "platform/claude/test_binaries.py::test_the_newest_is_chosen_where_path_has_none",
            "platform/claude/test_binaries.py::test_a_broken_one_is_named_with_the_reason",
            "platform/claude/test_binaries.py::test_an_override_is_the_only_choice",
        ),
        promise(
            "S2.binary.3",
            "The preference is kept (`use_claude_binary`).",
            "platform/claude/test_binaries.py::test_a_preference_wins_and_is_passed_over_when_it_is_broken",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
        ),
        promise(
            "S2.binary.4",
            "Version text is `2.1.328 (Claude Code)`; a minimum version with a clear error.",
            "platform/claude/test_binaries.py::test_only_the_text_of_claude_code_is_a_version",
            "platform/claude/test_binaries.py::test_only_too_old_ones_say_so_with_the_way_to_update",
        ),
        promise(
            "S2.binary.5",
            "Update check against the npm registry through its documented endpoint, with a timeout, offline-safe.",
            "platform/claude/test_releases.py",
        ),
    ),
)
