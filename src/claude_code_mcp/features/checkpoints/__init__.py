"""Checkpoints: a project's whole tree at one time, with the point in the conversation that it belongs to.

This keeps which checkpoint came from which, where a project stands, and when something is taken, restored or forgotten.
How a tree is read and written is `platform/worktrees`, how bytes are kept is `platform/blobs`.
"""
