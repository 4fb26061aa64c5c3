"""Copy lines both ways until the client goes; when the daemon goes instead, find the next one and carry on."""

import contextlib
import os
import select
import signal
import socket
from collections.abc import Callable

from claude_code_mcp.platform.ipc.connect import Channel
from claude_code_mcp.relay.lines import Ledger

CHUNK = 256 * 1024
HIGH_WATER = 4 * 1024 * 1024
"""Bytes that may wait for a slow side before the other one is not read any more."""
WATCH_MS = 5000
"""How often to look whether our parent is still there, where nothing else wakes us."""

Dial = Callable[[], Channel]


class ClientGone(Exception):
    """The client closed its end: the relay's work is done."""


class Bridge:
    """One client on fds `fd_in` and `fd_out`, one daemon at a time behind `dial`."""

    def __init__(self, dial: Dial, fd_in: int, fd_out: int) -> None:
        self._dial = dial
        self._fd_in = fd_in
        self._fd_out = fd_out
        self._ledger = Ledger()
        self._from_client = b""
        self._from_daemon = b""
        self._to_client = bytearray()
        self._to_daemon = bytearray()
        self._swallow: bytes | None = None
        self._parent = os.getppid()
        self._sock: socket.socket | None = None
        os.set_blocking(fd_in, False)
        os.set_blocking(fd_out, False)

    def run(self) -> None:
        """Serve until the client is gone."""
        try:
            while True:
                self._connect()
                try:
                    self._copy()
                except ConnectionError:
                    self._reconnected()
        except ClientGone:
            return
        finally:
            os.set_blocking(self._fd_out, True)
            if self._sock is not None:
                self._sock.close()

    def _connect(self) -> None:
        channel = self._dial()
        self._sock = channel.sock
        self._sock.setblocking(False)
        lines, self._swallow = self._ledger.introduction()
        self._to_daemon = bytearray(b"".join(lines))
        self._from_daemon = b""
        self._take_daemon(channel.rest)

    def _reconnected(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        for line in self._ledger.lost():
            self._to_client += line

    def _copy(self) -> None:
        sock = self._sock
        if sock is None:
            raise ConnectionError
        while True:
            for fd, happened in self._poll(sock):
                if fd == self._fd_in:
                    self._read_client()
                elif fd == sock.fileno():
                    self._serve_daemon(sock, happened)
                elif fd == self._fd_out:
                    self._flush_client(happened)
            if self._to_daemon:
                self._flush_daemon(sock)
            if self._to_client:
                self._flush_client(select.POLLOUT)

    def _poll(self, sock: socket.socket) -> list[tuple[int, int]]:
        poll = select.poll()
        if len(self._to_daemon) < HIGH_WATER:
            poll.register(self._fd_in, select.POLLIN)
        wish = select.POLLIN if len(self._to_client) < HIGH_WATER else 0
        poll.register(sock.fileno(), wish | (select.POLLOUT if self._to_daemon else 0))
        if self._to_client:
            poll.register(self._fd_out, select.POLLOUT)
        ready = poll.poll(WATCH_MS)
        if not ready and os.getppid() != self._parent:
            raise ClientGone
        return ready

    def _read_client(self) -> None:
        try:
            data = os.read(self._fd_in, CHUNK)
        except BlockingIOError:
            return
        except OSError as exc:
            raise ClientGone from exc
        if not data:
            raise ClientGone
        *lines, self._from_client = (self._from_client + data).split(b"\n")
        for line in lines:
            self._ledger.sent(line + b"\n")
            self._to_daemon += line + b"\n"

    def _serve_daemon(self, sock: socket.socket, happened: int) -> None:
        if happened & (select.POLLIN | select.POLLHUP | select.POLLERR):
            try:
                data = sock.recv(CHUNK)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionResetError
            self._take_daemon(data)

    def _take_daemon(self, data: bytes) -> None:
        *lines, self._from_daemon = (self._from_daemon + data).split(b"\n")
        for line in lines:
            if self._swallow is not None and self._ledger.is_answer_to(line, self._swallow):
                self._swallow = None
                continue
            self._ledger.answered(line)
            self._to_client += line + b"\n"

    def _flush_daemon(self, sock: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            del self._to_daemon[: sock.send(self._to_daemon)]

    def _flush_client(self, happened: int) -> None:
        if happened & (select.POLLERR | select.POLLNVAL):
            raise ClientGone
        try:
            with contextlib.suppress(BlockingIOError):
                del self._to_client[: os.write(self._fd_out, self._to_client)]
        except BrokenPipeError as exc:
            raise ClientGone from exc


def leave_quietly_on_signals() -> None:
    """End at once on the signals that MCP clients send; nothing here needs to be put in order."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os._exit(0))
