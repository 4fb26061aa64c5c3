"""Playing whole sessions while the daemon is killed again and again, and comparing what is then known of them."""

import contextlib
import json
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from claude_code_mcp.platform.ipc.connect import Channel, open_channel
from claude_code_mcp.platform.ipc.hello import Refused
from claude_code_mcp.testing import ScriptedModel, parse_script
from tests.support.daemon import CallFailed, Json, Terminal

FAULTS = Path(__file__).parent / "faults"
SCRIPT = parse_script("""
scenarios:
  sweep:
    arg: gate
    steps:
      - {thinking: First I look., text: Looking., tools: {Bash: echo one}}
      - {text: Held., gate: "${arg}", tools: {Bash: echo two}}
      - {text: Asking., tools: {Bash: "touch ${cwd}/${arg}.txt"}}
      - {text: Delegating., agents: [{scenario: sweep-agent, background: false}]}
      - The first turn is over.
      - {text: Going on., tools: {Bash: echo three}}
      - All is over.
  sweep-agent:
    steps:
      - {text: I work., tools: {Bash: echo agent}}
      - I have worked.
""")
Story = dict[str, list[str]]
TRIES = 60
PAGES = 300
_NO_DAEMON = frozenset({"daemon_not_started", "daemon_silent"})


class Fates:
    """How long each daemon of a test lives, in steps (tests/support/faults); those after the last live for good."""

    def __init__(self, lives: Iterable[int | str], plan: Path) -> None:
        self._plan = plan
        self.spare()
        plan.write_text("".join(f"{life}\n" for life in lives))
        self.env = {"PYTHONPATH": str(FAULTS), "PYTHON_KILL_PLAN": str(plan)}

    def spare(self) -> None:
        """Let all daemons that are started from now on live."""
        self._plan.write_text("")

    def told(self) -> list[str]:
        """Return what became of the daemons so far: their steps, and how they ended."""
        told = Path(f"{self._plan}.told")
        return told.read_text().splitlines() if told.exists() else []


class Undaunted(Terminal):
    """A client that calls again when the daemon dies under its call."""

    def __init__(self, like: Terminal, fates: Fates) -> None:
        super().__init__(like.state_dir, like.env, like.cwd)
        self._fates = fates

    def insist(self, op: str, /, **args: Any) -> Json:
        """Return the reply of an operation that may be repeated."""
        for _ in range(TRIES):
            try:
                return self.call(op, **args)
            except (ConnectionError, Refused) as exc:
                self.again(exc)
        raise AssertionError(f"{op} was not answered in {TRIES} tries; {self._fates.told()}")

    def again(self, exc: Exception) -> None:
        """Return where `exc` only says that the daemon was killed."""
        self.hang_up()
        if isinstance(exc, Refused) and exc.code not in _NO_DAEMON:
            raise exc

    def _dial(self, *, start: bool) -> Channel:
        own = {**self.env, **self._fates.env}
        channel = open_channel(self.state_dir, "rpc", self.env, own_env=own, start=start)
        channel.sock.settimeout(60)
        return channel


@dataclass
class Played:
    """What was known of a session when it was over, and what the model was asked by it."""

    events: list[Json]
    approvals: list[Json]
    asked: list[tuple[str, int]]


