"""Keeping the collector of reference cycles away from what stays for good.

A start makes a hundred thousand objects, none of them garbage: looking through them again and again costs a
fifth of it, and every later full collection would look through them too.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager


def settled() -> None:
    """Take all that stands now as here to stay, and collect from here on."""
    gc.freeze()
    gc.enable()


@contextmanager
def growing() -> Generator[None]:
    """Collect nothing inside: for importing much."""
    gc.disable()
    try:
        yield
    finally:
        settled()
