"""Loaded by Python at its start where PYTHONPATH names this folder: kills a test's daemons, each at one exact step.

`PYTHON_KILL_PLAN` names a file with one line for each daemon that will be started: `57` kills it, as `kill -9` would,
at its 57th step, `after commit:3` at the third of that kind; daemons beyond the last line are left alone. What became
of each is appended to the file of the same name with `.told`. A step is the moment before, or after, a call that the
world outside can see: a commit, a write to a descriptor or a socket, a rename, a new process, a signal.
"""

import os
import runpy
import sys

if os.environ.get("PYTHON_KILL_PLAN") and "--ready-fd" in sys.orig_argv:
    runpy.run_path(os.path.join(os.path.dirname(__file__), "stepping.py"))["arm"](os.environ["PYTHON_KILL_PLAN"])
