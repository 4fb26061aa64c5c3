"""Decisions about checkpoints: pure functions."""
