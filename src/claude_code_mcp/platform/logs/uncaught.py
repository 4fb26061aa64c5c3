"""Exceptions that nobody caught, in a thread, a task or a finaliser, are logged and not lost on stderr."""

import asyncio
import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

_log = logging.getLogger("claude_code_mcp.uncaught")


def log_uncaught() -> Callable[[], None]:
    """From now on log what ends a thread or the program, and what fails unheard; return the way back."""
    before = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    sys.excepthook, threading.excepthook, sys.unraisablehook = _program, _thread, _unraisable

    def restore() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return restore


def log_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Log what `loop` would only print: tasks that failed unheard, callbacks that raised, transports left open."""
    loop.set_exception_handler(_loop)


def _program(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, exc, trace)
        return
    _log.critical("the program ends by an error", exc_info=(kind, exc, trace))


def _thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is None or isinstance(args.exc_value, SystemExit):
        return
    name = args.thread.name if args.thread else "?"
    _log.error("thread %s ends by an error", name, exc_info=(args.exc_type, args.exc_value, args.exc_traceback))


def _unraisable(args: "sys.UnraisableHookArgs") -> None:
    exc = args.exc_value
    _log.error("%s: %r", args.err_msg or "an error where nobody can catch it", args.object, exc_info=exc)


def _loop(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    exc = context.get("exception")
    about = {name: repr(value) for name, value in context.items() if name not in {"message", "exception"}}
    _log.error(
        context.get("message") or "an error in the event loop",
        exc_info=exc if isinstance(exc, BaseException) else None,
        extra={"context": about},
    )
