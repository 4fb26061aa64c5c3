"""The variables that an MCP client's configuration may set for its own calls. Standard library only.

A daemon serves many clients, so these are never read from its own environment: the relay sends them with its
hello, and they hold for the calls of that connection.
"""

from collections.abc import Mapping
from pathlib import Path

CLIENT_NAMES: tuple[str, ...] = (
    "CLAUDE_CODE_MCP_CLAUDE_BINARY",
    "CLAUDE_CODE_BINARY",
    "CLAUDE_CODE_MCP_DEFAULT_MODEL",
    "CLAUDE_DEFAULT_MODEL",
    "CLAUDE_CODE_MCP_DEFAULT_WORKING_DIRECTORY",
    "DEFAULT_WORKING_DIRECTORY",
    "CLAUDE_CODE_MCP_DEFAULT_ALLOWED_TOOLS",
    "DEFAULT_ALLOWED_TOOLS",
    "CLAUDE_CODE_MCP_SESSION_TIMEOUT_MS",
    "SESSION_TIMEOUT_MS",
    "CLAUDE_CODE_MCP_JOBS_MAX",
    "MCP_BG_MAX_JOBS",
    "CLAUDE_CODE_MCP_JOB_OUTPUT_LIMIT_BYTES",
    "MCP_BG_MAX_OUTPUT_SIZE",
    "CLAUDE_CODE_MCP_JOB_TIMEOUT_S",
    "MCP_BG_JOB_TIMEOUT",
)
"""The names of all settings that hold per client (a test holds this list and the model together)."""

EXTRA_NAME = "CLAUDE_CODE_MCP_EXTRA_ENV"


def config_path(env: Mapping[str, str], *, darwin: bool = False) -> Path:
    """Return where `config.toml` is: `CLAUDE_CODE_MCP_CONFIG`, else the system's place for configuration.

    The same rule as platformdirs' `user_config_path` (a test holds the two together), without its import.
    """
    named = env.get("CLAUDE_CODE_MCP_CONFIG", "")
    if named:
        return Path(expanded(named, env)).absolute()
    xdg = env.get("XDG_CONFIG_HOME", "").strip()
    home = Path(env.get("HOME") or Path.home())
    if xdg.startswith("/"):
        base = Path(xdg)
    else:
        base = home / "Library" / "Application Support" if darwin else home / ".config"
    return base / "claude-code-mcp" / "config.toml"


def expanded(path: str, env: Mapping[str, str]) -> str:
    """Return `path` with a leading `~` replaced by the home directory of `env`."""
    if path == "~" or path.startswith("~/"):
        return (env.get("HOME") or str(Path.home())) + path[1:]
    return path


def relay_names(env: Mapping[str, str], *, darwin: bool = False) -> tuple[str, ...]:
    """Return the names that the relay adds to the allow-list: CLIENT_NAMES, and the user's `extra_env`.

    A `config.toml` that cannot be read adds nothing here; the daemon reports it.
    """
    return CLIENT_NAMES + tuple(split_names(env.get(EXTRA_NAME, "")) or _from_file(config_path(env, darwin=darwin)))


def split_names(text: str) -> list[str]:
    """Return the words of a list that is written with commas or spaces; parentheses keep their commas.

    `Bash(git add:*, git commit:*), Read` is two words.
    """
    words, word, depth = [], "", 0
    for char in text:
        depth = max(0, depth + (char == "(") - (char == ")"))
        if depth == 0 and (char == "," or char.isspace()):
            words.append(word)
            word = ""
        else:
            word += char
    return [found for found in [*words, word] if found]


def _from_file(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    import tomllib  # noqa: PLC0415  (the relay must not pay for it where there is no file)

    try:
        names = tomllib.loads(text).get("extra_env", [])
    except ValueError:
        return []
    if isinstance(names, str):
        return split_names(names)
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
