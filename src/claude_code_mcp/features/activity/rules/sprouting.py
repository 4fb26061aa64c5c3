"""One record as one node, without what is in it: name, summaries, times, how it stands."""

from typing import Any, NamedTuple

from claude_code_mcp.features.activity.models import ActivityNode, NodeStatus, NodeType
from claude_code_mcp.features.activity.rules.book import AGENT_TOOLS, Book
from claude_code_mcp.features.activity.rules.merging import names_of
from claude_code_mcp.features.activity.rules.moments import Stretch, length, text_of
from claude_code_mcp.features.activity.rules.places import Group
from claude_code_mcp.features.activity.rules.records import Call, Claim, Mark, Request, Task, best
from claude_code_mcp.features.activity.rules.standing import WAITS_FOR, Stand, Standing, together

Leaf = Call | Task | Request | Mark
Thing = Group | Leaf
_MARK_TYPES = {"compaction": NodeType.COMPACTION, "retry": NodeType.RETRY, "notice": NodeType.NOTICE}
_BACKGROUND_NAMES = {"local_bash": "Shell", "shell": "Shell", "": "Task"}
Fields = dict[str, Any]
"""Fields of a node in the making: setting them one by one on the model itself takes most of the time of a tree."""
_BLANK = ActivityNode(id="", type=NodeType.TOOL, name="", status=NodeStatus.RUNNING)
_SLOW = frozenset((NodeType.TOOL, NodeType.MCP, NodeType.SUBAGENT))


class Sprout(NamedTuple):
    """A node without children, the record that it is of (None: the session), its time, to now where it goes on."""

    thing: Thing | None
    node: ActivityNode
    span: Stretch | None


