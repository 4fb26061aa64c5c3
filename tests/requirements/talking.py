"""Sessions: what may be asked of them, and what they promise."""

from tests.requirements.model import Part, promise

F = "e2e/test_session_features.py"
S = "e2e/test_sessions.py"
LAUNCH = "platform/claude/test_launch.py"
REAL = "platform/claude/test_real_cli.py"
HOWTO = "docs/test_howtos.py::test_the_page_works_as_it_stands"

OPERATIONS = Part(
    "Sessions: operations",
    (
        promise(
            "S2.sessions.start",
            "start [`execute_claude`]: returns in under a second with `session_id`, `run_id`, `status`, `cursor`.",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
            note="`run_id` is there once the session has a process.",
        ),
        promise(
            "S2.sessions.ask",
            "ask [`claude_ask`]: starts or continues and waits up to `wait_s` (default 45, keep-alive "
            "progress) for the "
            "answer, else returns the handle.",
            f"{S}::test_a_question_gets_its_answer",
            f"{F}::test_the_documents_spellings_are_understood",
            HOWTO,
        ),
        promise(
            "S2.sessions.plan",
            "plan [`claude_plan`]: plan mode, returns the plan and what to call to carry it out.",
            f"{F}::test_a_plan_comes_back_and_is_carried_out_on_resume",
            HOWTO,
        ),
        promise(
            "S2.sessions.resume",
            "resume [`claude_resume`].",
            f"{F}::test_a_second_message_uses_the_same_warm_process",
            f"{F}::test_sessions_of_others_are_listed_shown_and_resumed",
        ),
        promise(
            "S2.sessions.send",
            "send [`session_send`]: steer a running turn or queue the next message, with own uuid, priority "
            "`now|next|later`.",
            f"{F}::test_a_message_to_a_running_turn_steers_it",
            HOWTO,
            note="The field is called `steering`: `priority` is the place in the queue.",
        ),
        promise(
            "S2.sessions.wait",
            "wait [`session_wait`]: long-poll after a cursor until idle, approval, result or any event.",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
            HOWTO,
        ),
        promise(
            "S2.sessions.events",
            "events [`session_events`]: a page after a cursor, compact or full.",
            f"{F}::test_the_command_line_gives_json_and_text",
            "platform/eventlog/test_log.py::test_a_page_has_a_cursor_and_says_whether_there_is_more",
            HOWTO,
        ),
        promise("S2.sessions.status", "status [`session_status`].", HOWTO),
        promise(
            "S2.sessions.list",
            "list [`session_list`]: live and past, ours and everybody's (Claude Code's own `sessions/<pid>.json`, "
            "transcripts), by project, state, text.",
            f"{F}::test_sessions_of_others_are_listed_shown_and_resumed",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
            "platform/claude/test_home.py",
        ),
        promise(
            "S2.sessions.abort",
            "abort [`claude_abort`]: `mode` interrupt, stop or kill.",
            f"{F}::test_a_turn_can_be_interrupted_and_the_session_goes_on",
            HOWTO,
        ),
        promise(
            "S2.sessions.fork", "fork [`session_fork`].", f"{F}::test_a_fork_goes_its_own_way_from_a_message_on", HOWTO
        ),
        promise(
            "S2.sessions.set",
            "change [`session_set`]: model, permission mode, title while it runs.",
            f"{F}::test_model_mode_and_title_change_while_it_runs",
        ),
    ),
)

