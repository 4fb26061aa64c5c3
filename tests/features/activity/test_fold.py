"""What is one node, where it hangs, and how it counts as ended when its end was not seen."""

import pytest

from claude_code_mcp.features.activity.models import Lifecycle, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.view import View
from claude_code_mcp.features.approvals.events import ApprovalAnswered, ApprovalOpened
from claude_code_mcp.features.sessions.events import RunExited, RunStarted
from claude_code_mcp.platform.claude import facts
from tests.features.activity.telling import Story


def ended(status: NodeStatus, closed_by: str) -> tuple[NodeStatus, str]:
    return status, closed_by


def how(story: Story, node_id: str) -> tuple[NodeStatus, str]:
    node = story.node(node_id)
    return node.status, node.closed_by


def test_a_question_of_a_hook_belongs_to_the_open_call_with_the_same_input() -> None:
    story = Story().prompt(0).begin(10, "t1", digest="a").begin(11, "t2", digest="b")
    story.tell(20, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="a"))
    assert story.node("t1").status is NodeStatus.WAITING
    assert story.node("t1").waiting_for == "permission for Bash"
    assert story.node("t2").status is NodeStatus.RUNNING
    assert [child.type for child in story.node("t1").children] == [NodeType.APPROVAL]


def test_a_question_of_a_hook_with_another_input_belongs_to_the_last_open_call_of_its_tool() -> None:
    story = Story().prompt(0).begin(10, "t1", digest="a").begin(11, "t2", digest="b").begin(12, "t3", "Read")
    story.begin(13, "t4", agent="x")
    story.tell(20, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="c"))
    assert [story.node(call).status.value for call in ("t1", "t2", "t3", "t4")] == [
        "running", "waiting", "running", "running",
    ]  # fmt: skip


def test_a_question_of_a_subagent_belongs_to_a_call_of_that_subagent() -> None:
    story = Story().prompt(0).begin(10, "t1", digest="a").begin(11, "t2", digest="a", agent="x")
    story.tell(20, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="a"), agent="x")
    assert story.node("t2").status is NodeStatus.WAITING
    assert story.node("t1").status is NodeStatus.RUNNING


def test_a_question_of_ours_can_be_answered_by_its_id_until_it_is() -> None:
    story = Story().tell(0, facts.TurnStarted(turn=1), source="stream")
    story.tell(5, facts.ToolStarted(name="Bash"), source="stream", call="t1")
    story.tell(10, facts.ApprovalAsked(request_id="r1", name="Bash"), source="stream", call="t1")
    story.tell(11, ApprovalOpened(approval_id="a1", request_id="r1", tool="Bash", question="x"), source="daemon")
    assert (story.node("t1").approval_id, story.node("ask-t1").approval_id) == ("a1", "a1")
    assert story.fold.summary(story.now()).status is Lifecycle.PAUSED
    assert story.fold.summary(story.now()).waiting_for == "permission for Bash"
    story.tell(500, ApprovalAnswered(approval_id="a1", decision="allow", by="me", tool="Bash"), source="daemon")
    asked = story.node("ask-t1")
    assert (asked.status, asked.duration_ms, asked.output_summary) == (NodeStatus.COMPLETED, 490, "allow")
    assert story.node("t1").status is NodeStatus.RUNNING


def test_the_question_about_one_call_is_one_node_whoever_saw_it() -> None:
    story = Story().prompt(0).begin(10, "t1", digest="a")
    story.tell(11, facts.ToolStarted(name="Bash"), source="stream", call="t1")
    story.tell(12, facts.ApprovalAsked(request_id="r1", name="Bash"), source="stream", call="t1")
    story.tell(13, facts.ApprovalAsked(request_id="hook:1", name="Bash", input_digest="a"))
    story.tell(60, facts.ApprovalWithdrawn(request_id="r1"), source="stream")
    (asked,) = story.node("t1").children
    assert (asked.sources, asked.duration_ms) == (["stream", "hook"], 48)


