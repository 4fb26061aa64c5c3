"""How we touch the world: disk, processes, sockets, and the Claude Code CLI."""
