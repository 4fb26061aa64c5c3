"""When a checkpoint is taken by itself, decided on what happened alone; and which commands are risky."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claude_code_mcp.features.checkpoints.models import Strategy, Trigger
from claude_code_mcp.features.checkpoints.rules.risky import risky
from claude_code_mcp.features.checkpoints.rules.strategies import (
    LOOKS_ONLY,
    Occasion,
    When,
    may_change,
    moment_of,
    occasion,
    wanted,
)
from claude_code_mcp.kernel.events import Recorded
from claude_code_mcp.kernel.ids import SessionId
from claude_code_mcp.platform.claude.transcript.cutting import Moment, Where

RISKY = r"""
rm -rf build
mv a b
git reset --hard
git -C /x reset --hard HEAD~1
git checkout -- .
git clean -fdx
git rebase main
git stash
git stash drop
git branch -D old
dd if=/dev/zero of=x
truncate -s 0 a
python manage.py migrate
python3 -m alembic upgrade head
npx prisma migrate dev
rails db:migrate
bundle exec rake db:drop
npm uninstall left-pad
pip uninstall -y x
uv pip uninstall x
python -m pip uninstall x
cargo clean
apt-get remove x
find . -name '*.pyc' -delete
find . -exec rm {} +
sed -i s/a/b/ f
perl -pi -e 's/a/b/' f
rsync -a --delete a/ b/
make clean
docker compose down -v
/bin/rm x
FOO=1 rm x
patch -p1 < x.diff
pacman -Rns x
""".strip().splitlines()
HARMLESS = r"""
ls -la
git status
git diff HEAD
git log --oneline
git stash list
git worktree list
git branch
cat rm
echo 'rm -rf /'
echo "git reset --hard"
grep -r 'rm ' .
npm install
npm test
pip install x
python manage.py runserver
python -c 'print(1)'
cargo build
find . -name x
sed -n 1,5p f
rsync -a a b
make test
touch removed
cp rm mv
uv run pytest
#rm -rf x
""".strip().splitlines()


@pytest.mark.parametrize("command", RISKY)
def test_a_command_that_may_destroy_work_is_risky(command: str) -> None:
    assert risky(command)


@pytest.mark.parametrize("command", HARMLESS)
def test_a_command_that_looks_or_adds_is_not(command: str) -> None:
    assert risky(command) == ""


PREFIXES = ["", "sudo ", "env A=1 ", "nohup ", "time ", "timeout 5 ", "cat x | xargs "]
WRAPS = r"""
{}
cd x && {}
{} || true
echo a; {}
(cd x; {})
if true; then {}; fi
echo $({})
for f in *; do {}; done
f() {{ {}; }}; f
""".strip().splitlines()


PLAIN = [one for one in RISKY if "<" not in one and "=" not in one.split()[0]]


@given(st.sampled_from(PLAIN), st.sampled_from(PREFIXES), st.lists(st.sampled_from(WRAPS), max_size=3))
def test_a_risky_command_is_seen_however_it_is_wrapped(command: str, prefix: str, wraps: list[str]) -> None:
    command = prefix + command
    for wrap in wraps:
        command = wrap.format(command)
    assert risky(command)


@given(
    st.sampled_from(PLAIN),
    st.sampled_from(["bash -c", "sh -c", "sudo bash -lc", "eval"]),
)
def test_a_risky_command_is_seen_within_a_shell(command: str, shell: str) -> None:
    assert risky(f"{shell} {shlex.quote(command)}")


@given(st.sampled_from(RISKY))
def test_what_is_only_said_is_not_risky(command: str) -> None:
    assert risky(f"echo {shlex.quote(command)}") == ""


@given(st.text(max_size=300))
def test_any_text_is_judged(command: str) -> None:
    assert len(risky(command)) <= 200


IDS = st.from_regex(r"@?[a-c]{1,3}", fullmatch=True)
OCCASIONS = st.builds(
    Occasion, st.sampled_from(list(When)), IDS, IDS, st.sampled_from(["Bash", "Write", "Read", "mcp__x__y"]),
    st.sampled_from(["", "ls", "rm x"]), st.booleans(), st.text(max_size=5),
)  # fmt: skip


@given(OCCASIONS)
def test_nothing_is_taken_where_nobody_asked_for_it(one: Occasion) -> None:
    assert wanted(Strategy.MANUAL, one) is None
    assert wanted(Strategy.INTERVAL, one) is None


@given(OCCASIONS)
def test_each_strategy_takes_at_its_occasions_only(one: Occasion) -> None:
    assert (wanted(Strategy.PER_PROMPT, one) is not None) == (one.when is When.PROMPT)
    after_change = one.when is When.TOOL_ENDED and one.tool != "Read"
    assert (wanted(Strategy.PER_TOOL_USE, one) is not None) == after_change
    destroys = one.when is When.TOOL_BEGAN and one.command == "rm x"
    smart = one.when in {When.PROMPT, When.TURN_ENDED} or destroys
    assert (wanted(Strategy.SMART, one) is not None) == smart


@given(OCCASIONS, st.sampled_from(list(Strategy)))
def test_a_wish_names_its_cause_and_is_the_same_each_time(one: Occasion, strategy: Strategy) -> None:
    found = wanted(strategy, one)
    assert found == wanted(strategy, one)
    if found is not None:
        assert found.trigger == Trigger(strategy.value)
        assert found.cause.endswith(f":{one.id}")
        assert found.session_id == one.session_id
        assert found.always == (strategy is Strategy.PER_PROMPT)
        # The moment can be found again from the cause, except for what a subagent did: that is in another transcript.
        if not one.of_agent and not one.id.startswith("@"):
            assert moment_of(found.cause) == found.moment


def test_a_cause_that_names_no_moment_is_the_end() -> None:
    assert moment_of("") == moment_of("turn:x") == moment_of("end:x") == moment_of("after_tool") == Moment()
    assert moment_of("after_tool:t1") == Moment(Where.AFTER_TOOL, "t1")


def test_a_tool_that_nobody_knows_may_change_files() -> None:
    assert may_change("mcp__files__write")
    assert may_change("")
    assert not any(may_change(tool) for tool in LOOKS_ONLY)


def _event(kind: str, session: str | None = "s", **payload: object) -> Recorded:
    return Recorded(
        seq=1, id="e", at="", kind=kind, version=1, session_id=SessionId(session) if session else None, subject="u",
        parent=None, tool_use_id="t" if kind.startswith("tool") else None, agent_id=None, source="hook",
        source_key=None, payload=payload,
    )  # fmt: skip


def test_events_are_read_as_occasions() -> None:
    assert occasion(_event("prompt.taken", prompt_id="p", text="x")) == Occasion(When.PROMPT, "s", "p", text="x")
    assert occasion(_event("tool.started", name="Bash", input={"command": "rm x"})) == Occasion(
        When.TOOL_BEGAN, "s", "t", "Bash", "rm x"
    )
    assert occasion(_event("tool.failed", name="Bash")) == Occasion(When.TOOL_ENDED, "s", "t", "Bash")
    assert occasion(_event("turn.stopped", prompt_id="p")) == Occasion(When.TURN_ENDED, "s", "p")
    assert occasion(_event("turn.finished", message_uuids=["m"])) == Occasion(When.TURN_ENDED, "s", "m")
    assert occasion(_event("turn.finished")) == Occasion(When.TURN_ENDED, "s", "@e")
    assert occasion(_event("tool.started", session=None)) is None
    assert occasion(_event("session.opened")) is None
    assert occasion(_event("tool.started", name="Bash", input="odd")) == Occasion(When.TOOL_BEGAN, "s", "t", "Bash")
