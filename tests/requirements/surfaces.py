"""MCP, the command line, and the scripted model."""

from tests.requirements.model import Part, promise

M = "surfaces/mcp"
TASKS = f"{M}/test_tasks.py"
OWN = "surfaces/cli/test_own_commands.py"
HOWTO = "docs/test_howtos.py::test_the_page_works_as_it_stands"

MCP = Part(
    "MCP surface",
    (
        promise("S2.mcp.1", "Both eras, on the official SDK's lowlevel server.", f"{M}/test_eras.py"),
        promise(
            "S2.mcp.2",
            "Our own asyncio line transport, fed by the catalog.",
            f"{M}/test_hostile_input.py",
            f"{M}/test_catalog.py::test_every_operation_of_mcp_is_in_the_full_profile",
        ),
        promise(
            "S2.mcp.3",
            "Tool list built once; annotations.",
            f"{M}/test_tools.py::test_the_list_is_the_same_bytes_each_time_and_in_both_eras",
            f"{M}/test_tools.py::test_hints_differ_from_the_protocols_defaults_only",
        ),
        promise(
            "S2.mcp.4",
            "`structuredContent` only where it is the whole truth.",
            f"{M}/test_calls.py::test_fields_are_sent_only_where_the_operation_says_so",
        ),
        promise(
            "S2.mcp.5",
            "Results are compact text made for a model to read, with ids and next steps.",
            f"{M}/test_calls.py::test_a_result_is_the_replys_text",
            "e2e/test_claude_as_client.py::test_a_model_runs_another_session_to_its_end",
        ),
        promise(
            "S2.mcp.6",
            "Errors name the code and the remedy.",
            f"{M}/test_calls.py::test_an_error_names_its_code_and_the_remedy",
            f"{M}/test_real_claude_code.py::test_a_model_reads_the_code_and_the_remedy_of_an_error",
        ),
        promise(
            "S2.mcp.7",
            "Profiles by `--profile core|full|readonly|<feature>` (and `--toolsets a,b`).",
            f"{M}/test_profiles.py",
            "relay/test_bridge.py::test_options_come_from_arguments_and_environment",
        ),
        promise(
            "S2.mcp.8",
            "Search/call pair over the rest in `core`.",
            f"{M}/test_profiles.py::test_core_shows_a_handful_and_finds_the_rest",
            f"{M}/test_profiles.py::test_search_finds_tools_by_what_they_do",
        ),
        promise(
            "S2.mcp.9",
            "Token budgets as tests; snapshot per tool schema.",
            f"{M}/test_catalog.py::test_no_tool_costs_more_than_its_budget",
            f"{M}/test_catalog.py::test_no_profile_costs_more_than_its_budget",
            f"{M}/test_catalog.py::test_every_tool_is_as_its_snapshot_says",
        ),
        promise(
            "S2.mcp.10",
            "Resources `session://{id}`, `session://{id}/events`, `claude://sessions/active`.",
            f"{M}/test_resources.py::test_all_providers_are_listed_and_read",
            "e2e/test_mcp_through_relay.py::test_resources_show_sessions_and_their_events",
        ),
        promise(
            "S2.mcp.11",
            "Updated-notifications in both eras, coalesced.",
            f"{M}/test_resources.py::test_a_subscriber_of_the_handshake_era_is_told_of_its_resource_only",
            f"{M}/test_resources.py::test_a_listener_of_the_stateless_era_is_told_what_it_asked_for",
            f"{M}/test_resources.py::test_changes_are_gathered_to_two_a_second_for_each_address",
        ),
        promise(
            "S2.mcp.12",
            "Progress while waiting; cancelling a wait never harms the session.",
            f"{M}/test_progress_and_cancelling.py",
            "e2e/test_mcp_through_relay.py::test_progress_keeps_a_waiting_client_awake",
        ),
        promise(
            "S2.mcp.13",
            "Tasks extension (SEP-2663) for ask and wait when the client declares it.",
            TASKS,
            f"{M}/conformance/test_conformance.py::test_every_check_of_the_tasks_extension_passes",
        ),
        promise(
            "S2.mcp.14",
            "Opt-in `claude.stream` notifications on the request's stream, as the first document names them.",
            f"{M}/test_calls.py::test_stream_notifications_come_only_when_asked_for",
            f"{M}/test_hostile_input.py::test_stream_notifications_wait_for_a_slow_client_and_none_is_lost",
            "e2e/test_mcp_through_relay.py::test_stream_notifications_come_on_wish_and_in_order",
        ),
        promise(
            "S2.mcp.15",
            "`instructions` under 150 words.",
            "house/test_repository.py::test_the_instructions_for_models_have_less_than_150_words",
        ),
    ),
)

