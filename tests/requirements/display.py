"""What issue 3 promises about the display, and what shows it."""

from tests.requirements.model import Part, promise

KEYS = "surfaces/tui/test_keys.py"
SCREENS = "surfaces/tui/test_screens.py"
REAL = "surfaces/tui/test_real_machine.py"
TERMINAL = "surfaces/tui/test_terminal.py"
PLAIN = "surfaces/tui/test_plain.py"
STATUS = "surfaces/tui/test_statusline.py"
HOWTO = "docs/test_howtos.py::test_the_page_works_as_it_stands"

DISPLAY = Part(
    "Activity: the display",
    (
        promise(
            "S3.display.watch1",
            "`watch` shows at once, with no set-up, every live session and its tree; past ones too.",
            f"{REAL}::test_every_session_is_seen_answered_and_followed_through_a_killed_daemon",
            f"{KEYS}::test_past_sessions_come_and_go",
            HOWTO,
        ),
        promise(
            "S3.display.watch2",
            "Sessions on the left: project, name, state, what it waits for, elapsed, cost; 50 of them.",
            f"{SCREENS}::test_the_screen_is_as_stored",
            f"{SCREENS}::test_fifty_sessions_are_listed_and_reached",
            "surfaces/tui/test_rows.py::test_who_waits_is_first_then_who_works_then_who_lives_then_the_newest",
        ),
        promise(
            "S3.display.watch3",
            "The tree on the right in the document's style, spinners, slow ones marked, errors red with their detail.",
            f"{SCREENS}::test_the_screen_is_as_stored",
            "surfaces/tui/test_rows.py::test_the_line_is_as_the_document_writes_it",
            f"{KEYS}::test_an_error_is_shown_whole_on_wish",
            f"{KEYS}::test_details_show_input_and_output_with_nothing_in_them_acting",
        ),
        promise(
            "S3.display.watch4",
            "Filter, search, follow, jump to what waits, answer an approval, stop a session, open the transcript.",
            KEYS,
            f"{TERMINAL}::test_a_question_is_answered_on_the_terminal",
            f"{TERMINAL}::test_the_transcript_goes_to_the_persons_pager_and_back",
        ),
        promise(
            "S3.display.watch5",
            "80x24, 16 colours, no emoji, NO_COLOR, resize; works over ssh.",
            f"{SCREENS}::test_only_the_sixteen_colours_are_used",
            f"{SCREENS}::test_a_terminal_with_ascii_only_is_sent_nothing_else",
            f"{SCREENS}::test_no_color_leaves_no_colour",
            f"{SCREENS}::test_a_resize_lays_everything_out_anew",
            TERMINAL,
            note="Shown on a pseudo-terminal; over ssh itself it was not run.",
        ),
        promise(
            "S3.display.watch6",
            "A daemon that dies and returns is survived, and said.",
            f"{REAL}::test_every_session_is_seen_answered_and_followed_through_a_killed_daemon",
            f"{SCREENS}::test_a_daemon_that_dies_and_comes_back_is_followed_on",
            "surfaces/tui/test_link.py::test_a_lost_connection_is_told_and_made_anew",
        ),
        promise(
            "S3.display.watch7",
            "Large trees stay responsive.",
            f"{SCREENS}::test_ten_thousand_nodes_are_moved_in_without_waiting",
            f"{SCREENS}::test_a_nesting_of_a_hundred_levels_is_drawn",
        ),
        promise(
            "S3.display.hostile",
            "Output of tools is hostile: escape sequences are made visible, bidi neutralised, no markup interpreted.",
            f"{SCREENS}::test_hostile_words_do_nothing_and_are_seen",
            "surfaces/tui/test_rows.py::test_each_line_fills_its_cells_exactly_and_nothing_in_it_acts",
            f"{STATUS}::test_any_values_give_one_line_in_which_nothing_acts",
        ),
        promise(
            "S3.display.plain",
            "`watch --plain` streams lines when piped; `--json` update records `append|update|replace` with `line_id`.",
            PLAIN,
            f"{REAL}::test_a_pipe_gets_lines_as_things_happen_and_records_on_wish",
        ),
        promise(
            "S3.display.tree",
            "`tree` prints once, with depth, without completed, as JSON.",
            f"{PLAIN}::test_tree_prints_the_tree_once",
            f"{REAL}::test_tree_prints_what_happened",
        ),
        promise(
            "S3.display.settings",
            "Settings of the display (timings, errors) hold on the screen; depth and folding are the daemon's.",
            f"{SCREENS}::test_settings_of_the_display_hold",
        ),
        promise(
            "S3.display.statusline1",
            "`statusline`: session, active tool, time, cost; without a daemon what Claude Code tells.",
            STATUS,
            f"{REAL}::test_the_status_line_names_the_tool_that_runs",
        ),
        promise(
            "S3.display.statusline2",
            "Under 30 ms.",
            f"{STATUS}::test_it_imports_next_to_nothing",
            f"{STATUS}::test_a_daemon_that_does_not_answer_holds_it_up_for_15_ms_at_most",
            note="Measured by hand: 18 ms whole without a daemon. No test holds the figure, machines differ.",
        ),
        promise(
            "S3.display.statusline3",
            "`statusline install` never replaces the person's own line unasked.",
            f"{STATUS}::test_a_status_line_of_the_persons_own_is_never_replaced_unasked",
            f"{STATUS}::test_it_is_installed_and_taken_out_again_and_the_rest_stays",
        ),
    ),
)
