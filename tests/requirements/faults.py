"""Bad input and faults, speed, tests, and what is done when."""

from tests.requirements.model import Part, promise

BAD = "e2e/test_bad_input.py"
IPC = "platform/ipc/test_listener.py"
ATTACH = "platform/procs/test_attach.py"
MEASURED = "a speed is measured, never asserted by a test: docs/benchmarks.md has the last results"
HOSTILE = "platform/claude/test_hostile_lines.py"

FAULTS = Part(
    "Bad input and faults: each gets one clear outcome",
    (
        promise(
            "S2.faults.1",
            "Unknown project, empty prompt, NUL, bad session id.",
            f"{BAD}::test_a_wish_that_cannot_be_carried_out_changes_nothing",
        ),
        promise(
            "S2.faults.2",
            "File instead of directory.",
            f"{BAD}::test_a_file_is_no_project_and_the_answer_names_the_folder",
        ),
        promise(
            "S2.faults.3",
            "Missing binary, too old CLI.",
            f"{BAD}::test_a_binary_that_cannot_be_used_is_named_with_its_reason",
        ),
        promise("S2.faults.4", "Unknown model alias.", f"{BAD}::test_an_unknown_model_is_claude_codes_to_judge"),
        promise(
            "S2.faults.5",
            "10 MB prompt.",
            f"{BAD}::test_a_prompt_of_ten_megabytes_arrives_whole_and_claude_code_judges_it",
        ),
        promise(
            "S2.faults.6", "Prompt that looks like a flag.", f"{BAD}::test_a_prompt_that_looks_like_a_flag_is_text"
        ),
        promise("S2.faults.7", "Not logged in.", f"{BAD}::test_without_a_login_the_answer_says_so"),
        promise("S2.faults.8", "Rate limit, API errors.", f"{BAD}::test_an_api_that_fails_is_told_as_it_is"),
        promise(
            "S2.faults.9",
            "API down, 401 loops.",
            f"{BAD}::test_an_api_that_is_down_is_seen_while_it_is_tried_again_and_can_be_stopped",
        ),
        promise(
            "S2.faults.10",
            "CLI crash before the first line.",
            f"{BAD}::test_a_cli_that_dies_leaves_a_session_that_says_why",
        ),
        promise(
            "S2.faults.11",
            "Garbage or half lines.",
            f"{HOSTILE}::test_any_bytes_are_read_without_an_exception",
            "platform/procs/test_output.py::test_half_a_line_is_kept_back_until_it_is_whole_or_the_run_is_over",
        ),
        promise(
            "S2.faults.12", "1.5 MB lines.", f"{BAD}::test_an_answer_of_a_megabyte_and_a_half_comes_whole_in_the_stream"
        ),
        promise(
            "S2.faults.13",
            "Glued lines after a full disk.",
            f"{HOSTILE}::test_a_whole_line_glued_to_a_torn_one_is_not_lost",
            f"{HOSTILE}::test_two_whole_lines_in_one_are_both_read",
            "platform/procs/test_full_disk.py::"
            "test_output_is_cut_where_the_disk_is_full_and_the_ending_is_recorded_all_the_same",
            "e2e/test_full_disk.py",
        ),
        promise(
            "S2.faults.14", "Unknown message types.", f"{HOSTILE}::test_unknown_types_subtypes_and_blocks_are_kept_raw"
        ),
        promise(
            "S2.faults.15",
            "Two daemons, stale sockets and locks.",
            f"{IPC}::test_only_one_holds_the_directory",
            f"{IPC}::test_the_socket_is_private_and_a_stale_one_is_replaced",
            "e2e/test_daemon_lives.py",
        ),
        promise(
            "S2.faults.16",
            "Pid reuse.",
            f"{ATTACH}::test_a_pid_that_now_is_another_process_is_never_signalled_and_the_run_is_lost",
        ),
        promise("S2.faults.17", "Reboot.", f"{ATTACH}::test_after_a_reboot_a_run_is_lost_and_nothing_is_signalled"),
        promise("S2.faults.18", "Clock jump.", "e2e/test_clock.py"),
        promise(
            "S2.faults.19",
            "Nothing hangs, nothing is lost, nothing is left running.",
            "testing/test_real_cli.py::test_a_process_that_a_test_forgets_is_found_and_killed",
            "e2e/test_kill_claude.py",
            "e2e/test_stopping.py",
            note="Every end-to-end test fails when it leaves a process.",
        ),
        promise(
            "S2.faults.20",
            "Group A of the attack cases (injection into the CLI).",
            "platform/claude/test_launch.py::test_no_value_can_become_a_flag_or_another_argument",
            f"{BAD}::test_odd_folders_work_and_run_nothing",
        ),
        promise(
            "S2.faults.21",
            "Group B (untrusted project content).",
            "platform/claude/test_trust.py",
            "e2e/test_trust.py",
        ),
        promise(
            "S2.faults.22",
            "Group D (secrets and environment).",
            "platform/claude/test_environment.py",
            "platform/logs/test_logs.py::test_no_secret_reaches_a_log",
            "e2e/test_session_features.py::test_hooks_and_env_of_the_wish_are_used_and_never_stored_in_clear",
            "e2e/test_limits.py::test_a_secret_in_a_tools_input_is_not_stored_and_the_tool_runs_with_it",
        ),
        promise("S2.faults.23", "Group E (hostile streams).", HOSTILE, "platform/procs/test_framing.py"),
        promise(
            "S2.faults.24",
            "Group G (processes).",
            "platform/procs/test_stop.py",
            ATTACH,
            "platform/procs/test_start.py",
        ),
        promise("S2.faults.25", "Group H (store).", "platform/db/test_database.py"),
    ),
)

