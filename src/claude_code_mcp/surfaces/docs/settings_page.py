"""`settings.md`: everything that can be set."""

from collections.abc import Iterator
from typing import Any

from claude_code_mcp.platform.settings.model import About, Settings, all_settings
from claude_code_mcp.surfaces.docs.discovery import Declared
from claude_code_mcp.surfaces.docs.markdown import cell, code, page

_INTRO = """A value comes from the first of: a flag, the environment, `config.toml`, the default. `claude-code-mcp
config show` prints every value and where it came from, `config set NAME VALUE` changes the file, `config path`
prints where it is. An empty variable counts as unset. Sizes may be written as `16MiB`, lists with commas or
spaces."""

_SCOPES = {
    "daemon": "the daemon, when it starts",
    "client": "each client for its own calls, by its own environment",
    "home": "the environment or `--state-dir`, not the file",
}


def settings_page(_: Declared) -> str:
    """Return the page."""
    return page("Settings", _INTRO, *(list(_setting(about)) for about in all_settings()))


def _setting(about: About) -> Iterator[str]:
    yield from (f"## {code(about.name)}", "", cell(about.description), "")
    yield f"- Default: {_default(about)}"
    if about.unit:
        yield f"- Unit: {about.unit}"
    if about.bounds:
        yield f"- Bounds: {about.bounds}"
    yield f"- Environment: {', '.join(code(name) for name in about.env)}"
    yield f"- Set by: {_SCOPES[about.scope]}"
    yield ""


def _default(about: About) -> str:
    field = Settings.model_fields[about.name]
    if field.is_required():
        return "the system's place for a program's state"
    if field.default_factory is not None:
        return "depends on the machine"
    return _shown(about.default)


def _shown(value: Any) -> str:
    if value is None:
        return "unset"
    if isinstance(value, tuple):
        return code(" ".join(str(item) for item in value)) or "none"
    if isinstance(value, bool):
        return code(str(value).lower())
    return code(f"{value:g}" if isinstance(value, float) else str(value))
