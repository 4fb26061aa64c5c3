"""What every command is given: which daemon, with which environment, and how to reach it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from claude_code_mcp.platform.claude.environment import allowed
from claude_code_mcp.platform.settings.client_env import relay_names
from claude_code_mcp.surfaces.cli.client import Client, dialer

COMPLETE_VAR = "_CLAUDE_CODE_MCP_COMPLETE"
"""Set by the completion script of a shell, which gives no arguments."""
RunDaemon = Callable[[Path, int | None], int]
"""Runs the daemon of a state directory in this process, and tells the given descriptor when it listens."""


@dataclass(frozen=True, slots=True)
class Setup:
    """The state directory that the command line names, the environment it was given in, and the daemon's `main`."""

    directory: Path
    env: Mapping[str, str]
    daemon: RunDaemon

    def connect(self, *, start: bool = True) -> Client:
        """Return a connection to the daemon, started if need be and `start` allows it.

        Raises:
            Failure: it cannot be reached; `no_daemon` where none runs and `start` is false.
        """
        names = relay_names(self.env, darwin=sys.platform == "darwin")
        return Client(dialer(self.directory, allowed(self.env, names), own_env=self.env, start=start))


def current() -> Setup:
    """Return the setup of the command that is being run."""
    found = click.get_current_context().find_object(Setup)
    if found is None:
        raise RuntimeError("a command was run outside the program's root")
    return found
