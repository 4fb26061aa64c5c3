"""Loaded by Python at its start where PYTHONPATH names this folder: kills a test's daemon at one exact step.

`PYTHON_KILL_AT=57` kills the daemon, as `kill -9` would, at its 57th step; `PYTHON_KILL_LOG` names a file that then
tells which step that was, or how many there were when it ended by itself. A step is the moment before, or after, a
call that the world outside can see: a commit, a write to a descriptor or a socket, a rename, a new process, a signal.
"""

import os
import sys

if os.environ.get("PYTHON_KILL_AT") and "--ready-fd" in sys.orig_argv:
    import stepping

    stepping.arm(int(os.environ["PYTHON_KILL_AT"]), os.environ["PYTHON_KILL_LOG"])
