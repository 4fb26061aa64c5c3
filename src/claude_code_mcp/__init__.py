"""claude-code-mcp: run, steer and watch Claude Code, and lose nothing."""

__version__ = "0.1.0"
