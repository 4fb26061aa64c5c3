"""Approvals and trust."""

from tests.requirements.model import Part, promise

F = "e2e/test_session_features.py"
TRUST_TESTS = "platform/claude/test_trust.py"
LAUNCH = "platform/claude/test_launch.py"
HOWTO = "docs/test_howtos.py::test_the_page_works_as_it_stands"

APPROVALS = Part(
    "Approvals",
    (
        promise(
            "S2.approvals.1",
            "Default is to ask.",
            "e2e/test_sessions.py::test_a_permission_question_waits_for_its_answer_and_the_tool_then_runs",
        ),
        promise(
            "S2.approvals.2",
            "A question (tool, input, suggestions, AskUserQuestion, ExitPlanMode) is an object with an id that "
            "survives "
            "restarts.",
            "e2e/test_sessions.py::test_kill_9_of_the_daemon_costs_nothing",
            f"{F}::test_a_question_of_the_model_is_answered_by_its_text",
            f"{F}::test_a_plan_comes_back_and_is_carried_out_on_resume",
        ),
        promise(
            "S2.approvals.3",
            "Answer allow, deny, allow with changed input, allow always (with the suggested rule).",
            f"{F}::test_deny_allow_with_other_input_and_always",
        ),
        promise(
            "S2.approvals.4",
            "Many at once by filter.",
            f"{F}::test_many_questions_are_answered_at_once_by_a_filter",
        ),
        promise("S2.approvals.5", "A policy for silence: deny after N, or wait."),
        promise(
            "S2.approvals.6",
            "When the waiting MCP client can elicit (both protocol eras), it is asked in place.",
            "surfaces/mcp/test_questions.py::test_the_handshake_era_asks_by_a_request",
            "surfaces/mcp/test_questions.py::test_the_stateless_era_asks_by_an_answer_and_goes_on_with_the_same_run",
            "surfaces/mcp/test_official_clients.py::test_the_python_client_lists_calls_asks_and_hears_progress",
            "e2e/test_mcp_through_relay.py::test_a_client_that_can_ask_its_user_answers_in_place",
            "e2e/test_mcp_through_relay.py::test_a_declined_form_leaves_the_question_waiting_for_anybody",
        ),
        promise("S2.approvals.7", "Else the tool result says what waits and how to answer.", HOWTO),
        promise(
            "S2.approvals.8",
            "Bypass only by explicit wish per session, shown in every listing.",
            f"{F}::test_bypass_is_an_explicit_wish_and_shown_in_every_listing",
        ),
        promise(
            "S2.approvals.9",
            "Every decision is an event.",
            "e2e/test_sessions.py::test_a_permission_question_waits_for_its_answer_and_the_tool_then_runs",
        ),
    ),
)

TRUST = Part(
    "Trust",
    (
        promise(
            "S2.trust.1",
            "A project is trusted when the user told Claude Code so (its own record) or us (`projects trust`, or "
            "`trust_project`).",
            "e2e/test_trust.py::test_trust_counts_for_what_was_seen_and_lapses_when_it_changes",
            "e2e/test_trust.py::test_claude_codes_own_record_counts_until_the_configuration_changes",
            f"{TRUST_TESTS}::test_the_project_is_trusted_as_claude_code_recorded_it",
            f"{TRUST_TESTS}::test_trust_is_by_repository_and_cannot_be_borrowed",
        ),
        promise(
            "S2.trust.2",
            "Trust is bound to the content of its executable configuration (settings, `.mcp.json`, hooks, "
            "agents with "
            "hooks) and lapses when that changes.",
            f"{TRUST_TESTS}::test_everything_that_can_run_code_is_named_with_what_it_does",
            f"{TRUST_TESTS}::test_a_change_of_what_can_run_code_changes_the_fingerprint",
        ),
        promise(
            "S2.trust.3",
            "Untrusted runs use user settings only and no project MCP servers; the project's CLAUDE.md is "
            "still handed "
            "over, as text.",
            "e2e/test_trust.py::test_an_untrusted_project_runs_nothing_and_gets_no_key",
            f"{TRUST_TESTS}::test_a_run_that_distrusts_uses_nothing_of_the_project_and_says_what_it_goes_without",
            f"{TRUST_TESTS}::test_instructions_are_read_from_the_repository_root_down_with_their_imports",
            f"{TRUST_TESTS}::test_instructions_never_come_from_outside_of_the_project",
        ),
        promise("S2.trust.4", "The handle says what was left out and how to trust.", HOWTO),
        promise(
            "S2.trust.5",
            "Prompts go to stdin, every user value as `--flag=VALUE` or a file, ids and models by pattern, nothing "
            "through a shell.",
            f"{LAUNCH}::test_no_value_can_become_a_flag_or_another_argument",
            f"{LAUNCH}::test_what_claude_code_would_refuse_or_misread_is_refused_before_anything_starts",
            "e2e/test_bad_input.py::test_a_prompt_that_looks_like_a_flag_is_text",
            "house/test_house.py::test_no_shell_and_no_sleeping_tests",
        ),
    ),
)
