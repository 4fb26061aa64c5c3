"""Activity: what every Claude Code on this machine does, live, as a tree folded from the event log.

A reader: it records nothing about what happened, and it starts, stops and answers nothing.
"""
