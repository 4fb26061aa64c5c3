"""The Claude Code CLI: its flags, its stream, its control protocol and the files under `~/.claude`.

Nothing outside this package knows them. What comes in is parsed once into facts and control items; what goes
out is built from frozen options. Parsing touches neither clock nor disk. `environment` is standard library
only, because the relay imports it too, and this file imports nothing for the same reason.
"""
