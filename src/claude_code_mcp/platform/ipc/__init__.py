"""The Unix socket between clients and the daemon: where it is, who may speak, what is said first.

`address`, `hello` and `connect` use the standard library only, because the relay must start in milliseconds.
"""