CLI = Part(
    "Command line",
    (
        promise(
            "S2.cli.1",
            "`run PROMPT -C DIR [--yes]`: live view, Ctrl-C offers detach / interrupt / stop.",
            "surfaces/cli/test_live_terminal.py",
            "surfaces/cli/test_real_session.py",
        ),
        promise(
            "S2.cli.2",
            "`ask`, `plan`, `resume`, `sessions …`, `approvals …`, `claude find|updates|use`, `projects …`.",
            HOWTO,
            "surfaces/docs/test_reference.py::test_every_command_is_documented",
        ),
        promise(
            "S2.cli.3",
            "`daemon …`, `config …`.",
            OWN,
            "surfaces/cli/test_real_session.py::test_the_daemon_is_looked_at_restarted_and_stopped",
        ),
        promise("S2.cli.4", "`install …`.", HOWTO, "features/installations/test_installations.py"),
        promise(
            "S2.cli.5",
            "`doctor`: binary, login state, daemon, store, disk, clients' configuration, hooks; each with its fix.",
            "e2e/test_doctor.py",
            HOWTO,
        ),
        promise("S2.cli.6", "`demo`.", "surfaces/cli/test_demo.py"),
        promise(
            "S2.cli.7",
            "`scripted-model`: the stand-in as a command.",
            f"{OWN}::test_the_scripted_model_answers_until_it_is_told_to_end",
            HOWTO,
        ),
        promise(
            "S2.cli.8",
            "Rich output on a terminal, plain when piped.",
            "surfaces/cli/test_live_piped.py::test_a_run_is_one_line_for_each_event_then_the_answer_and_what_to_type_next",
            "surfaces/cli/test_live_terminal.py::test_yes_allows_what_is_asked_and_the_end_says_what_to_type_next",
        ),
        promise(
            "S2.cli.9",
            "`--json` everywhere, one documented schema per operation.",
            "surfaces/cli/test_generate.py::test_json_is_exactly_the_reply",
            "surfaces/docs/test_reference.py::"
            "test_every_field_of_every_request_and_reply_is_documented_and_says_what_it_means",
        ),
        promise(
            "S2.cli.10",
            "Exit codes documented.",
            "surfaces/docs/test_reference.py::test_every_exit_code_is_documented",
            "surfaces/cli/test_real_session.py::test_errors_of_the_daemon_have_their_exit_codes",
        ),
        promise(
            "S2.cli.11",
            "Shell completion.",
            f"{OWN}::test_each_shell_gets_its_completion_script",
            f"{OWN}::test_a_shell_is_told_how_a_command_goes_on",
        ),
        promise(
            "S2.cli.12",
            "Tool output is shown with control characters made visible.",
            "kernel/test_display.py",
            "surfaces/cli/test_tellers.py::test_nothing_that_is_drawn_can_act_on_the_terminal",
        ),
    ),
)

MODEL = Part(
    "Scripted model",
    (
        promise(
            "S2.model.1",
            "Messages API on loopback, streaming, scripts as readable YAML or Python.",
            "testing/test_hosting.py",
            "testing/test_script.py",
        ),
        promise(
            "S2.model.2",
            "Tool calls (parallel too), thinking, subagents, delays, huge texts.",
            "testing/test_real_cli.py::test_a_scenario_ends_well",
            "testing/test_real_cli.py::test_a_huge_text_arrives_whole",
            "testing/test_wire.py",
        ),
        promise(
            "S2.model.3",
            "Errors 400/401/429/500/529, cut streams.",
            "testing/test_real_cli.py::test_a_scenario_ends_badly",
            "testing/test_hosting.py::test_errors_have_their_status_headers_and_body",
            "testing/test_hosting.py::test_a_cut_stream_is_a_broken_connection",
        ),
        promise(
            "S2.model.4",
            "Usage numbers, count_tokens.",
            "testing/test_real_cli.py::test_tokens_and_cost_are_those_of_the_script",
            "testing/test_hosting.py::test_tokens_are_counted_and_everything_else_is_refused_and_recorded",
        ),
        promise(
            "S2.model.5",
            "Records the requests it saw.",
            "testing/test_model.py::test_every_record_is_one_line",
            "testing/test_model.py::test_no_credential_is_kept",
        ),
    ),
)
