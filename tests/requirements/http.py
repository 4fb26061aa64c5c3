"""What was promised of the one HTTP listener, and of telemetry as a source of activity."""

from tests.requirements.model import Part, promise

DOOR = "surfaces/http/test_door.py"
API = "surfaces/http/test_api.py"
EVENTS = "surfaces/http/test_events.py"
INGEST = "surfaces/http/test_ingest.py"
QUICK = "surfaces/http/test_quick.py"
DAEMON = "daemon/test_http.py"
OPERATIONS = "daemon/test_http_operations.py"
OTLP = "platform/claude/otlp/test_read.py"
REAL = "e2e/test_telemetry.py"

HTTP = Part(
    "HTTP and telemetry",
    (
        promise(
            "S3.http.hooks1",
            "Hooks of `type: http` are answered at once with an empty body, and are in the log.",
            f"{INGEST}::test_a_hook_is_answered_with_nothing",
            f"{DAEMON}::test_a_hook_that_was_answered_is_in_the_log",
            f"{QUICK}::test_whatever_is_read_the_library_reads_alike",
        ),
        promise(
            "S3.http.hooks2",
            "Hostile hooks and bodies without end harm nothing.",
            f"{DAEMON}::test_hostile_hooks_harm_nothing",
            f"{INGEST}::test_a_body_that_is_too_long_is_not_read_to_its_end",
            f"{INGEST}::test_who_is_slow_to_send_is_hung_up_on",
        ),
        promise(
            "S3.http.otlp1",
            "OTLP http/json receiver for Claude Codes with telemetry on: spans and logs as a further source, with the "
            "tool_use_id of the other sources.",
            f"{REAL}::test_a_claude_code_of_somebody_else_is_seen_by_its_telemetry",
            f"{REAL}::test_subagents_and_denials_are_seen_by_telemetry",
            f"{REAL}::test_the_time_that_a_person_took_is_seen_of_our_own_session_too",
            f"{OTLP}::test_subagents_are_linked_to_their_calls_at_any_depth",
        ),
        promise(
            "S3.http.otlp2",
            "The same telemetry twice adds nothing; values of any kind anywhere in it raise nothing.",
            f"{REAL}::test_the_same_batch_sent_again_adds_nothing",
            f"{OTLP}::test_no_value_anywhere_raises",
            f"{OTLP}::test_spans_in_batches_of_one_tell_the_same",
        ),
        promise(
            "S3.http.api1",
            "Every operation of the catalog over HTTP, with its errors; described as OpenAPI.",
            f"{API}::test_an_operation_is_called_with_json",
            f"{API}::test_an_error_says_what_to_do",
            f"{API}::test_every_operation_is_listed_and_described",
            f"{OPERATIONS}::test_what_cannot_be_done_has_the_right_status",
            f"{OPERATIONS}::test_what_changes_something_needs_the_token_and_a_post",
            "docs/test_howtos.py::test_the_page_works_as_it_stands",
        ),
        promise(
            "S3.http.events1",
            "The log as a stream with `Last-Event-ID`: nothing twice, nothing lost (attack F6: who never reads is hung "
            "up on, goes on from its cursor, and slows nobody).",
            f"{EVENTS}::test_a_broken_stream_is_taken_up_where_it_broke",
            f"{EVENTS}::test_one_who_never_reads_is_hung_up_on_and_slows_nobody",
            f"{EVENTS}::test_a_hundred_followers_get_every_event",
        ),
        promise(
            "S3.http.mcp1",
            "MCP over Streamable HTTP on the same port, both eras, with the official client.",
            f"{DAEMON}::test_the_official_client_calls_tools_with_the_token",
        ),
        promise(
            "S3.http.door1",
            "K1, K2: another `Host` is answered 421, another or null `Origin` 403 on every route, no CORS headers, "
            "a `text/plain` POST of a page 415.",
            f"{DOOR}::test_a_page_from_elsewhere_is_refused_on_every_route",
            f"{DOOR}::test_what_a_page_may_send_without_asking_is_no_request",
            f"{QUICK}::test_the_door_is_the_same_both_ways",
        ),
        promise(
            "S3.http.door2",
            "J12, J17: a token in a private file, compared in constant time, never in the address; another local user "
            "cannot post hooks without it.",
            f"{DOOR}::test_all_but_health_and_what_is_taken_in_needs_the_token",
            f"{DOOR}::test_a_process_of_another_user_is_told_from_ours",
            f"{DAEMON}::test_url_and_token_stand_in_a_private_file",
            note="The token is kept readable for the user, as the file is how the user's own programs find it.",
        ),
        promise(
            "S3.http.port1",
            "Port and token stay the same over restarts; a port that is taken is said, and the daemon goes on.",
            f"{DAEMON}::test_port_and_token_outlive_a_daemon_that_was_killed",
            f"{DAEMON}::test_a_port_that_is_taken_is_said_and_the_daemon_goes_on",
        ),
    ),
)
