"""Lets an event loop go on while files are read, locked and synced."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar

from anyio import to_thread

_P = ParamSpec("_P")
_T = TypeVar("_T")


async def off_loop(work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Run `work` in a thread and return what it returns; a cancelled caller still waits for its end."""
    return await to_thread.run_sync(partial(work, *args, **kwargs))
