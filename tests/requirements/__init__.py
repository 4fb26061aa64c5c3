"""Everything that was promised, line by line, with the tests that show it (`make docs` writes the page)."""

from tests.requirements.deciding import APPROVALS, TRUST
from tests.requirements.documents import FIRST, SECOND
from tests.requirements.faults import DONE, FAULTS, SPEED, TESTS
from tests.requirements.model import Part, Requirement
from tests.requirements.running import BINARY, DAEMON, RUNS
from tests.requirements.surfaces import CLI, MCP, MODEL
from tests.requirements.talking import BEHAVIOUR, OPERATIONS, PARAMETERS
from tests.requirements.works import THREAD, WORKS

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
    FAULTS,
    SPEED,
    TESTS,
    DONE,
    FIRST,
    SECOND,
)
