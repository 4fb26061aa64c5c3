"""Claude Code's own files: found by cwd or id, looked at from their ends, and believed only as far as they can be."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.kernel.errors import Invalid
from claude_code_mcp.platform.claude.home import ClaudeHome
from claude_code_mcp.platform.claude.login import login_state
from claude_code_mcp.platform.claude.transcripts import (
    HEAD_BYTES,
    TAIL_BYTES,
    encoded,
    last_uuids,
    peek,
    taken_messages,
)
from tests.platform.claude.replay import FIXTURES

_TRANSCRIPTS = FIXTURES / "transcripts"
_ID = "50149376-bd13-4c6e-9303-f3f5d55c6e40"
_OTHER = "11940a4d-bc75-4713-9ade-6a111eed7b65"


@pytest.fixture
def claude_home(tmp_path: Path) -> ClaudeHome:
    return ClaudeHome.of({"HOME": str(tmp_path)})


def _put(home: ClaudeHome, cwd: str, session_id: str, content: bytes, at_s: float | None = None) -> Path:
    path = home.transcript_path(cwd, session_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    if at_s is not None:
        os.utime(path, (at_s, at_s))
    return path


def _user(text: object, **more: object) -> bytes:
    line = {"type": "user", "message": {"role": "user", "content": text}, "uuid": "u", **more}
    return json.dumps(line).encode() + b"\n"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/home/dev/code/proj", "-home-dev-code-proj"),
        ("/with space", "-with-space"),
        ("/with.dot", "-with-dot"),
        ("/under_score+plus@at~t", "-under-score-plus-at-t"),
        ("/ünï-код-日本", "--n--------"),
        ("/emoji😀x", "-emoji--x"),
        ("/" + "M" * 199, "-" + "M" * 199),
    ],
)
def test_a_path_is_encoded_as_claude_code_does(path: str, name: str) -> None:
    assert encoded(path) == name


def test_a_long_path_is_cut_and_gets_the_hash_that_the_real_binary_gave_it() -> None:
    name = encoded("/tmp/cl/" + "x" * 90 + "/" + "ü日😀" * 20 + "/" + "y" * 90)
    assert name.endswith("-rv89bj")
    assert len(name) == 207


@given(st.text(min_size=1, max_size=400))
def test_an_encoded_path_is_a_plain_short_folder_name(path: str) -> None:
    name = encoded(path)
    assert len(name) <= 200 + 8
    assert all(char.isascii() and (char.isalnum() or char == "-") for char in name)


def test_the_configuration_directory_moves_everything(tmp_path: Path) -> None:
    home = ClaudeHome.of({"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path / "c")})
    assert home.config_dir == tmp_path / "c"
    assert home.global_file == tmp_path / "c" / ".claude.json"
    assert home.transcript_path("/", _ID) == tmp_path / "c" / "projects" / "-" / f"{_ID}.jsonl"


def test_a_transcript_is_found_by_its_id_wherever_the_session_began(claude_home: ClaudeHome) -> None:
    assert claude_home.find_transcript(_ID) is None
    old = _put(claude_home, "/a", _ID, b"", at_s=1_000)
    assert claude_home.find_transcript(_ID) == old
    new = _put(claude_home, "/b", _ID, b"", at_s=2_000)
    assert claude_home.find_transcript(_ID) == new


@pytest.mark.parametrize("hostile", ["../../x", "*", "", f"{_ID}/..", "a" * 10_000, "\0", f"x{_ID}"])
def test_only_a_uuid_is_looked_for(claude_home: ClaudeHome, hostile: str) -> None:
    _put(claude_home, "/a", _ID, b"")
    assert claude_home.find_transcript(hostile) is None
    with pytest.raises(Invalid):
        claude_home.transcript_path("/a", hostile)


def test_a_recorded_transcript_tells_who_where_and_when(claude_home: ClaudeHome) -> None:
    path = _put(claude_home, "/a", _ID, (_TRANSCRIPTS / "basic-tool-turn.jsonl").read_bytes())
    session = peek(path)
    assert session is not None
    assert (session.session_id, session.cwd, session.git_branch) == (_ID, "/home/dev/code/proj", "HEAD")
    assert (session.first_prompt, session.last_prompt, session.title) == ("say [s:tool]", "say [s:tool]", "")
    assert (session.version, session.entrypoint, session.total_cost_microusd) == ("2.1.328", "sdk-cli", 2748)
    assert session.started_at is not None
    assert session.started_at < session.last_active_at
    assert session.last_active_at.replace(microsecond=0) == datetime(2026, 11, 20, 3, 18, 7, tzinfo=UTC)


def test_a_title_given_by_the_user_is_shown(claude_home: ClaudeHome) -> None:
    session = peek(_put(claude_home, "/a", _OTHER, (_TRANSCRIPTS / "control-requests.jsonl").read_bytes()))
    assert session is not None
    assert session.title == "New name"
    assert (session.first_prompt, session.last_prompt) == ("hi [s:hi]", "write it [s:write]")


def test_a_huge_transcript_is_looked_at_from_its_ends_only(claude_home: ClaudeHome) -> None:
    first = _user("the first", cwd="/a", timestamp="2026-11-20T03:00:00.000Z")
    middle = _user("x" * 1000, cwd="/middle", timestamp="2026-11-21T03:00:00.000Z") * 20_000
    filler = _user("y", timestamp="2026-11-20T04:00:00.000Z") * (TAIL_BYTES // 50)
    last = _user("the last", cwd="/b", timestamp="2026-11-20T05:00:00.000Z", gitBranch="main")
    session = peek(_put(claude_home, "/a", _ID, first + b"[]\n" * HEAD_BYTES + middle + filler + last))
    assert session is not None
    assert (session.cwd, session.first_prompt, session.last_prompt) == ("/a", "the first", "the last")
    assert (session.started_at, session.last_active_at) == (
        datetime(2026, 11, 20, 3, tzinfo=UTC),
        datetime(2026, 11, 20, 5, tzinfo=UTC),
    )


@given(st.integers(HEAD_BYTES - 200, HEAD_BYTES + TAIL_BYTES + 200))
def test_no_line_is_lost_where_the_two_ends_meet(tmp_path_factory: pytest.TempPathFactory, size: int) -> None:
    path = tmp_path_factory.mktemp("t") / f"{_ID}.jsonl"
    lines = [_user(f"{number:06d}", uuid=f"u{number}") for number in range(size // len(_user("000000", uuid="u100")))]
    path.write_bytes(b"".join(lines))
    session = peek(path)
    assert session is not None
    assert (session.first_prompt, session.last_prompt) == ("000000", f"{len(lines) - 1:06d}")
    assert last_uuids(path, 5) == [f"u{number}" for number in range(len(lines) - 5, len(lines))]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"{", b"\0" * 100_000, b"[]\n" * 100_000, b'{"type":"queue-operation"}\n', b"\xff\xfe\n" * 50_000],
)
def test_a_file_without_a_conversation_is_no_session(claude_home: ClaudeHome, content: bytes) -> None:
    assert peek(_put(claude_home, "/a", _ID, content)) is None
    assert claude_home.past_sessions() == []


@given(st.binary(max_size=400), st.integers(0, 5))
def test_any_bytes_can_be_looked_at(tmp_path_factory: pytest.TempPathFactory, data: bytes, lines: int) -> None:
    path = tmp_path_factory.mktemp("t") / f"{_ID}.jsonl"
    path.write_bytes(_user("hi") * lines + data)
    session = peek(path)
    assert session is not None or lines == 0
    last_uuids(path)


def test_prompts_are_one_line_without_secrets_and_what_claude_code_put_in_does_not_count(
    claude_home: ClaudeHome,
) -> None:
    path = _put(
        claude_home,
        "/a",
        _ID,
        _user("meta", isMeta=True)
        + _user("sub", isSidechain=True)
        + _user("<command-name>/compact</command-name>")
        + _user([{"type": "tool_result", "content": "result"}], toolUseResult={})
        + _user([{"type": "text", "text": "deploy\nwith sk-ant-api03-abcdefghijklmnop \x1b[2J"}])
        + _user("y" * 1_000),
    )
    session = peek(path)
    assert session is not None
    assert session.first_prompt == "deploy with [redacted] ␛[2J"
    assert len(session.last_prompt) == 300


def test_sessions_are_listed_last_used_first_and_by_directory(claude_home: ClaudeHome, tmp_path: Path) -> None:
    ids = [f"{number:08x}-1111-4111-8111-111111111111" for number in range(4)]
    # Both paths have the same folder of transcripts.
    one, two = tmp_path / "a.b", tmp_path / "a-b"
    for path in (one, two):
        path.mkdir()
    link = tmp_path / "link"
    link.symlink_to(one)
    for number, (session_id, cwd) in enumerate(zip(ids, [one, two, one, tmp_path], strict=True)):
        _put(claude_home, str(cwd), session_id, _user("hi", cwd=str(cwd)), at_s=1_000 + number)
    assert [session.session_id for session in claude_home.past_sessions()] == ids[::-1]
    assert [session.session_id for session in claude_home.past_sessions(limit=2)] == [ids[3], ids[2]]
    assert [session.session_id for session in claude_home.past_sessions(link)] == [ids[2], ids[0]]
    newest = claude_home.newest_session(two)
    assert newest is not None
    assert newest.session_id == ids[1]
    assert claude_home.newest_session("/nowhere") is None
    assert claude_home.session_ids() == set(ids)


def test_what_lies_beside_transcripts_is_no_session(claude_home: ClaudeHome) -> None:
    path = _put(claude_home, "/a", _ID, _user("hi"))
    (path.parent / "notes.jsonl").write_bytes(_user("hi"))
    (path.parent / _OTHER / "subagents").mkdir(parents=True)
    (path.parent / f"{_OTHER}.jsonl").mkdir()
    (claude_home.projects_dir / "file").write_text("x")
    assert [session.session_id for session in claude_home.past_sessions()] == [_ID]


def test_messages_that_were_taken_up_are_told_from_those_that_were_only_queued(claude_home: ClaudeHome) -> None:
    _put(claude_home, "/a", _ID, (_TRANSCRIPTS / "multi-turn-replay-queue.jsonl").read_bytes())
    one, three = "11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333"
    assert claude_home.taken_messages(_ID, [one, three, _OTHER]) == {one, three}
    assert claude_home.taken_messages(_OTHER, [one]) == set()


def test_a_uuid_in_a_text_does_not_count_as_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(_user(f'say "{_OTHER}"') + _user({"x": [_OTHER + " "]}))
    assert taken_messages(path, [_OTHER]) == set()
    (tmp_path / "empty").write_bytes(b"")
    assert taken_messages(tmp_path / "empty", [_OTHER]) == set()


def test_the_last_messages_are_those_of_the_conversation(claude_home: ClaudeHome) -> None:
    content = (_TRANSCRIPTS / "basic-tool-turn.jsonl").read_bytes()
    _put(claude_home, "/a", _ID, content)
    said = [line for line in map(json.loads, content.splitlines()) if line["type"] in ("user", "assistant")]
    assert claude_home.last_uuids(_ID, 3) == [line["uuid"] for line in said][-3:]
    assert claude_home.last_uuids(_OTHER) == []


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def _start_ticks(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def _register(home: ClaudeHome, pid: int, **more: object) -> Path:
    folder = home.config_dir / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    entry = {
        "pid": pid,
        "sessionId": _ID,
        "cwd": "/home/dev/proj",
        "startedAt": 1795145457929,
        "procStart": _start_ticks(pid),
        "version": "2.1.328",
        "kind": "interactive",
        "entrypoint": "sdk-cli",
        "status": "waiting",
        "waitingFor": "permission prompt",
        "name": "my name",
        **more,
    }
    path = folder / f"{pid}.json"
    path.write_text(json.dumps(entry))
    return path


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the registry is checked against /proc")


@needs_proc
def test_a_registered_process_that_lives_is_a_live_session(
    claude_home: ClaudeHome, sleeper: "subprocess.Popen[bytes]"
) -> None:
    _register(claude_home, sleeper.pid)
    (entry,) = claude_home.live_sessions()
    assert (entry.pid, entry.session_id, entry.cwd, entry.name) == (sleeper.pid, _ID, "/home/dev/proj", "my name")
    assert (entry.status, entry.waiting_for, entry.entrypoint) == ("waiting", "permission prompt", "sdk-cli")
    sleeper.kill()
    sleeper.wait()
    assert claude_home.live_sessions() == []


@needs_proc
def test_a_stale_file_whose_pid_belongs_to_another_process_is_none(
    claude_home: ClaudeHome, sleeper: "subprocess.Popen[bytes]"
) -> None:
    _register(claude_home, sleeper.pid, procStart=str(int(_start_ticks(sleeper.pid)) - 1))
    assert claude_home.live_sessions() == []


@needs_proc
def test_files_of_the_registry_that_say_nothing_or_lie_are_passed_over(
    claude_home: ClaudeHome, sleeper: "subprocess.Popen[bytes]"
) -> None:
    path = _register(claude_home, sleeper.pid, sessionId="../../x")
    assert claude_home.live_sessions() == []
    for content in ("", "{", "[]", "null", '{"pid":1}', '{"pid":"x"}', "[" * 60_000):
        path.write_text(content)
        assert claude_home.live_sessions() == []
    _register(claude_home, sleeper.pid).rename(path.with_name("1.json"))
    path.with_name(f"{sleeper.pid}.abc.key").write_text("secret")
    assert claude_home.live_sessions() == []


@pytest.mark.anyio
async def test_the_login_is_what_the_binary_says(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    status = {"loggedIn": True, "authMethod": "api_key", "apiProvider": "firstParty", "configDirectory": "/c"}
    program.write_text(f"#!/bin/sh\necho 'Warning: x'; echo '{json.dumps(status)}'\n")
    program.chmod(0o755)
    state = await login_state(program, {"PATH": "/usr/bin:/bin"})
    assert (state.logged_in, state.method, state.provider, state.config_dir) == (True, "api_key", "firstParty", "/c")
    program.write_text("#!/bin/sh\necho canary-secret-1 went wrong\nexit 1\n")
    state = await login_state(program, {"PATH": "/usr/bin:/bin", "MY_TOKEN": "canary-secret-1"})
    assert (state.logged_in, state.problem) == (None, "it said: [redacted] went wrong")
    assert (await login_state("/nowhere/claude", {})).logged_in is None