def test_a_question_to_the_person_waits_from_its_beginning() -> None:
    story = Story().prompt(0).begin(10, "t1", "AskUserQuestion")
    assert (story.node("t1").status, story.node("t1").waiting_for) == (NodeStatus.WAITING, "an answer")
    (turn,) = story.root().children
    assert (turn.status, turn.waiting_for) == (NodeStatus.WAITING, "an answer")


def test_what_a_turn_left_open_is_closed_with_it() -> None:
    story = Story().prompt(0).begin(10, "t1").tell(50, facts.TurnStopped(prompt_id="p1"))
    assert how(story, "t1") == ended(NodeStatus.ABANDONED, "turn_end")
    assert story.node("t1").duration_ms == 40


@pytest.mark.parametrize(
    ("question", "decision", "status"),
    [
        ("Bash", "", NodeStatus.DENIED),
        ("Bash", "deny", NodeStatus.DENIED),
        ("Bash", "allow", NodeStatus.ABANDONED),
        ("Elicitation", "", NodeStatus.ABANDONED),
    ],
)
def test_what_was_asked_about_and_left_out_by_its_turn_was_refused(
    question: str, decision: str, status: NodeStatus
) -> None:
    story = Story().prompt(0).begin(10, "t1", digest="a")
    story.tell(12, facts.ApprovalAsked(request_id="r1", name=question, input_digest="a"), call="t1")
    if decision:
        story.tell(15, ApprovalOpened(approval_id="a1", request_id="r1", tool="Bash", question="x"), source="daemon")
        story.tell(20, ApprovalAnswered(approval_id="a1", decision=decision, by="me", tool="Bash"), source="daemon")
    story.tell(50, facts.TurnStopped(prompt_id="p1"))
    assert how(story, "t1") == ended(status, "turn_end")
    assert story.tell(60, facts.ToolFinished(name="Bash"), call="t1").node("t1").status is NodeStatus.COMPLETED


def test_what_an_interrupted_turn_left_open_is_interrupted() -> None:
    story = Story().prompt(0).begin(10, "t1").tell(50, facts.TurnStopped(prompt_id="p1", interrupted=True))
    assert how(story, "t1") == ended(NodeStatus.INTERRUPTED, "turn_end")


def test_a_turn_without_an_end_is_closed_by_the_next_prompt() -> None:
    story = Story().prompt(0).begin(10, "t1").prompt(90, "p2")
    assert how(story, "turn-p1") == ended(NodeStatus.ABANDONED, "next_prompt")
    assert how(story, "t1") == ended(NodeStatus.ABANDONED, "next_prompt")
    assert story.node("turn-p2").status is NodeStatus.RUNNING


@pytest.mark.parametrize(
    ("fact", "source", "word"),
    [
        (facts.SessionClosed(reason="other"), "hook", "session_end"),
        (facts.ProcessGone(pid=1), "daemon", "process_death"),
        (facts.ConversationReset(trigger="clear"), "stream", "session_end"),
        (facts.SessionOpened(how="resume"), "hook", "process_death"),
        (RunExited(run_id="run", outcome="exited", code=0), "daemon", "session_end"),
        (RunExited(run_id="run", outcome="killed", signal=9), "daemon", "process_death"),
    ],
)
def test_the_end_of_a_process_closes_all_that_is_open_background_work_too(
    fact: facts.SessionClosed, source: str, word: str
) -> None:
    story = Story().prompt(0).begin(10, "t1", "Agent").begin(20, "t2")
    story.tell(21, facts.AgentLinked(agent_type="Explore"), call="t1", agent="x").begin(30, "t3", agent="x")
    story.tell(40, facts.ToolFinished(name="Bash", started_task_id="b1"), call="t2")
    story.tell(41, facts.TaskStarted(task_id="b1", task_type="local_bash", background=True), call="t2")
    story.tell(100, fact, source=source)
    for open_ in ("turn-p1", "t1", "t3", "b1"):
        assert how(story, open_) == ended(NodeStatus.ABANDONED, word)
    assert story.node("t2").status is NodeStatus.COMPLETED


