"""What the two documents about a Claude Code server promise, and what of it belongs to sessions."""

from tests.requirements.model import Part, promise

F = "e2e/test_session_features.py"
HOWTO = "docs/test_howtos.py::test_the_page_works_as_it_stands"
NO_ISSUE = "no issue yet"

FIRST = Part(
    "The first document (the specification in Python)",
    (
        promise(
            "D1.binary.1",
            "`find_claude_binary` returns binary_path, version, source.",
            HOWTO,
            "surfaces/mcp/test_catalog.py::test_every_tool_is_as_its_snapshot_says",
        ),
        promise(
            "D1.binary.2",
            "Discovery by PATH, NVM and standard locations; the preferred installation is kept.",
            "platform/claude/test_binaries.py",
        ),
        promise(
            "D1.binary.3",
            "`check_claude_updates` returns current_version, latest_version, update_available, update_command.",
            "platform/claude/test_releases.py",
        ),
        promise(
            "D1.session.1",
            "`execute_claude(project_path, prompt, model, continue_session, checkpoint_id)` returns a "
            "session_id at once.",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
            note="`project_path` and `model` may be left out; `continue_session` is an alias of `continue_last`.",
        ),
        promise(
            "D1.session.2",
            "Output streams via `claude.stream` notifications with session_id and message.",
            "surfaces/mcp/test_calls.py::test_stream_notifications_come_only_when_asked_for",
            "e2e/test_mcp_through_relay.py::test_stream_notifications_come_on_wish_and_in_order",
            note="Opt-in: most clients do not know the method.",
        ),
        promise(
            "D1.session.3",
            "JSONL stream parsing with backpressure; unparsable lines do not fail the session.",
            "platform/claude/test_hostile_lines.py",
            "surfaces/mcp/test_hostile_input.py::test_a_client_that_never_reads_is_held_back_and_stalls_nobody",
        ),
        promise(
            "D1.session.4",
            "Metrics (tokens, cost) from the stream.",
            "platform/claude/test_recordings.py::test_costs_of_turns_add_up_to_the_cost_of_the_session",
        ),
        promise(
            "D1.session.5",
            "Session history, cancellation, timeout handling, error recovery.",
            f"{F}::test_a_turn_can_be_interrupted_and_the_session_goes_on",
            HOWTO,
        ),
        promise(
            "D1.session.6",
            "`--dangerously-skip-permissions` always.",
            note="Not done on purpose: the default asks. `bypassPermissions` is a wish per session.",
            gap="built another way",
        ),
        promise(
            "D1.resource.1",
            "Resource `claude://sessions/active`.",
            "e2e/test_mcp_through_relay.py::test_resources_show_sessions_and_their_events",
        ),
        promise(
            "D1.resource.2", "Resources `claude://config`, `claude://agents`, `claude://usage/today`.", later=NO_ISSUE
        ),
        promise(
            "D1.config.1",
            "`CLAUDE_CODE_BINARY`, `CLAUDE_DEFAULT_MODEL`, `CLAUDE_MCP_DEBUG`.",
            "platform/settings/test_settings.py::test_names_in_the_environment_are_honoured",
        ),
        promise("D1.config.2", "Claude Desktop starts `python -m claude_code_mcp`.", HOWTO),
        promise(
            "D1.error.1",
            "A clear error when no Claude Code is found.",
            "platform/claude/test_binaries.py::test_nothing_found_and_only_old_ones_found_are_different_errors",
        ),
        promise(
            "D1.desktop.1",
            "Auto-configuration of Claude Desktop, with validation.",
            "features/installations/test_installations.py",
            HOWTO,
        ),
        promise(
            "D1.processes.1",
            "A registry of all running Claude sessions with CPU and memory.",
            f"{F}::test_sessions_of_others_are_listed_shown_and_resumed",
            "features/processes/test_processes.py::test_sessions_of_anybody_are_listed_with_their_processes",
        ),
        promise(
            "D1.checkpoints",
            "Checkpoints: create, restore, list, timeline, branches.",
            "features/checkpoints/test_restoring.py",
            "features/checkpoints/test_surfaces.py",
        ),
        promise("D1.agents", "Agents: create, list, execute, import, metrics.", later=NO_ISSUE),
        promise(
            "D1.servers",
            "MCP servers of Claude Code: `mcp_add`, `mcp_list`, test of the connection, import.",
            later=NO_ISSUE,
        ),
        promise("D1.hooks", "Hooks: read, update, validate, templates.", later=NO_ISSUE),
        promise("D1.commands", "Slash commands.", later=NO_ISSUE),
        promise("D1.prompts", "MCP prompts: code review, refactoring, test generation.", later=NO_ISSUE),
        promise("D1.analytics", "Usage analytics and export.", later=NO_ISSUE),
        promise("D1.telemetry", "OpenTelemetry.", later=NO_ISSUE),
        promise("D1.later", "Cloud storage, LDAP, SSO, quotas, marketplace, plugin SDK.", later=NO_ISSUE),
    ),
)

