"""What can go wrong with binaries; those that the search itself raises stand in platform.claude."""

from claude_code_mcp.platform.claude.errors import BinaryNotFound, BinaryTooOld, BinaryUnusable

__all__ = ["BinaryNotFound", "BinaryTooOld", "BinaryUnusable"]
