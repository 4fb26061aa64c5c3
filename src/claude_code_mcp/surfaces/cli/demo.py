"""`demo`: everything at work in a place of its own: daemon, real Claude Code, scripted model. Nothing is left of it."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from claude_code_mcp.surfaces.cli.daemon_commands import stopped
from claude_code_mcp.surfaces.cli.exits import Exit, Failure
from claude_code_mcp.surfaces.cli.output import print_text
from claude_code_mcp.surfaces.cli.run_commands import START_OP, Watch, watched
from claude_code_mcp.surfaces.cli.setup import Setup, current
from claude_code_mcp.surfaces.cli.signals import held_back, orderly_end
from claude_code_mcp.surfaces.cli.tree import LoadCatalog

PROMPT = "Write a greeting script, run it, have it reviewed."
_SHORT = 40
"""Characters of a temporary directory (macOS's own has more) below which the path of a socket still fits."""
_KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TERM", "COLORTERM", "CLAUDE_CODE_BINARY")

_HELP = """See all of it work, in a minute or less: no login, no network, no cost.

A daemon of its own starts the real Claude Code on an empty project; a scripted model on this machine answers it. You
watch a file being written, are asked before a command runs, and see a subagent at work. Afterwards everything is
taken away again. Without a terminal, or with --yes, permissions are given by themselves."""

_INTRO = "This is the real Claude Code with a scripted model: nothing leaves this machine, nothing is charged."
_ALONE = "The demo answers Claude Code's permission questions by itself: allow."
_END = """
What you saw
  A daemon was started; it gave the session an id and started Claude Code for it.
  Claude Code wrote {written} and ran it, asked before each, and had a subagent look at the result.
  All of it was kept as events. Kill the daemon in the middle: the session goes on, and the next daemon takes it up.
  The cost is what these tokens would have cost; you paid nothing.

Try next
  claude-code-mcp run "what does this project do?" -C ~/your/project    the same with your own login
  claude-code-mcp install claude-code                                   give Claude Code these tools (also: cursor …)
  claude-code-mcp doctor                                                see that all is in place
"""


def demo_command(_load: LoadCatalog) -> click.Command:
    """Return `demo`."""

    def run(yes: bool, keep: bool, svg: str | None) -> int:
        alone = yes or not (sys.stdin.isatty() and sys.stdout.isatty())
        with orderly_end(), _place(keep=keep) as base:
            return _play(base, Watch({"yes": alone, "svg": svg}, message_sent=True))

    return click.Command(
        "demo",
        callback=run,
        params=[
            click.Option(["--yes", "-y"], is_flag=True, help="Answer the permission questions by itself."),
            click.Option(["--keep"], is_flag=True, help="Leave the demo's directory, to look at what is in it."),
            click.Option(["--svg"], metavar="FILE", hidden=True, help="Write a picture of it to FILE."),
        ],
        help=_HELP,
    )


@contextlib.contextmanager
def _place(*, keep: bool) -> Generator[Path]:
    """Make the demo's directory, short enough for Unix sockets below it, and take it away again."""
    usual = tempfile.gettempdir()
    short = "/tmp" if len(usual) > _SHORT and Path("/tmp").is_dir() else usual  # noqa: S108 - mkdtemp makes it ours
    base = Path(tempfile.mkdtemp(prefix="ccm-demo-", dir=short))
    try:
        for name in ("home", "state", "tmp", "hello"):
            (base / name).mkdir(mode=0o700)
        yield base
    finally:
        with held_back():
            if keep:
                print_text(f"The demo's directory is still there: {base}")
            else:
                shutil.rmtree(base, ignore_errors=True)


def environment(base: Path, model_url: str, env: Mapping[str, str]) -> dict[str, str]:
    """Return the demo's own environment: of `env` only what says where programs are and how the terminal is."""
    return {
        **{name: env[name] for name in _KEPT if name in env},
        "HOME": str(base / "home"),
        "TMPDIR": str(base / "tmp"),
        "ANTHROPIC_BASE_URL": model_url,
        "ANTHROPIC_API_KEY": "the-scripted-model-asks-for-none",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }


def _play(base: Path, watch: Watch) -> int:
    from claude_code_mcp.testing import demo_script, scripted_model_thread  # noqa: PLC0415 - brings a web server

    here = current()
    print_text("\n".join([_INTRO, *([_ALONE] if watch.yes else [])]))
    with scripted_model_thread(demo_script()) as model:
        setup = Setup(base / "state", environment(base, model.url, here.env), here.daemon)
        try:
            code = _session(setup, base / "hello", watch)
        finally:
            with held_back():
                stopped(setup, sessions=True)
    return code


def _session(setup: Setup, project: Path, watch: Watch) -> int:
    with held_back():  # a daemon that is just being started could not be found and stopped again
        connected = setup.connect()
    with closing(connected) as client:
        wish: dict[str, Any] = {"prompt": PROMPT, "project_path": str(project)}
        try:
            handle = client.call(START_OP, wish).reply
        except Failure as failure:
            if failure.code == "binary_not_found":
                failure.remedy = "Install Claude Code, or `pip install claude-agent-sdk`, which brings it along."
            raise
        code = watched(client, handle, watch, f'claude-code-mcp run "{PROMPT}"', last=True)
    written = sorted(path.name for path in project.iterdir())
    if code == Exit.OK and not written:
        raise Failure("demo_failed", "Claude Code ended well, but wrote nothing.", remedy="Please report this.")
    if code == Exit.OK:
        print_text(_END.format(written=", ".join(written)))
    return code


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {"demo": demo_command}
