"""`config`: what is set, where it comes from, and how to change it. Works without a daemon."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from claude_code_mcp.platform.files import editor
from claude_code_mcp.platform.settings import sources
from claude_code_mcp.platform.settings.client_env import config_path
from claude_code_mcp.platform.settings.config_file import plan_set, plan_unset
from claude_code_mcp.platform.settings.model import About, Settings, about, all_settings
from claude_code_mcp.surfaces.cli.exits import Exit
from claude_code_mcp.surfaces.cli.output import print_json, print_text
from claude_code_mcp.surfaces.cli.parts import epilog_of, json_flag
from claude_code_mcp.surfaces.cli.setup import current
from claude_code_mcp.surfaces.cli.tree import Branch, LoadCatalog


def _path() -> Path:
    return config_path(current().env, darwin=sys.platform == "darwin")


def _as_json(settings: Settings, setting: About) -> dict[str, Any]:
    value = settings.model_dump(mode="json")[setting.name]
    return {"value": value, "origin": settings.origin(setting.name), "unit": setting.unit, "env": setting.env}


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(str(item) for item in value) or "(none)"
    return "(unset)" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _show() -> click.Command:
    def run(name: str | None, as_json: bool) -> int:
        settings = sources.load(current().env, {"state_dir": str(current().directory)})
        wanted = [about(name)] if name else list(all_settings())
        values = {setting.name: _as_json(settings, setting) for setting in wanted}
        if as_json:
            print_json(values)
            return Exit.OK
        for setting in wanted:
            said = values[setting.name]
            unit = f" {setting.unit}" if setting.unit and said["value"] is not None else ""
            print_text(f"{setting.name} = {_shown(said['value'])}{unit}  ({said['origin']})")
            names = f" Environment: {', '.join(setting.env)}." if setting.env else ""
            print_text(f"    {setting.description}{names}{_bounds(setting)}")
        return Exit.OK

    return click.Command(
        "show",
        callback=run,
        params=[click.Argument(["name"], required=False), json_flag()],
        help="Show every setting, or one: its value, where that comes from, and what it means.",
        epilog=epilog_of(("config show", "config show default_model --json")),
    )


def _bounds(setting: About) -> str:
    return f" Must be {setting.bounds}." if setting.bounds else ""


def _change(plan: editor.Plan, *, dry_run: bool, as_json: bool) -> int:
    wrote = False if dry_run else editor.apply(plan).wrote
    if as_json:
        print_json({"path": str(plan.path), "changed": plan.changed, "wrote": wrote, "diff": plan.diff()})
    elif not plan.changed:
        print_text(f"{plan.path} says that already.")
    else:
        print_text(plan.diff())
        print_text("Nothing was written." if dry_run else "A running daemon takes it up with `daemon restart`.")
    return Exit.OK


def _dry_run() -> click.Option:
    return click.Option(["--dry-run"], is_flag=True, help="Show the change, write nothing.")


def _set() -> click.Command:
    def run(name: str, value: str, dry_run: bool, as_json: bool) -> int:
        plan = plan_set(_path(), name, value, current().env)
        return _change(plan, dry_run=dry_run, as_json=as_json)

    return click.Command(
        "set",
        callback=run,
        params=[click.Argument(["name"]), click.Argument(["value"]), _dry_run(), json_flag()],
        help="Set a setting in the configuration file. Comments and order in it stay.",
        epilog=epilog_of(("config set default_model opus", "config set session_idle_s 300 --dry-run")),
        no_args_is_help=True,
    )


def _unset() -> click.Command:
    def run(name: str, dry_run: bool, as_json: bool) -> int:
        return _change(plan_unset(_path(), name), dry_run=dry_run, as_json=as_json)

    return click.Command(
        "unset",
        callback=run,
        params=[click.Argument(["name"]), _dry_run(), json_flag()],
        help="Take a setting out of the configuration file, so that its default counts again.",
        epilog=epilog_of(("config unset default_model",)),
        no_args_is_help=True,
    )


def _where() -> click.Command:
    def run(as_json: bool) -> int:
        path = _path()
        if as_json:
            print_json({"path": str(path), "exists": path.exists()})
        else:
            print_text(str(path))
        return Exit.OK

    return click.Command("path", callback=run, params=[json_flag()], help="Print where the configuration file is.")


def config_group(_load: LoadCatalog) -> click.Command:
    """Return `config`."""
    commands = (_show(), _set(), _unset(), _where())
    return Branch(
        "config",
        commands={str(command.name): command for command in commands},
        help="Show and change the settings: flags before environment before the file before defaults.",
        no_args_is_help=True,
    )


COMMANDS: Mapping[str, Callable[[LoadCatalog], click.Command]] = {"config": config_group}
