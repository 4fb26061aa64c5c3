"""Permission questions of Claude Code: kept until a person, a policy or the end of the process settles them.

Not here: the permission rules of Claude Code itself, and how a question looks on the wire (platform.claude).
"""
