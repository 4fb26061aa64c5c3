"""The project tree as checkpoints see it: scan, ignore rules, manifest, differences, and restoring it safely.

This is not the store (`platform/blobs` keeps bytes) and knows no checkpoint, session or conversation. Paths are bytes,
relative to the root of the tree, with `/` between their components.
"""
