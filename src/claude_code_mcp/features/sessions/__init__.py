"""Claude Code sessions: start, follow, steer, stop and resume them, and find them all again after any crash.

Not here: answering permission questions (approvals), whether a project is trusted (projects), which `claude`
is run (binaries), and how the CLI is spoken to (platform.claude, platform.procs).
"""
