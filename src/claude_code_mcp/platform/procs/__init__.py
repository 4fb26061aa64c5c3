"""Durable child processes ("runs"): started through a shim that outlives us, followed by offset, ended as a whole.

Import what you need from the modules; this file stays empty of code because the shim, a process that must be tiny,
passes through it.
"""
