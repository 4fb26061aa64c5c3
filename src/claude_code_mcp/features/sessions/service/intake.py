"""Taking wishes in: which session is meant, what is kept of the wish, and off to the queue."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from claude_code_mcp.features.projects.models import Standing
from claude_code_mcp.features.projects.service import Projects
from claude_code_mcp.features.sessions import store
from claude_code_mcp.features.sessions.errors import SessionNotFound
from claude_code_mcp.features.sessions.events import SessionStarted
from claude_code_mcp.features.sessions.models import (
    ConversationPlace,
    ForkSession,
    LaunchWish,
    Message,
    Origin,
    Priority,
    Session,
    SessionHandle,
    SessionState,
    StartSession,
    Steering,
)
from claude_code_mcp.features.sessions.rules import wishes
from claude_code_mcp.features.sessions.rules.options import options
from claude_code_mcp.features.sessions.service.changes import apply, tell
from claude_code_mcp.features.sessions.service.foreign import Foreign, refuse_when_busy
from claude_code_mcp.features.sessions.service.ledger import Ledger
from claude_code_mcp.features.sessions.service.observers import StartingPoint
from claude_code_mcp.features.sessions.service.supervisor import Supervisor
from claude_code_mcp.kernel.caller import Caller
from claude_code_mcp.kernel.clock import stamp
from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.kernel.events import Fact
from claude_code_mcp.kernel.ids import SessionId, session_id, uuid7
from claude_code_mcp.platform.claude.environment import for_run
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.launch import plan
from claude_code_mcp.platform.eventlog.log import last_seq
from claude_code_mcp.platform.settings.model import Settings
from claude_code_mcp.platform.settings.sources import for_client
from claude_code_mcp.platform.vault import Vault

PATIENT_S = 1500.0
PRIVATE = frozenset({"env", "mcp_config", "settings", "hooks"})
"""Parts of a wish that may hold secrets: kept in 0600 files, never in the database."""


class Intake:
    """Turns requests into rows and tells the supervisor."""

    def __init__(
        self,
        ledger: Ledger,
        supervisor: Supervisor,
        projects: Projects,
        foreign: Foreign,
        vault: Vault,
        settings: Settings,
    ) -> None:
        self._ledger = ledger
        self._supervisor = supervisor
        self._projects = projects
        self._foreign = foreign
        self._vault = vault
        self._settings = settings

    def wait_s(self, wished: float | None, caller: Caller) -> float:
        """Return how long this caller may be kept waiting."""
        if caller.patient:
            return PATIENT_S
        return for_client(self._settings, caller.env).wait_default_s if wished is None else wished

    async def earlier(self, wish: StartSession, caller: Caller) -> Session | None:
        """Return the session that a wish names to go on with, or None for a new one.

        Raises:
            SessionNotFound: it names one that nobody knows.
        """
        if wish.session_id is not None:
            return await self.adopted(wish.session_id, caller, even_if_busy=wish.fork)
        if not wish.continue_last:
            return None
        project = self._projects.locate(wish.project_path, caller)
        newest = self._foreign.newest(project, caller)
        ours = self._ledger.database.read(lambda db: store.sessions(db, project_path=str(project)))
        if ours and (newest is None or newest == ours[0].conversation_id):
            return ours[0]
        return await self.adopted(newest, caller, even_if_busy=wish.fork) if newest is not None else None

    async def adopted(self, wanted: str, caller: Caller, *, even_if_busy: bool = False) -> Session:
        """Return the session with this id; one that Claude Code knows and we do not becomes ours.

        Raises:
            Invalid: it is no session id.
            SessionNotFound: nobody knows it.
            SessionBusyElsewhere: a process that is not ours runs it.
        """
        wanted_id = session_id(wanted)
        found = self._ledger.database.read(lambda db: store.session(db, wanted_id))
        if not even_if_busy and (found is None or found.run_id is None):
            refuse_when_busy(found.conversation_id if found else wanted_id, caller.env)
        if found is not None:
            return found
        past = self._foreign.past(wanted_id, caller)
        if past is None:
            raise SessionNotFound(f"There is no session {wanted_id}.", remedy="session_list shows the known ones.")
        project = self._projects.locate(past.cwd, caller)
        session = self._new(wanted_id, project, Origin.ADOPTED, await self._projects.standing(project, caller.env))
        session.title, session.state = past.title, SessionState.IDLE
        await self._ledger.accept(session, None, [_started(session)])
        return session

    async def begin(self, wish: StartSession, text: str, caller: Caller) -> SessionHandle:
        """Keep a new session and its first message; its process starts when there is a place.

        Raises:
            ProjectNotFound: there is no such folder.
            ProjectNotADirectory: it is a file.
        """
        project = self._projects.locate(wish.project_path, caller)
        if wish.trust_project:
            await self._projects.trust(project, caller.env)
        standing = await self._projects.standing(project, caller.env)
        session = self._new(SessionId(uuid7()), project, Origin.STARTED, standing)
        self._shape(session, wish, caller)
        session.priority = wishes.RANK[wish.priority]
        session.title, session.labels = wish.title, dict(wish.labels)
        return await self._enqueue(session, wish, text, caller)

    async def fork(
        self,
        original: Session,
        wish: StartSession | ForkSession,
        text: str | None,
        cut: StartingPoint,
        caller: Caller,
    ) -> SessionHandle:
        """Keep a copy of `original`, cut after a message where one is named, to be run in the folder that is named;
        Claude Code makes it when the copy's process starts."""
        project = Path(cut.project_path)
        if isinstance(wish, StartSession) and wish.trust_project:
            await self._projects.trust(project, caller.env)
        standing = await self._projects.standing(project, caller.env)
        session = self._new(SessionId(uuid7()), project, Origin.FORKED, standing)
        session.launch = dict(original.launch)
        if cut.project_path != original.project_path:
            session.launch.pop("worktree", None)
        if isinstance(wish, StartSession):
            self._shape(session, wish, caller)
        session.launch["fork_from"] = {"conversation": original.conversation_id, "at": cut.message_uuid}
        session.parent_id, session.priority = original.id, original.priority
        session.title = wish.title
        self._vault.copy(original.id, session.id)
        return await self._enqueue(session, None, text, caller)

    async def start_at(self, wish: StartSession, point: StartingPoint, caller: Caller) -> SessionHandle:
        """Start a session at a point: a copy where a conversation had begun there, else a new one."""
        text = wishes.prompt(wish.prompt)
        if point.session_id is None or point.message_uuid is None:
            return await self.begin(wish.model_copy(update={"project_path": point.project_path}), text, caller)
        original = await self.adopted(point.session_id, caller, even_if_busy=True)
        return await self.fork(original, wish, text, point, caller)

    async def copy_at(self, point: StartingPoint, title: str | None, caller: Caller) -> SessionHandle | None:
        """Copy a point's conversation into a session without a message; None where there is nothing to copy."""
        if point.session_id is None or point.message_uuid is None:
            return None
        original = await self.adopted(point.session_id, caller, even_if_busy=True)
        return await self.fork(original, ForkSession(session_id=original.id, title=title), None, point, caller)

    async def go_on(self, session: Session, wish: LaunchWish, text: str | None, caller: Caller) -> SessionHandle:
        """Send the next message to a session, with what the wish changes about its process."""
        if getattr(wish, "trust_project", False):
            await self._projects.trust(Path(session.project_path), caller.env)
        asked = wishes.launch(wish)
        if asked:
            await self._reshape(session, asked, caller)
        message = wishes.message(session.id, text, Steering.NEXT, None) if text is not None else None
        if message is not None:
            session, message, _ = await self.submit(session, message, caller)
        return self._handle(session, message, self._ledger.database.read(lambda db: last_seq(db, session.id)) - 1)

    async def submit(self, session: Session, message: Message, caller: Caller) -> tuple[Session, Message, bool]:
        """Keep a message and see to it that it is delivered."""
        message.created_at = stamp(self._ledger.clock.now())
        self._vault.put(session.id, {"env": dict(caller.env)})
        session, message, known = await self._ledger.submit(message)
        self._supervisor.serve(session.id)
        return session, message, known

    async def _enqueue(
        self, session: Session, wish: StartSession | None, text: str | None, caller: Caller
    ) -> SessionHandle:
        message = wishes.message(session.id, text, Steering.NEXT, None) if text is not None else None
        if message is not None:
            message.created_at = session.created_at
        private = {name: value for name, value in wishes.launch(wish).items() if name in PRIVATE} if wish else {}
        # Before the row: a session that is known must find what it is to run with.
        self._vault.put(session.id, {"env": dict(caller.env), "wish": private} if wish else {"env": dict(caller.env)})
        cursor = await self._ledger.accept(session, message, [_started(session)])
        self._supervisor.serve(session.id)
        return self._handle(session, message, cursor)

    def place(self, session: Session) -> ConversationPlace:
        """Return where a session's conversation is: its own transcript, or that of what it is a copy of."""
        home = ClaudeHome.of(self._vault.get(session.id).get("env") or {})
        own = home.find_transcript(session.conversation_id)
        origin = session.launch.get("fork_from")
        borrowed = own is None and origin is not None
        conversation = origin["conversation"] if borrowed and origin else session.conversation_id
        return ConversationPlace(
            session.id,
            session.project_path,
            conversation,
            home.find_transcript(conversation) if borrowed else own,
            borrowed,
            origin.get("at") if borrowed and origin else None,
            session.cost_microusd,
        )

    def _new(self, new_id: SessionId, project: Path, origin: Origin, standing: Standing) -> Session:
        now = stamp(self._ledger.clock.now())
        return Session(
            id=new_id,
            conversation_id=new_id,
            project_path=str(project),
            origin=origin,
            state=SessionState.QUEUED,
            priority=wishes.RANK[Priority.NORMAL],
            created_at=now,
            updated_at=now,
            trusted=standing.trusted,
            left_out=list(standing.left_out),
        )

    def _shape(self, session: Session, wish: LaunchWish, caller: Caller) -> None:
        """Keep how the session is to run; what Claude Code would not take is refused here, before anything is kept."""
        defaults = for_client(self._settings, caller.env)
        asked = wishes.launch(wish)
        session.launch |= {name: value for name, value in asked.items() if name not in PRIVATE}
        session.launch.setdefault("model", defaults.default_model)
        if defaults.default_allowed_tools:
            session.launch.setdefault("allowed_tools", list(defaults.default_allowed_tools))
        session.model = session.launch["model"]
        session.permission_mode = str(session.launch.get("permission_mode") or "default")
        check_launch(session, asked)

    async def _reshape(self, session: Session, asked: dict[str, Any], caller: Caller) -> None:
        """Change how a known session runs: told to its process where that can be told, else from the next one on."""
        kept = {name: value for name, value in asked.items() if name not in PRIVATE}
        check_launch(msgspec.structs.replace(session, launch=session.launch | kept), asked)
        private = {name: value for name, value in asked.items() if name in PRIVATE}
        if private:
            self._vault.put(session.id, {"wish": private, "env": dict(caller.env)})
        told: dict[str, Any] = {name: asked[name] for name in ("model", "permission_mode") if name in asked}
        live = self._supervisor.live(session.id)
        if live is not None and live.ready.is_set() and told:
            await tell(live, told)

        def change(_: object, found: Session) -> list[Fact]:
            found.launch |= kept
            return list(apply(found, told)) if told else []

        await self._ledger.change(session.id, change)

    def _handle(self, session: Session, message: Message | None, cursor: int) -> SessionHandle:
        return SessionHandle(
            session_id=session.id,
            run_id=session.run_id,
            status=session.state.value,
            cursor=max(0, cursor),
            message_id=message.id if message is not None else None,
            queue_place=self._supervisor.admission.place(session.id),
            notes=session.left_out,
        )


def check_launch(session: Session, asked: Mapping[str, Any]) -> None:
    """Return when Claude Code could be started like this.

    Raises:
        OptionInvalid: an option has a form that it does not take.
        Invalid: a variable cannot be one.
    """
    try:
        for_run({}, asked.get("env"))
    except ValueError as exc:
        raise Invalid(f"env: {exc}.", remedy="Use letters, digits and underscores.") from None
    plan(options(session, asked, {}, {}), Path("/"))


def _started(session: Session) -> SessionStarted:
    return SessionStarted(
        project_path=session.project_path,
        origin=session.origin.value,
        permission_mode=session.permission_mode,
        trusted=session.trusted,
        model=session.model,
        parent_id=session.parent_id,
        left_out=tuple(session.left_out),
        labels=session.labels,
    )