SECOND = Part(
    "The second document (the server v2.0)",
    (
        promise(
            "D2.ask.1",
            "`claude_ask` with query, sessionId, model, subagent, thinkingLevel, allowedTools, "
            "disallowedTools, backgroundTask, workingDirectory.",
            f"{F}::test_the_documents_spellings_are_understood",
        ),
        promise(
            "D2.ask.2",
            "`hooks` in the call: preToolUse, postToolUse, sessionStart, preCompact, onError.",
            "platform/claude/test_launch.py::test_hooks_in_the_spelling_of_the_documents_become_settings",
            f"{F}::test_hooks_and_env_of_the_wish_are_used_and_never_stored_in_clear",
        ),
        promise(
            "D2.ask.3",
            "Priority low, normal, high.",
            "features/sessions/test_admission.py::test_priority_goes_first_then_who_came_first",
        ),
        promise(
            "D2.ask.4",
            "Extended thinking: think, think-hard, think-harder, ultrathink.",
            "platform/claude/test_real_cli.py::test_each_thinking_level_reaches_the_model_as_another_effort",
        ),
        promise(
            "D2.plan.1",
            "`claude_plan`: read-only planning.",
            f"{F}::test_a_plan_comes_back_and_is_carried_out_on_resume",
        ),
        promise(
            "D2.resume.1",
            "`claude_resume`: full context preservation.",
            f"{F}::test_a_second_message_uses_the_same_warm_process",
            HOWTO,
        ),
        promise(
            "D2.abort.1",
            "`claude_abort`: sessions.",
            f"{F}::test_a_turn_can_be_interrupted_and_the_session_goes_on",
            note="Background tasks are stopped by `claude_background_tasks` and `job_kill`.",
        ),
        promise(
            "D2.config.1",
            "`DEFAULT_WORKING_DIRECTORY`, `DEFAULT_ALLOWED_TOOLS`, `MAX_CONCURRENT_SESSIONS`, "
            "`SESSION_TIMEOUT_MS`, `LOG_LEVEL`.",
            "platform/settings/test_settings.py::test_names_in_the_environment_are_honoured",
            f"{F}::test_settings_of_the_client_hold_for_its_sessions",
        ),
        promise("D2.logging.1", "Structured logging with levels.", "platform/logs/test_logs.py"),
        promise(
            "D2.errors.1",
            "Comprehensive error types.",
            "surfaces/docs/test_reference.py::test_every_error_is_documented_and_no_code_belongs_to_two_families",
        ),
        promise(
            "D2.cleanup.1",
            "Session management: automatic cleanup and lifecycle.",
            f"{F}::test_a_second_message_uses_the_same_warm_process",
        ),
        promise(
            "D2.checkpoint",
            "`claude_checkpoint`: create, list, restore, compare, delete.",
            "features/checkpoints/test_surfaces.py::test_the_tool_of_the_second_document_does_all_five_actions",
        ),
        promise(
            "D2.background",
            "`claude_background_tasks`: list, stop, logs, restart.",
            "e2e/test_jobs.py::test_background_tasks_of_claude_code_and_jobs_are_managed_by_one_door",
            note="Claude Code's own tasks cannot be started again from outside; the answer says what to do instead.",
        ),
        promise("D2.subagents", "`claude_subagent_list`.", later=NO_ISSUE),
        promise("D2.plugins", "`claude_plugin_list`, `claude_plugin_install`.", later=NO_ISSUE),
        promise(
            "D2.remote",
            "SSE transport, OAuth 2.1, rate limiting, metrics, webhooks, health check, deployment.",
            later=NO_ISSUE,
        ),
    ),
)