@dataclass
class Play:
    """One session from its start to its end, whatever happens to the daemon meanwhile."""

    client: Undaunted
    model: ScriptedModel
    name: str
    session_id: str = ""
    seen: dict[int, str] = field(default_factory=dict)
    cursor: int = 0

    def run(self) -> Played:
        """Play it: a message while it works, a question, a subagent, a second turn."""
        self.session_id = self.start(f"[s:sweep:{self.name}]")
        gate = self.model.gate(self.name)
        self._follow(lambda _: gate.waiting > 0)
        steering = self._send("Steered by the host.")
        self._follow(lambda event: event["kind"] == "message.queued" and event["subject"] == steering)
        gate.release()
        self._answer()
        self._rest()
        self._send("And once more.")
        self._rest()
        events = self._events()
        approvals = self.client.insist("approvals.list", session_id=self.session_id, all=True)["items"]
        asked = self.model.seen(lambda one: one.session_id == self.session_id)
        return Played(events, approvals, [(one.scenario, one.step) for one in asked])

    def start(self, prompt: str) -> str:
        """Start a session once, however often the daemon dies meanwhile; return its id."""
        labels = {"play": self.name}
        for _ in range(TRIES):
            try:
                started = self.client.call("sessions.start", prompt=prompt, labels=labels)
                return str(started["session_id"])
            except (ConnectionError, Refused) as exc:
                self.client.again(exc)
            # A start is not repeated blindly: what was accepted is found by its label.
            found = self.client.insist("sessions.list", labels=labels)["items"]
            if found:
                return str(found[0]["session_id"])
        raise AssertionError("the session was never accepted")

    def _send(self, text: str) -> str:
        message_id = str(uuid5(NAMESPACE_URL, self.session_id + text))
        self.client.insist("sessions.send", session_id=self.session_id, prompt=text, message_id=message_id)
        return message_id

    def _follow(self, reached: Callable[[Json], bool]) -> None:
        """Read events as they come until `reached` holds for one; it is also asked when none has come for a while."""
        page: Json = {}
        for _ in range(PAGES):
            page = self.client.insist(
                "sessions.wait",
                session_id=self.session_id,
                cursor=self.cursor,
                until="event",
                wait_s=0.2,
                detail="full",
                limit=1000,
            )
            self.cursor = page["cursor"]
            for event in page["events"]:
                self._note(event)
            if any(reached(event) for event in [*page["events"], {"kind": "", "subject": ""}]):
                return
        raise AssertionError(f"it never came; the last page: {page}")

    def _note(self, event: Json) -> None:
        known = self.seen.setdefault(event["seq"], event["id"])
        assert known == event["id"], f"event {event['seq']} has another id than before"

    def _answer(self) -> None:
        waiting = self.client.insist("sessions.wait", session_id=self.session_id, until="approval", wait_s=60)
        (need,) = waiting["needs"]
        try:
            self.client.insist("approvals.answer", approval_id=need["approval_id"], decision="allow")
        except CallFailed as exc:
            if exc.code != "approval_settled":  # the answer was kept, only the reply was lost
                raise

    def _rest(self) -> None:
        done = self.client.insist("sessions.wait", session_id=self.session_id, until="idle", wait_s=60)
        assert (done["status"], (done["outcome"] or {}).get("ok")) == ("idle", True), done

    def _events(self) -> list[Json]:
        found: list[Json] = []
        more, cursor = True, 0
        while more:
            page = self.client.insist(
                "sessions.events", session_id=self.session_id, cursor=cursor, limit=1000, detail="full"
            )
            found += page["events"]
            cursor, more = page["cursor"], page["more"]
        for event in found:
            self._note(event)
        assert self.seen.keys() == {event["seq"] for event in found}, "an event that was shown is gone"
        return found


@contextmanager
def mortal(terminal: Terminal, fates: Fates) -> Generator[Undaunted]:
    """Yield a client of daemons that are killed; afterwards one that lives takes over, for whoever comes next."""
    client = Undaunted(terminal, fates)
    terminal.hang_up()
    try:
        yield client
    finally:
        fates.spare()
        client.hang_up()
        with contextlib.suppress(ConnectionError, Refused, AssertionError):
            terminal.kill_daemon()
        terminal.hang_up()
        terminal.call("daemon.status")


@contextmanager
def plays(terminal: Terminal, model: ScriptedModel, fates: Fates, names: Sequence[str]) -> Generator[list[Play]]:
    """Yield sessions to be played at once, each by a client of its own."""
    model.add(SCRIPT)
    found = [Play(Undaunted(terminal, fates), model, name) for name in names]
    with mortal(terminal, fates):
        try:
            yield found
        finally:
            for play in found:
                play.client.hang_up()


_IDS = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?:toolu|msg|req)_[0-9A-Za-z_]+|\ba[0-9a-f]{16}\b|\bplay-\w+\b|(?:/[\w.-]+)*/claude-\d+/[\w.-]+"
)
_BY_CHANCE = frozenset({"run.attached", "session.state_moved", "subagent.progressed", "background.changed"})
"""What daemons tell of their own coming (starts that came to nothing are left out too), and what Claude Code tells
only when something takes long."""
_CHANGING = ("_ms", "_usd", "_microusd", "pid", "cli_version", "run_id")
_TIMES = re.compile(r"duration_ms: \d+")


def story(events: Sequence[Json]) -> Story:
    """Return what happened in a session, by source, in a form that all plays of the script have in common."""
    names: dict[str, dict[str, str]] = {"daemon": {}, "stream": {}}
    told: Story = {"daemon": [], "stream": []}
    for event in events:
        if event["kind"] in _BY_CHANCE or event["payload"].get("outcome") == "abandoned":
            continue
        payload = {key: value for key, value in event["payload"].items() if not key.endswith(_CHANGING)}
        text = json.dumps([event["kind"], event["subject"], event.get("tool_use_id"), payload], sort_keys=True)
        told[event["source"]].append(_with_names(_TIMES.sub("", text), names[event["source"]]))
    return told


def _with_names(text: str, names: dict[str, str]) -> str:
    """Return `text` with every id replaced by the order in which it was first told of."""
    return _IDS.sub(lambda found: names.setdefault(found[0], f"<{len(names)}>"), text)
