"""What end-to-end tests share: the real Claude Code, a home of its own, a project, and the scripted model."""
