"""Running something in a child process that is killed, as by `kill -9`, right before its n-th step that others can see;
or whose disk refuses a step."""

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

STEPS = (
    "write", "rename", "replace", "unlink", "mkdir", "rmdir", "symlink", "fsync", "fchmod", "utime", "ftruncate",
    "open",
)  # fmt: skip
LIVED, RAISED, OVERCAME, FAILED = 0, 3, 4, 9


class Steps:
    """Counts the steps of this process and does something at one of them."""

    def __init__(self, last: int, then: Callable[[str], None]) -> None:
        self.taken = 0
        self._last = last
        self._then = then

    @property
    def reached(self) -> bool:
        """Whether the step was taken."""
        return self.taken >= self._last

    def arm(self) -> None:
        """Watch from now on. For good: only a child process may do this."""
        for name in STEPS:
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **more: Any) -> Any:
            if name != "open" or args[1] & os.O_CREAT:
                self.taken += 1
                if self.taken == self._last:
                    self._then(name)
            return call(*args, **more)

        return stepped


def _die(name: str) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(step: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that is killed before its step number `step`; return whether it came so far."""
    return _in_child(Steps(step, _die), work) == -signal.SIGKILL


def refused_at(step: int, number: int, work: Callable[[], object], allowed: tuple[type[BaseException], ...]) -> int:
    """Run `work` in a child whose disk refuses step `step` with the errno `number`.

    Return RAISED where the child raised something that is `allowed` (it may raise nothing else), OVERCAME where it
    ended well all the same, LIVED where it never came so far.
    """

    def refuse(name: str) -> None:
        raise OSError(number, os.strerror(number))

    def tolerant() -> None:
        try:
            work()
        except allowed:
            os._exit(RAISED)

    return _in_child(Steps(step, refuse), tolerant)


def _in_child(steps: Steps, work: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        code = FAILED
        try:
            steps.arm()
            work()
            code = OVERCAME if steps.reached else LIVED
        except BaseException:  # noqa: BLE001 - a child must not return into the test
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended in {LIVED, RAISED, OVERCAME, -signal.SIGKILL}, f"the child failed with {ended}"
    return ended
