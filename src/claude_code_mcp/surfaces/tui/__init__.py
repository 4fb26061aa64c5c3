"""The terminal application `watch`: every session of the machine on the left, its tree on the right.

It stands on the command line's parts, is loaded only when it is called, and knows the daemon by the operations alone.
"""
