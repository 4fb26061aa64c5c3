import asyncio
import gc
import io
import json
import logging
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.platform.logs.files import PrivateRotatingFile
from claude_code_mcp.platform.logs.formats import JsonLines, Readable
from claude_code_mcp.platform.logs.setup import Logs, configure
from claude_code_mcp.platform.logs.uncaught import log_loop

log = logging.getLogger("claude_code_mcp.features.sessions")
CANARY = "sk-ant-canary"
START = Callable[..., Logs]


def redact(text: str) -> str:
    return text.replace(CANARY, "[redacted]")


@pytest.fixture
def start() -> Iterator[START]:
    """Configures logging for one test."""
    begun: list[Logs] = []

    def configured(level: str = "info", **where: Any) -> Logs:
        begun.append(configure(level, redact, **where))
        return begun[-1]

    yield configured
    for logs in reversed(begun):
        logs.close()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def fail(message: str) -> None:
    raise ValueError(message)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_object_with_its_fields(start: START) -> None:
    stream = io.StringIO()
    start(stream=stream)
    log.info("session %s started", "s1", extra={"session_id": "s1", "tries": 2, "tags": ("a", {"b": None})})
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("at"))
    assert line == {
        "level": "info",
        "logger": "claude_code_mcp.features.sessions",
        "message": "session s1 started",
        "session_id": "s1",
        "tries": 2,
        "tags": ["a", {"b": None}],
    }


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\x85", "\x0b", "\x1b[2J", "\x9b2J", "\x00", "\ud800"])
def test_a_prompt_cannot_forge_a_line(start: START, end: str) -> None:
    stream = io.StringIO()
    start(stream=stream)
    log.warning("prompt: %s", f'x{end}2026-11-20 level=INFO msg="login ok"', extra={"field": f"a{end}b"})
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", stream.getvalue())
    assert lines(stream)[0]["field"] == f"a{end}b"


@given(st.text(), st.dictionaries(st.sampled_from(["a", "at", "level", "error"]), st.text() | st.floats()))
def test_whatever_is_logged_is_one_line_of_json(message: str, fields: dict[str, Any]) -> None:
    record = logging.makeLogRecord({"msg": message, "levelname": "INFO", "name": "n", **fields})
    text = JsonLines(redact).format(record)
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["message"] == message


def test_a_terminal_gets_readable_lines(start: START) -> None:
    terminal = Terminal()
    start(stream=terminal)
    log.info("started\nfake \x1b[31m", extra={"session_id": "s1"})
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d INFO features\.sessions: started\\nfake ␛\[31m \(session_id=s1\)\n", terminal.getvalue()
    )


def test_a_traceback_on_a_terminal_is_set_off(start: START) -> None:
    terminal = Terminal()
    start(stream=terminal)
    try:
        fail(f"bad\n{CANARY}")
    except ValueError:
        log.exception("failed")
    shown = terminal.getvalue().splitlines()
    assert shown[0].endswith("ERROR features.sessions: failed")
    assert all(line.startswith("  | ") for line in shown[1:])
    assert CANARY not in terminal.getvalue()


def test_no_secret_reaches_a_log(start: START, tmp_path: Path) -> None:
    stream, terminal = io.StringIO(), Terminal()
    start(stream=stream, file=tmp_path / "daemon.log")
    start(stream=terminal)
    try:
        fail(f"token {CANARY}")
    except ValueError:
        log.exception("with %s", CANARY, extra={"env": {CANARY: [CANARY]}, "thing": Exception(CANARY)}, stack_info=True)
    written = stream.getvalue() + terminal.getvalue() + (tmp_path / "daemon.log").read_text()
    assert CANARY not in written
    assert written.count("[redacted]") >= 12


def test_a_giant_text_is_cut(start: START) -> None:
    stream = io.StringIO()
    start(stream=stream)
    log.info("x" * 10_000_000, extra={"more": "y" * 10_000_000})
    assert len(stream.getvalue()) < 100_000
    assert "(10000000 characters)" in lines(stream)[0]["message"]


def test_a_log_call_that_does_not_fit_is_logged_all_the_same() -> None:
    class Rude:
        def __str__(self) -> str:
            raise ValueError

    record = logging.makeLogRecord({"msg": "%d", "args": ("word",), "levelname": "INFO", "name": "n", "rude": Rude()})
    line = json.loads(JsonLines(redact).format(record))
    assert "does not fit" in line["message"]
    assert "cannot be shown" in line["rude"]
    assert "does not fit" in Readable(redact).format(record)


@pytest.mark.parametrize(
    ("level", "shown"),
    [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)],
)
def test_the_level_counts_for_us_and_others_only_warn(start: START, level: str, shown: int) -> None:
    stream = io.StringIO()
    logs = start(level, stream=stream)
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)
    assert len(lines(stream)) == shown
    logging.getLogger("httpx").debug("noise")
    assert len(lines(stream)) == shown
    logs.set_level("error")
    log.warning("unheard")
    assert len(lines(stream)) == shown