def test_what_begins_after_a_process_ended_is_not_closed_by_it() -> None:
    story = Story().prompt(0).tell(10, facts.SessionClosed()).tell(20, facts.SessionOpened(how="resume"))
    story.prompt(30, "p2").begin(40, "t1")
    assert story.node("t1").status is NodeStatus.RUNNING
    assert how(story, "turn-p1") == ended(NodeStatus.ABANDONED, "session_end")


def test_an_end_that_is_seen_at_last_wins_over_what_closed_the_call() -> None:
    story = Story().prompt(0).begin(10, "t1").tell(50, facts.ProcessGone(pid=1), source="daemon").end(60, "t1")
    assert how(story, "t1") == ended(NodeStatus.COMPLETED, "")


def test_background_work_lives_past_its_turn_below_the_call_that_launched_it() -> None:
    story = Story().prompt(0).begin(10, "t1")
    story.tell(20, facts.ToolFinished(name="Bash", started_task_id="b1"), call="t1")
    story.tell(20, facts.TaskStarted(task_id="b1", task_type="local_bash", background=True), call="t1")
    story.tell(30, facts.TurnStopped(prompt_id="p1", background=1))
    (task,) = story.node("t1").children
    assert (task.type, task.status, task.background) == (NodeType.BACKGROUND, NodeStatus.RUNNING, True)
    assert story.fold.summary(story.now()).status is Lifecycle.ACTIVE
    story.tell(900, facts.TaskFinished(task_id="b1", status="completed"))
    assert story.node("b1").duration_ms == 880


def test_a_command_that_merely_takes_long_is_no_node_of_its_own() -> None:
    story = Story().prompt(0).begin(10, "t1")
    story.tell(20, facts.TaskStarted(task_id="b1", task_type="local_bash"), source="stream", call="t1")
    assert story.node("t1").children == []


def test_a_subagent_and_its_call_are_one_node_once_they_are_linked() -> None:
    story = Story().prompt(0).begin(10, "t1", "Agent")
    story.tell(20, facts.SubagentStarted(task_id="x", agent_type="Explore"), agent="x").begin(
        30, "t2", "Read", agent="x"
    )
    assert [child.id for child in story.root().children[0].children] == ["t1", "x"]
    story.tell(40, facts.AgentLinked(agent_type="Explore", description="look"), call="t1", agent="x")
    (agent,) = story.root().children[0].children
    assert (agent.id, agent.type, agent.name, agent.description) == ("t1", NodeType.SUBAGENT, "Explore", "look")
    assert [child.id for child in agent.children] == ["t2"]
    assert story.node("x").id == "t1"
    assert story.fold.path("t2")[-2:] == ("t1", "t2")


def test_the_end_of_a_subagent_that_never_began_is_nothing() -> None:
    story = Story().prompt(0).tell(20, facts.SubagentFinished(task_id="ghost", status="completed"), agent="ghost")
    assert story.root().children[0].children == []
    assert story.fold.summary(story.now()).metrics.total_subagents == 0


def test_a_background_subagent_goes_on_after_its_call_has_its_answer() -> None:
    story = Story().prompt(0).begin(10, "t1", "Agent")
    story.tell(20, facts.ToolFinished(name="Agent", started_task_id="x"), call="t1")
    story.tell(21, facts.SubagentStarted(task_id="x", agent_type="Explore", background=True), agent="x")
    story.tell(30, facts.TurnStopped(prompt_id="p1", background=1))
    assert (story.node("t1").status, story.node("t1").background) == (NodeStatus.RUNNING, True)
    story.tell(80, facts.SubagentFinished(task_id="x", status="completed", summary="seen"), agent="x")
    assert (story.node("t1").status, story.node("t1").duration_ms) == (NodeStatus.COMPLETED, 70)


