"""The two MCP servers of the call rows, each behind the stdio that a client starts."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from bench.place import ROOT, place
from bench.wire import Child


@dataclass(frozen=True, slots=True)
class Site:
    """A server that has shaken hands."""

    child: Child


@contextmanager
def ours() -> Generator[Site]:
    """Our relay in front of a daemon of our parts with the measuring tools."""
    with place() as here:
        here.state.mkdir(mode=0o700)
        daemon = subprocess.Popen(
            here.python("-m", "bench.peers.ours", str(here.state)),
            stdout=subprocess.PIPE,
            env=dict(here.env),
            cwd=ROOT,
        )
        with daemon:
            try:
                if daemon.stdout is None or not daemon.stdout.readline():
                    raise RuntimeError("the measuring daemon did not start")
                with Child(here.relay(), here.env, str(ROOT)) as child:
                    child.shake_hands()
                    yield Site(child)
            finally:
                daemon.terminate()


@contextmanager
def stock() -> Generator[Site]:
    """The SDK's server with the same tools on its stock stdio."""
    with place() as here, Child(here.python("-m", "bench.peers.sdk_server"), here.env, str(ROOT)) as child:
        child.shake_hands()
        yield Site(child)
