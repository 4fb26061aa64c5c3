"""Processes: one tree of everything that belongs to Claude on this machine, what it uses, and what is left of it.

It reads the process table, and ends only what is proven to be left over, on an explicit wish.
"""