def test_a_prompt_that_a_running_turn_takes_in_begins_none() -> None:
    story = Story().prompt(0).tell(10, facts.PromptTaken(prompt_id="p1", text="more", absorbed=True)).begin(20, "t1")
    story.tell(30, facts.PromptTaken(prompt_id="p1", text="<task-notification>"))
    (turn,) = story.root().children
    assert (turn.name, [child.id for child in turn.children]) == ("Fix the test", ["t1"])


def test_a_turn_of_a_stream_is_that_of_the_prompt_whose_message_it_names() -> None:
    story = Story().tell(5, facts.TurnStarted(turn=1, message_uuids=("u2",)), source="stream")
    assert story.root().children[0].id == "turn-run-1"
    story.tell(2, facts.PromptTaken(prompt_id="p1", message_uuid="u1", text="one"), source="transcript")
    story.tell(4, facts.PromptTaken(prompt_id="p2", message_uuid="u2", text="two"), source="transcript")
    assert [turn.id for turn in story.root().children] == ["turn-p1", "turn-p2"]
    assert story.node("turn-run-1").id == "turn-p2"
    assert story.node("turn-p2").sources == ["stream", "transcript"]


def test_turns_that_share_a_call_are_one_however_far_apart_they_seem() -> None:
    story = Story().prompt(0).begin(10, "t1")
    story.tell(3_600_000, facts.TurnStarted(turn=1), source="stream")
    assert len(story.root().children) == 2
    story.tell(3_600_001, facts.ToolStarted(name="Bash"), source="stream", call="t1")
    assert [turn.id for turn in story.root().children] == ["turn-p1"]


def test_turns_that_share_nothing_are_paired_by_time() -> None:
    story = Story().prompt(0, "p1").prompt(5000, "p2")
    story.tell(20, facts.TurnStarted(turn=1), source="stream").tell(5020, facts.TurnStarted(turn=2), source="stream")
    assert [turn.id for turn in story.root().children] == ["turn-p1", "turn-p2"]
    assert story.node("turn-run-2").id == "turn-p2"


def test_a_denial_that_only_the_result_tells_is_a_denied_call() -> None:
    story = Story().tell(0, facts.TurnStarted(turn=1), source="stream")
    denial = facts.Denial(name="Bash", tool_use_id="t9", summary="rm -rf")
    story.tell(50, facts.TurnFinished(turn=1, ok=True, denials=(denial,)), source="stream")
    (call,) = story.root().children[0].children
    assert (call.id, call.status, call.input_summary) == ("t9", NodeStatus.DENIED, "rm -rf")
    assert story.fold.summary(story.now()).metrics.denied_count == 1


def test_the_tries_of_one_call_to_the_api_are_one_node() -> None:
    story = Story().prompt(0)
    for attempt in (1, 2, 3):
        story.tell(attempt * 100, facts.ApiRetried(attempt=attempt, max_retries=10, delay_ms=50, status=529, error="x"))
    (retry,) = story.root().children[0].children
    assert (retry.type, retry.name, retry.duration_ms) == (NodeType.RETRY, "API retry 3/10", 250)


def test_a_circle_of_subagents_harms_nothing() -> None:
    story = Story().prompt(0)
    for call, agent, inside in (("t1", "x", "y"), ("t2", "y", "x")):
        story.begin(10, call, "Agent", agent=inside).tell(20, facts.AgentLinked(), call=call, agent=agent)
    assert story.root().id
    assert story.fold.summary(story.now()).id
    assert story.fold.path("t1")


def test_a_chain_deeper_than_any_real_one_harms_nothing() -> None:
    story = Story().prompt(0).begin(1, "t0", "Agent").tell(1, facts.AgentLinked(), call="t0", agent="x0")
    for depth in range(1, 300):
        story.begin(depth, f"t{depth}", "Agent", agent=f"x{depth - 1}")
        story.tell(depth, facts.AgentLinked(), call=f"t{depth}", agent=f"x{depth}")
    assert story.root().model_dump_json()
    assert story.fold.path("t299")