class Sprouter:
    """Makes nodes of records as they stand at one moment."""

    def __init__(self, book: Book, standing: Standing, now: int, slow_ms: int) -> None:
        self.book = book
        self.standing = standing
        self.now = now
        self.slow_ms = slow_ms

    def sprout(self, thing: Thing) -> Sprout:
        """Return the node of a record."""
        if isinstance(thing, Group):
            return self._turn(thing)
        if isinstance(thing, Call):
            return self._call(thing)
        if isinstance(thing, Task):
            return self._task(thing)
        return self._request(thing) if isinstance(thing, Request) else self._mark(thing)

    def made(self, thing: Thing | None, node: Fields, stand: Stand, bits: int) -> Sprout:
        """Return a node with the times and the status that it stands with."""
        node["status"], node["closed_by"], node["error_message"] = stand.status, stand.closed_by, stand.error
        node["sources"], node["children"] = names_of(bits), []
        if stand.end is not None:
            node["ended_at"] = text_of(stand.end)
        if stand.start is None:
            return Sprout(thing, _BLANK.model_copy(update=node), None)
        node["started_at"] = text_of(stand.start)
        end = stand.end if stand.end is not None else max(self.now, stand.start)
        node["duration_ms"] = (end - stand.start) // 1000
        return Sprout(thing, _BLANK.model_copy(update=node), (stand.start, end))

    def _turn(self, group: Group) -> Sprout:
        node: Fields = {"id": turn_id(group.key), "type": NodeType.TASK, "name": turn_name(self.book, group)}
        stand = self.standing.turn(group)
        bits = 0
        for turn in group.records:
            bits |= turn.bits
        if stand.end is None and group.key in self.standing.waiting:
            stand = stand._replace(status=NodeStatus.WAITING)
            node["waiting_for"] = self.standing.waiting[group.key]
        return self.made(group, node, stand, bits)

    def _call(self, call: Call) -> Sprout:
        agent = self.standing.agent_of(call)
        opened: Claim = call.opened or (0, "", "", "", "", "")
        name = opened[5] if opened[4] else opened[1]
        sort = NodeType.MCP if opened[4] else NodeType.TOOL
        if agent is not None or name in AGENT_TOOLS:
            sort = NodeType.SUBAGENT
        node: Fields = {"id": call.id, "type": sort, "name": name or "?", "tool_use_id": call.id}
        node["agent_id"], node["mcp_server"] = call.agent_id, opened[4]
        node["description"], node["input_summary"] = opened[3], opened[2]
        node["output_summary"] = call.ended[3] if call.ended else ""
        bits = call.bits
        if agent is not None:
            self._is_agent(node, agent)
            bits |= agent.bits
        stand = self.standing.call(call)
        if stand.status is NodeStatus.WAITING:
            self._waits(node, call, opened)
        if sort in _SLOW and stand.start is not None:
            end = stand.end if stand.end is not None else self.now
            waits = together(self.standing.waits(call), self.now)
            node["slow"] = end - stand.start - length(waits) >= self.slow_ms * 1000
        return self.made(call, node, stand, bits)

    def _is_agent(self, node: Fields, agent: Task) -> None:
        about: Claim = agent.about or (0, "", "", "")
        node["name"] = about[1] or (node["name"] if node["name"] != "?" else "Agent")
        node["description"] = about[2] or node["description"] or (agent.doing[1] if agent.doing else "")
        node["input_summary"] = node["input_summary"] or about[3]
        node["agent_id"], node["background"] = agent.id, agent.background
        if agent.ended:
            node["output_summary"] = agent.ended[3] or node["output_summary"]

    def _waits(self, node: Fields, call: Call, opened: Claim) -> None:
        node["waiting_for"] = WAITS_FOR.get(opened[1], f"permission for {opened[1] or 'a tool'}")
        ours = [one.approval[1] for one in self.standing.requests_of(call) if one.approval is not None]
        node["approval_id"] = max(ours, default="")

    def _task(self, task: Task) -> Sprout:
        about: Claim = task.about or (0, "", "", "")
        name = (about[1] or "Agent") if task.subagent else _BACKGROUND_NAMES.get(about[1], about[1])
        sort = NodeType.SUBAGENT if task.subagent else NodeType.BACKGROUND
        node: Fields = {"id": task.id, "type": sort, "name": name, "background": task.background}
        node["description"], node["input_summary"] = about[2], about[3]
        node["agent_id"] = task.id if task.subagent else task.parent_agent
        node["output_summary"] = task.ended[3] if task.ended else ""
        return self.made(task, node, self.standing.task(task), task.bits)

    def _request(self, request: Request) -> Sprout:
        """Return the node of a question; all that sources tell of the question about one call are one node."""
        call = self.book.calls.get(request.call)
        same = self.standing.requests_of(call) if call is not None else [request]
        about: Claim | None = None
        decision: Claim | None = None
        bits = 0
        for one in same:
            bits |= one.bits
            about = best(about, one.about) if one.about else about
            decision = best(decision, one.decision) if one.decision else decision
        name = about[1] if about is not None and about[1] else "Permission"
        node: Fields = {"id": f"ask-{request.call or request.id}", "type": NodeType.APPROVAL, "name": name}
        node["input_summary"] = about[2] if about is not None else ""
        node["output_summary"] = decision[1] if decision is not None else ""
        node["tool_use_id"] = request.call
        stand = self.standing.request(request) if call is None else self._of_call(call, same)
        if stand.end is None:
            node["waiting_for"] = WAITS_FOR.get(name, f"permission for {name}")
            node["approval_id"] = max((one.approval[1] for one in same if one.approval is not None), default="")
        return self.made(request, node, stand, bits)

    def _of_call(self, call: Call, same: list[Request]) -> Stand:
        own = self.standing.call(call)
        waits = sorted(stretch for one in same for stretch in self.standing.asked(one, call, own))
        if not waits:
            return Stand(None, own.end, NodeStatus.COMPLETED if own.end is not None else NodeStatus.WAITING)
        start = waits[0][0]
        if not all(end for _, end in waits):
            return Stand(start, None, NodeStatus.WAITING)
        end = max(end for _, end in waits)
        refused = any(one.decision is not None and one.decision[1] == "deny" for one in same)
        if own.status is NodeStatus.DENIED or refused:
            return Stand(start, end, NodeStatus.DENIED)
        answered = any(one.done for one in same)
        if not answered and own.end is not None and own.status is not NodeStatus.COMPLETED:
            return Stand(
                start, end, own.status if own.status is not NodeStatus.FAILED else NodeStatus.COMPLETED, own.closed_by
            )
        return Stand(start, end, NodeStatus.COMPLETED)

    def _mark(self, mark: Mark) -> Sprout:
        group = self.standing.group(mark.turn)
        above = turn_id(group.key) if group is not None else self.book.session_id
        about: Claim = mark.about or (0, mark.sort, "")
        node: Fields = {"id": f"{above}/{mark.place}", "type": _MARK_TYPES[mark.sort], "name": about[1]}
        node["description"] = about[2]
        return self.made(mark, node, self.standing.mark(mark, group), mark.bits)


def turn_id(key: str) -> str:
    """Return the id of a turn's node."""
    return f"turn-{key}"


def turn_name(book: Book, group: Group) -> str:
    """Return what a turn is called: its prompt, else what began it."""
    origin: Claim | None = None
    for turn in group.records:
        origin = best(origin, turn.origin) if turn.origin else origin
    began_by = str(origin[2]) if origin is not None else ""
    if began_by == "compact":
        return "Compaction"
    words = prompt_words(book, group)
    if words or not began_by:
        return words or "Turn"
    return "Background work ended" if began_by == "task-notification" else began_by


def prompt_words(book: Book, group: Group) -> str:
    """Return the prompt that a turn is about, "" where nobody told."""
    prompt: Claim | None = None
    for turn in group.records:
        prompt = best(prompt, turn.prompt) if turn.prompt else prompt
    if prompt is not None and prompt[2]:
        return str(prompt[2])
    return next((book.prompts[uuid] for turn in group.records for uuid in turn.uuids if book.prompts.get(uuid)), "")


def session_name(book: Book, standing: Standing) -> str:
    """Return what a session is called: its title, else its first prompt."""
    if book.life.title is not None and book.life.title[1]:
        return str(book.life.title[1])
    prompts = (prompt_words(book, group) for group in standing.order)
    return next((words for words in prompts if words), f"Session {book.session_id[:8]}")
