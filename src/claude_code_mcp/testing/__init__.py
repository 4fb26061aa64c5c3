"""The scripted model: a stand-in for the Messages API on loopback that plays scenarios from a script.

For tests of hooks, agents and commands with the real Claude Code and without cost, for `claude-code-mcp demo`,
and for our own end-to-end tests. It knows nothing of our daemon, sessions or surfaces.
"""

from claude_code_mcp.testing.errors import PortTaken, ScriptInvalid, ScriptNotFound
from claude_code_mcp.testing.gates import Gate
from claude_code_mcp.testing.hosting import scripted_model, scripted_model_thread, serve
from claude_code_mcp.testing.loading import (
    builtin_script,
    demo_script,
    load_script,
    parse_script,
    script_schema,
    to_script,
)
from claude_code_mcp.testing.model import ScriptedModel
from claude_code_mcp.testing.recorder import Kind, Outcome, Seen
from claude_code_mcp.testing.script import Scenario, Script, Step

__all__ = [
    "Gate",
    "Kind",
    "Outcome",
    "PortTaken",
    "Scenario",
    "Script",
    "ScriptInvalid",
    "ScriptNotFound",
    "ScriptedModel",
    "Seen",
    "Step",
    "builtin_script",
    "demo_script",
    "load_script",
    "parse_script",
    "script_schema",
    "scripted_model",
    "scripted_model_thread",
    "serve",
    "to_script",
]
