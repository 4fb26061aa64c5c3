"""Benchmarks: each number beside its named peer or floor, measured in the same minutes on the same machine.

`python -m bench` prints the table of all rows; `docs/benchmarks.md` keeps the last one. Speeds of a machine
change from hour to hour, so goals are ratios of runs that alternate; what has no peer has an absolute goal.
"""