def test_a_session_lives_as_long_as_a_process_is_known_to_work_on_it() -> None:
    story = Story().tell(0, RunStarted(run_id="run", binary="x", cli_version="2", pid=7), source="daemon")
    told = story.fold.summary(story.now())
    assert (told.live, told.ours, told.pid) == (True, True, 7)
    story.tell(10, RunExited(run_id="run", outcome="exited", code=0), source="daemon")
    assert (story.fold.summary(story.now()).live, story.fold.summary(story.now()).pid) == (False, None)


def test_a_transcript_alone_says_of_no_process_that_it_lives() -> None:
    story = Story().tell(0, facts.SessionOpened(cwd="/home/dev"), source="transcript")
    story.tell(5, facts.PromptTaken(prompt_id="p1", text="x"), source="transcript")
    assert not story.fold.summary(story.now()).live


def test_a_view_leaves_out_and_counts() -> None:
    story = Story().prompt(0).begin(10, "t1").end(12, "t1").begin(20, "t2").end(900, "t2").begin(910, "t3")
    story.tell(915, facts.ToolFailed(name="Bash", output="bad"), call="t4")
    turn = story.root(View(max_depth=1)).children[0]
    assert (turn.children, turn.hidden) == ([], 4)
    turn = story.root(View(include_completed=False)).children[0]
    assert ([child.id for child in turn.children], turn.hidden) == (["t3"], 3)
    turn = story.root(View(collapse_fast_ms=100)).children[0]
    assert ([child.id for child in turn.children], turn.hidden) == (["t2", "t3", "t4"], 1)
    slow = {child.id for child in story.root(View(slow_ms=500)).children[0].children if child.slow}
    assert slow == {"t2"}


def test_only_what_changed_is_told_after_a_mark() -> None:
    story = Story().prompt(0).begin(10, "t1").begin(11, "t2")
    mark = story.fold.mark
    assert story.fold.changed_since(mark) == []
    story.end(20, "t1").begin(30, "t3")
    assert story.fold.changed_since(mark) == ["t1", "t3"]
    assert (story.fold.born_after("t1", mark), story.fold.born_after("t3", mark)) == (False, True)


def test_the_slowest_calls_of_a_turn_and_of_the_session_are_named() -> None:
    story = Story().prompt(0, "p1").begin(10, "t1").end(500, "t1").tell(510, facts.TurnStopped(prompt_id="p1"))
    story.prompt(600, "p2")
    for number, took in enumerate((20, 700, 80, 40)):
        story.begin(1000 * number + 700, f"s{number}", "Read").end(1000 * number + 700 + took, f"s{number}", "Read")
    told = story.fold.summary(story.now()).times.slowest
    assert [(call.id, call.name, call.ms) for call in told] == [
        ("s1", "Read", 700),
        ("t1", "Bash", 490),
        ("s2", "Read", 80),
    ]
    turn = story.node("turn-p2")
    assert turn.times is not None
    assert [call.id for call in turn.times.slowest] == ["s1", "s2", "s3"]


def test_a_session_of_which_nothing_is_known_has_an_empty_tree() -> None:
    story = Story()
    root, told = story.root(), story.fold.summary(story.now())
    assert (root.children, root.started_at, root.status) == ([], None, NodeStatus.COMPLETED)
    assert (told.status, told.live, story.fold.changed_since(0)) == (Lifecycle.COMPLETED, False, [])


def test_a_session_that_waits_for_its_first_prompt_is_paused() -> None:
    story = Story().tell(0, facts.SessionOpened(how="startup", pid=7))
    assert story.fold.summary(story.now()).status is Lifecycle.PAUSED


def test_a_session_whose_hooks_speak_lives_until_they_say_that_it_ends() -> None:
    story = Story().prompt(0).tell(10, facts.TurnStopped(prompt_id="p1"))
    assert story.fold.summary(story.now()).live
    assert not story.tell(20, facts.SessionClosed(reason="other")).fold.summary(story.now()).live