PARAMETERS = Part(
    "Sessions: parameters",
    (
        promise(
            "S2.parameters.1",
            "project_path, prompt, model, fallback, permission mode, allowed/disallowed tools, agent/subagent, "
            "inline "
            "agents, system prompt and append, max turns, budget, extra directories, settings, MCP config, worktree.",
            f"{LAUNCH}::test_every_option_becomes_its_flag",
            f"{REAL}::test_the_real_cli_takes_every_option_in_our_form",
        ),
        promise(
            "S2.parameters.2",
            "Thinking level (`think … ultrathink` and effort).",
            f"{F}::test_a_thinking_level_reaches_the_model_as_effort",
            f"{REAL}::test_each_thinking_level_reaches_the_model_as_another_effort",
        ),
        promise(
            "S2.parameters.3",
            "JSON schema with the structured answer.",
            f"{F}::test_structured_output_fits_its_schema",
        ),
        promise(
            "S2.parameters.4",
            "Max turns and budget end a turn with a named outcome.",
            f"{F}::test_limits_end_a_turn_with_a_named_outcome",
        ),
        promise(
            "S2.parameters.5",
            "Continue, resume, fork at a message.",
            f"{F}::test_a_fork_goes_its_own_way_from_a_message_on",
            HOWTO,
        ),
        promise(
            "S2.parameters.6",
            "Checkpoint id: accepted now, works with checkpoints.",
            "e2e/test_time.py::test_a_checkpoint_is_understood_by_both_its_names_and_one_that_is_not_there_starts_nothing",
            "e2e/test_checkpoint_branches.py::test_a_session_started_from_a_checkpoint_has_its_files_and_exactly_its_history",
        ),
        promise(
            "S2.parameters.7",
            "Environment, hooks.",
            f"{F}::test_hooks_and_env_of_the_wish_are_used_and_never_stored_in_clear",
        ),
        promise(
            "S2.parameters.8",
            "Priority `low|normal|high`, timeout, labels.",
            "features/sessions/test_admission.py::test_priority_goes_first_then_who_came_first",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
        ),
        promise(
            "S2.parameters.9",
            "`project_path` defaults to the client's working directory.",
            HOWTO,
        ),
        promise(
            "S2.parameters.10",
            "Parameter names are snake_case and the same word everywhere; the documents' spellings (`query sessionId "
            "workingDirectory thinkingLevel allowedTools disallowedTools subagent backgroundTask …`) are aliases.",
            f"{F}::test_the_documents_spellings_are_understood",
        ),
    ),
)

BEHAVIOUR = Part(
    "Sessions: behaviour",
    (
        promise(
            "S2.behaviour.1",
            "Background is the normal case.",
            f"{F}::test_start_returns_at_once_with_a_handle_and_wait_follows",
        ),
        promise(
            "S2.behaviour.2",
            "A session's process stays warm after a turn for a set idle time (less when memory is short), then ends; "
            "the next message resumes it without the caller noticing.",
            f"{F}::test_a_second_message_uses_the_same_warm_process",
        ),
        promise(
            "S2.behaviour.3",
            "Admission: about as many starts at once as cores, a queue by priority, a limit on live sessions; "
            "waiting "
            "says its place.",
            "features/sessions/test_admission.py",
        ),
        promise(
            "S2.behaviour.4",
            "A session id is locked: one live process each.",
            f"{F}::test_a_session_that_is_open_elsewhere_is_not_run_twice_but_can_be_forked",
        ),
        promise(
            "S2.behaviour.5",
            "After a CLI crash the session is resumable, unsent messages are resent under their uuid, a "
            "started one is "
            "not repeated.",
            HOWTO,
            "e2e/test_bad_input.py::test_a_cli_that_dies_leaves_a_session_that_says_why",
        ),
        promise(
            "S2.behaviour.6",
            "Several results per process, background tasks and subagents are followed to the end: busy or idle comes "
            "from the session state events, not from `result`.",
            f"{F}::test_a_background_task_keeps_the_process_and_its_end_is_a_turn_of_its_own",
            f"{F}::test_a_subagent_is_followed_to_its_end",
        ),
        promise(
            "S2.behaviour.7",
            "Typed, normalised events (message, thinking, tool started/finished/denied with duration, subagent, "
            "approval, turn finished with usage and cost, retry, rate limit, compaction, state, exit).",
            "platform/claude/test_recordings.py::test_a_recorded_stream_gives_the_facts_that_are_written_down",
            "surfaces/docs/test_reference.py::test_every_event_is_documented_with_its_fields",
        ),
        promise(
            "S2.behaviour.8",
            "What we do not know is kept raw and shown.",
            "platform/claude/test_hostile_lines.py::test_unknown_types_subtypes_and_blocks_are_kept_raw",
            "surfaces/cli/test_tellers.py::test_an_unknown_kind_is_shown_compactly",
        ),
    ),
)