SPEED = Part(
    "Speed: `bench/`, last results in docs/benchmarks.md",
    (
        promise(
            "S2.speed.1",
            "Relay: start to first MCP answer, daemon up, ≤ 2.5x a bare standard-library echo server, RSS ≤ 20 "
            "MB; without a daemon ≤ 0.8 s.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.2",
            "Cheap tool call through relay and daemon: p50 ≤ 0.6x, calls per second with 50 in flight ≥ 3x the "
            "SDK's stock stdio server.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.3",
            "1,000 progress notifications: ≥ 4x.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.4",
            "Session of 99 tool steps: first event ≤ 1.1x a plain asyncio reader, wall ≤ 1.05x the bare CLI.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.5",
            "Daemon CPU per stream event ≤ 0.15 ms; RSS with 20 sessions ≤ 80 MB, shim ≤ 12 MB each.",
            "platform/procs/test_start.py::test_a_shim_takes_less_than_twelve_megabytes_and_shares_most_of_it",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.6",
            "20 sessions at once: wall ≤ 1.1x 20 bare processes.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.7",
            "Second message to a live session, first answer: ≤ 0.15x a new process.",
            gap=MEASURED,
        ),
        promise(
            "S2.speed.8",
            "Re-attach after daemon kill with 20 live sessions: all followed again ≤ 2 s after start.",
            f"{ATTACH}::test_twenty_live_runs_are_found_and_followed_again_within_a_moment",
            gap=MEASURED,
        ),
    ),
)

TESTS = Part(
    "Tests",
    (
        promise(
            "S2.tests.1",
            "Real CLI + scripted model in every end-to-end test.",
            "e2e/test_sessions.py",
            "e2e/test_session_features.py",
        ),
        promise(
            "S2.tests.2",
            "A kill sweep (kill -9 of the daemon at 30+ points of a session, seeded) that compares the final "
            "event log with an undisturbed run.",
            "e2e/test_kill_sweep.py::test_kill_9_of_the_daemon_at_any_step_leaves_the_same_story",
        ),
        promise(
            "S2.tests.3",
            "Property tests of the stream parser and state machine.",
            f"{HOSTILE}::test_any_bytes_are_read_without_an_exception",
            "platform/procs/test_framing.py::test_any_way_of_cutting_the_stream_gives_the_same_lines",
            "features/sessions/test_rules.py",
        ),
        promise(
            "S2.tests.4", "The official Python and TypeScript MCP clients.", "surfaces/mcp/test_official_clients.py"
        ),
        promise(
            "S2.tests.5",
            "The official conformance suite at 100 % for both protocol versions, with fixture tools behind a flag.",
            "surfaces/mcp/conformance/test_conformance.py",
        ),
        promise("S2.tests.6", "Token budgets; house rules.", "surfaces/mcp/test_catalog.py", "house/test_house.py"),
    ),
)

DONE = Part(
    "Done when",
    (
        promise(
            "S2.done.1",
            "Both commands work on a clean clone.",
            gap="shown by the script that decides what lands, which runs `make test` on a clean clone; not by a test",
        ),
        promise("S2.done.2", "The bench table is filled in and each goal met or the gap explained.", gap=MEASURED),
        promise(
            "S2.done.3",
            "README shows a real picture of `run` (an SVG made by the program's own renderer) and how to add "
            "the server.",
            "surfaces/cli/test_live_piped.py::test_a_picture_is_drawn_by_the_same_hand",
            "docs/test_links.py::test_every_link_of_the_page_leads_somewhere",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
        ),
        promise(
            "S2.done.4",
            "The kill sweep is clean.",
            "e2e/test_kill_sweep.py::test_kill_9_of_the_daemon_at_any_step_leaves_the_same_story",
        ),
        promise(
            "S2.done.5",
            "`docs/requirements.md` lists every line of this issue with its test.",
            "requirements/test_requirements.py",
        ),
    ),
)
