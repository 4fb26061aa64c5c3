"""What every test may use: one async backend, and hypothesis that repeats itself."""

import fcntl
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ["tests.support.plugin"]

settings.register_profile("suite", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("suite")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell starts what it puts in the background deaf to Ctrl-C, and every program of a test would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def leftovers(tmp_path_factory: pytest.TempPathFactory) -> Generator[None]:
    """Be the only test that makes leftovers or has them ended: `reap` looks at the whole machine."""
    with (tmp_path_factory.getbasetemp().parent / "leftovers.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test log half a character: reports travel between processes as UTF-8, which has none."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report
