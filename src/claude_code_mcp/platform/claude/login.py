"""Whether Claude Code is logged in, as it says itself."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from claude_code_mcp.kernel.display import one_line
from claude_code_mcp.platform.claude.asking import ask
from claude_code_mcp.platform.claude.fields import path_of, word_of
from claude_code_mcp.platform.claude.redaction import Scrubber


@dataclass(frozen=True, slots=True)
class LoginState:
    """What `claude auth status` says.

    `logged_in`: None where it could not be found out; `problem` says why. `method`: such as "api_key" or "claude.ai".
    `provider`: such as "firstParty" or "bedrock". `source`: where the key comes from. `config_dir`, `projects_dir`:
    where it keeps its files.
    """

    logged_in: bool | None
    method: str = ""
    provider: str = ""
    source: str = ""
    config_dir: str = ""
    projects_dir: str = ""
    problem: str = ""


async def login_state(binary: str | os.PathLike[str], env: Mapping[str, str], *, timeout_s: float = 10) -> LoginState:
    """Return whether a session with `env` would be logged in; never raises. No request is made for it."""
    try:
        said = await ask([binary, "auth", "status"], env, timeout_s)
    except OSError as exc:
        return LoginState(None, problem=f"it cannot be started ({exc.strerror or exc})")
    if said.code is None:
        return LoginState(None, problem=f"it did not answer within {timeout_s:g} s")
    try:
        status = msgspec.json.decode(said.text[said.text.index("{") : said.text.rindex("}") + 1])
        logged_in = status["loggedIn"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return LoginState(None, problem=Scrubber(env).text(one_line(f"it said: {said.text}", 200)))
    return LoginState(
        logged_in is True,
        word_of(status, "authMethod"),
        word_of(status, "apiProvider"),
        word_of(status, "apiKeySource"),
        path_of(status, "configDirectory"),
        path_of(status, "projectsDirectory"),
    )
