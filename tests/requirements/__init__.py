"""Everything that was promised, line by line, with the tests that show it (`make docs` writes the page)."""

from tests.requirements.activity_document import ACTIVITY_DOCUMENT
from tests.requirements.activity_tree import ACTIVITY_TREE
from tests.requirements.captures import CAPTURES
from tests.requirements.checkpoint_sessions import CHECKPOINT_SESSIONS
from tests.requirements.checkpoints import CHECKPOINTS
from tests.requirements.deciding import APPROVALS, TRUST
from tests.requirements.display import DISPLAY
from tests.requirements.documents import FIRST, SECOND
from tests.requirements.faults import DONE, FAULTS, SPEED, TESTS
from tests.requirements.hooks import HOOKS
from tests.requirements.http import HTTP
from tests.requirements.jobs import JOBS
from tests.requirements.model import Part, Requirement
from tests.requirements.objects import OBJECTS
from tests.requirements.running import BINARY, DAEMON, RUNS
from tests.requirements.surfaces import CLI, MCP, MODEL
from tests.requirements.talking import BEHAVIOUR, OPERATIONS, PARAMETERS
from tests.requirements.works import THREAD, WORKS
from tests.requirements.worktrees import WORKTREES

__all__ = ["PARTS", "Part", "Requirement"]

PARTS: tuple[Part, ...] = (
    WORKS,
    THREAD,
    DAEMON,
    RUNS,
    BINARY,
    OPERATIONS,
    PARAMETERS,
    BEHAVIOUR,
    APPROVALS,
    TRUST,
    MCP,
    CLI,
    MODEL,
    DISPLAY,
    HTTP,
    FAULTS,
    SPEED,
    TESTS,
    DONE,
    FIRST,
    SECOND,
    ACTIVITY_TREE,
    ACTIVITY_DOCUMENT,
    CAPTURES,
    HOOKS,
    OBJECTS,
    CHECKPOINTS,
    CHECKPOINT_SESSIONS,
    JOBS,
    WORKTREES,
)
