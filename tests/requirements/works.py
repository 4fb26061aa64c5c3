"""What works when sessions are done, and the way there."""

from tests.requirements.model import Part, promise

DEMO = "surfaces/cli/test_demo.py"
INSTALL = "features/installations/test_installations.py"

WORKS = Part(
    "What works when this is done",
    (
        promise(
            "S2.works.1",
            "`make demo` with only Python 3.11+, git and make: the daemon, the real CLI and the scripted model run a "
            "session that writes a file, runs a command, asks for a permission and uses a subagent, live in "
            "the terminal.",
            f"{DEMO}::test_without_a_terminal_the_demo_answers_by_itself_and_cleans_up",
            "testing/test_real_cli.py::test_the_demo_writes_runs_asks_and_delegates",
        ),
        promise(
            "S2.works.2",
            "The demo's permission is answered on screen, by `--yes`, or by itself where there is no terminal.",
            f"{DEMO}::test_on_a_terminal_the_person_answers",
            f"{DEMO}::test_without_a_terminal_the_demo_answers_by_itself_and_cleans_up",
        ),
        promise(
            "S2.works.3",
            "The demo ends by printing what it did, what it cost, and what to type next; no login, no network beyond "
            "the package index.",
            f"{DEMO}::test_without_a_terminal_the_demo_answers_by_itself_and_cleans_up",
            f"{DEMO}::test_the_demo_can_be_kept_to_look_at",
        ),
        promise(
            "S2.works.4",
            "`make test` sets up and passes the whole suite; `.ci/run` calls it.",
            "house/test_repository.py::test_ci_runs_the_suite_and_nothing_else",
        ),
        promise(
            "S2.works.5",
            "`claude-code-mcp install claude-code | claude-desktop | cursor | vscode` adds the server to that "
            "client's "
            "configuration: atomic, keeps what is there, shows the diff, `--dry-run`, `uninstall`.",
            f"{INSTALL}::test_an_installation_is_written_where_the_client_looks",
            f"{INSTALL}::test_uninstalling_gives_the_file_back_byte_for_byte",
            f"{INSTALL}::test_a_dry_run_shows_the_change_and_makes_nothing",
            "features/installations/test_with_claude_code.py",
            "platform/files/test_editor.py::test_a_kill_at_any_step_leaves_the_old_or_the_new_file",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
        ),
        promise(
            "S2.works.6",
            "`python -m claude_code_mcp` is the stdio server as in the documents.",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
            "e2e/test_claude_as_client.py::test_a_model_runs_another_session_to_its_end",
        ),
        promise(
            "S2.works.7",
            "From the real `claude` CLI as MCP client, a model can call our tools and run another Claude Code "
            "session "
            "to its end.",
            "e2e/test_claude_as_client.py::test_a_model_runs_another_session_to_its_end",
            "surfaces/mcp/test_real_claude_code.py",
        ),
        promise(
            "S2.works.8",
            "`kill -9` of the relay, of the daemon, of the CLI, at any instant, at most costs the turn that the CLI "
            "itself lost.",
            "e2e/test_sessions.py::test_kill_9_of_the_daemon_costs_nothing",
            "e2e/test_claude_as_client.py::test_a_session_goes_on_when_the_client_that_started_it_is_gone",
            "e2e/test_mcp_through_relay.py::test_kill_9_of_the_relay_harms_nobody",
            "e2e/test_mcp_through_relay.py::test_the_daemon_may_die_while_a_call_waits",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
        ),
        promise(
            "S2.works.9",
            "Every line that was written is kept once, ids stay, waiting permission questions are still answerable.",
            "platform/procs/test_attach.py::test_kill_9_of_the_daemon_at_any_instant_loses_no_line_and_repeats_none",
            "e2e/test_kill_sweep.py::test_kill_9_of_the_daemon_at_any_step_leaves_the_same_story",
            "e2e/test_sessions.py::test_kill_9_of_the_daemon_costs_nothing",
        ),
    ),
)

THREAD = Part(
    "Thread first, and the foundation",
    (
        promise(
            "S2.thread.1",
            "The thinnest thread through all layers: one operation, relay, daemon, real CLI, one event in the "
            "log, its "
            "answer over MCP and in the terminal.",
            "e2e/test_sessions.py::test_a_question_gets_its_answer",
            "e2e/test_claude_as_client.py::test_a_model_runs_another_session_to_its_end",
            "surfaces/cli/test_real_session.py::test_a_run_is_watched_to_its_end",
        ),
        promise(
            "S2.foundation.1",
            "`pyproject.toml`, locked; ruff, mypy strict, import-linter, pre-commit, `Makefile`, `.ci/run`, "
            "MIT licence, "
            "README, CHANGELOG, CONTRIBUTING, `docs/`.",
            "house/test_repository.py::test_the_repository_has_what_it_promises",
            "house/test_repository.py::test_every_dependency_is_locked_by_hash",
            note="Locked by requirements files with hashes, see docs/adr/0006.",
        ),
        promise(
            "S2.foundation.2",
            "Layers and rooms as designed, with the house tests that enforce them.",
            "house/test_house.py",
            note="The import contracts are checked by lint-imports in `make check`.",
        ),
        promise(
            "S2.foundation.3",
            "Structured logs to stderr and a rotating file, `LOG_LEVEL`, `CLAUDE_MCP_DEBUG`.",
            "platform/logs/test_logs.py",
            "platform/settings/test_settings.py::test_debug_wins_over_the_log_level",
        ),
        promise(
            "S2.foundation.4",
            "Configuration: flags > environment > `config.toml` > defaults, one frozen object.",
            "platform/settings/test_settings.py::test_a_flag_is_before_the_environment_before_the_file",
            "platform/settings/test_settings.py::test_settings_cannot_be_changed",
        ),
        promise(
            "S2.foundation.5",
            "`claude-code-mcp config show` tells each value's origin.",
            "surfaces/cli/test_own_commands.py::test_config_show_tells_value_origin_and_meaning",
        ),
        promise(
            "S2.foundation.6",
            "The names of the documents are honoured: `CLAUDE_CODE_BINARY`, `CLAUDE_DEFAULT_MODEL`, "
            "`CLAUDE_MCP_DEBUG`, "
            "`DEFAULT_WORKING_DIRECTORY`, `DEFAULT_ALLOWED_TOOLS`, `MAX_CONCURRENT_SESSIONS` (100), "
            "`SESSION_TIMEOUT_MS` (24 h), `LOG_LEVEL`.",
            "platform/settings/test_settings.py::test_names_in_the_environment_are_honoured",
            "platform/settings/test_settings.py::test_nothing_set_gives_the_defaults",
            "e2e/test_session_features.py::test_settings_of_the_client_hold_for_its_sessions",
        ),
    ),
)
