"""The one append-only log of facts, and how to wait for the next one."""