def test_closing_leaves_logging_as_it_was(start: START) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.excepthook, threading.excepthook)
    start(stream=io.StringIO()).close()
    assert (root.level, list(root.handlers), sys.excepthook, threading.excepthook) == before


def test_the_file_is_private_and_bounded(start: START, tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    umask = os.umask(0)
    try:
        start(file=path, file_bytes=4096, files=2)
        for number in range(200):
            log.info("line %d", number)
    finally:
        os.umask(umask)
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == ["daemon.log", "daemon.log.1", "daemon.log.2"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert all(file.stat().st_size <= 4096 for file in files)
    kept = [json.loads(line)["message"] for file in reversed(files) for line in file.read_text().splitlines()]
    assert kept == [f"line {number}" for number in range(200 - len(kept), 200)]


def test_a_log_goes_on_where_it_ended(start: START, tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    for word in ("one", "two"):
        logs = start(file=path)
        log.info(word)
        logs.close()
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == ["one", "two"]


def test_a_log_that_was_taken_away_is_begun_anew(start: START, tmp_path: Path) -> None:
    path = tmp_path / "daemon.log"
    start(file=path)
    log.info("one")
    path.unlink()
    log.info("two")
    assert json.loads(path.read_text())["message"] == "two"


def test_a_link_in_the_place_of_the_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("kept")
    (tmp_path / "daemon.log").symlink_to("victim")
    with pytest.raises(OSError, match="symbolic links"):
        configure("info", redact, file=tmp_path / "daemon.log")
    assert (tmp_path / "victim").read_text() == "kept"


def test_a_full_disk_costs_lines_and_says_how_many(tmp_path: Path) -> None:
    script = (
        "import resource, signal, sys, logging\nfrom pathlib import Path\n"
        "from claude_code_mcp.platform.logs.setup import configure\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))\n"
        "configure('info', str, file=Path(sys.argv[1]))\n"
        "log = logging.getLogger('claude_code_mcp')\n"
        "for number in range(5): log.info('x' * 100)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10000, resource.RLIM_INFINITY))\n"
        "log.info('last')\n"
    )
    path = tmp_path / "daemon.log"
    subprocess.run([sys.executable, "-B", "-c", script, str(path)], check=True, timeout=60)
    written = path.read_text().splitlines()
    assert json.loads(written[0])["message"] == "x" * 100
    last = json.loads(written[-1])
    assert (last["message"], last["lost_lines"]) == ("last", 4)


def test_an_error_that_ends_a_thread_is_logged(start: START) -> None:
    stream = io.StringIO()
    start(stream=stream)

    def fails() -> None:
        raise ValueError("in the thread")

    thread = threading.Thread(target=fails, name="worker")
    thread.start()
    thread.join(60)
    (line,) = lines(stream)
    assert line["message"] == "thread worker ends by an error"
    assert "ValueError: in the thread" in line["error"]


def test_an_error_in_a_finaliser_is_logged(start: START) -> None:
    class Bad:
        def __del__(self) -> None:
            raise ValueError("in the end")

    stream = io.StringIO()
    start(stream=stream)
    Bad()
    gc.collect()
    assert "ValueError: in the end" in lines(stream)[0]["error"]


def test_an_error_that_ends_the_program_is_logged() -> None:
    script = (
        "import sys\nfrom claude_code_mcp.platform.logs.setup import configure\n"
        "configure('info', str, stream=sys.stderr)\nraise ValueError('at last')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 1
    line = json.loads(ended.stderr)
    assert line["level"] == "critical"
    assert "ValueError: at last" in line["error"]


def test_an_error_that_no_task_waits_for_is_logged(start: START) -> None:
    stream = io.StringIO()
    start(stream=stream)

    async def fails() -> None:
        raise ValueError("unheard")

    async def main() -> None:
        log_loop(asyncio.get_running_loop())
        task = asyncio.ensure_future(fails())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())
    (line,) = lines(stream)
    assert line["message"] == "Task exception was never retrieved"
    assert "ValueError: unheard" in line["error"]
    assert "fails() done" in line["context"]["future"]


def test_a_reader_of_stderr_that_went_away_is_no_error(start: START) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    start(stream=Gone())
    log.info("nobody hears this")


def test_the_parts_can_be_used_alone(tmp_path: Path) -> None:
    handler = PrivateRotatingFile(tmp_path / "f", max_bytes=4096, files=1)
    handler.setFormatter(Readable(str))
    handler.emit(logging.makeLogRecord({"msg": "ü", "levelname": "INFO", "name": "n"}))
    handler.close()
    handler.close()
    assert (tmp_path / "f").read_bytes().endswith(b"INFO n: \\xfc\n")
