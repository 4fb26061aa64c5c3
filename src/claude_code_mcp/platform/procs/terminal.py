"""A pseudo-terminal for a run: its program sees a terminal, we see a file and a FIFO. Standard library only.

One process, the pump, copies what the program says into `stdout` and what is written to the FIFO `stdin` to the
program. It outlives the daemon as the shim does, and ends when nobody has the terminal open any more.
"""

import errno
import fcntl
import os
import select
import struct
import termios

from claude_code_mcp.platform.procs.records import Json, load, number

_PIECE = 64 * 1024


class Terminal:
    """The two ends of a terminal, in the shim; `pump` is the copying process."""

    def __init__(self, size: Json) -> None:
        """`size`: `rows` and `cols`.

        Raises:
            OSError: there is no terminal left.
        """
        self.master, self.slave = os.openpty()
        self.pump = 0
        resize(self.master, size)

    def start_pump(self, run_dir: str) -> int:
        """Fork the pump and return its pid; the slave is closed here, it belongs to the program.

        The FIFO has its reader before this returns: a run that is known to be there takes keys at once.

        Raises:
            OSError: no process or descriptor is left, or there is no FIFO.
        """
        source = os.open(f"{run_dir}/stdin", os.O_RDWR | os.O_NONBLOCK)  # also for writing: no end of file
        pid = os.fork()
        if pid == 0:
            os.close(self.slave)
            _pump(self.master, source, f"{run_dir}/stdout")
            os._exit(0)
        os.close(source)
        os.close(self.slave)
        self.pump = pid
        return pid


def adopt(slave: int) -> None:
    """Make the terminal ours: controlling, and standard input, output and error. Called in the child."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)


def resize(master: int, size: Json) -> None:
    """Tell the terminal its size; the program gets SIGWINCH."""
    rows, cols = int(number(size, "rows", 24)), int(number(size, "cols", 80))
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def resize_as_asked(master: int, run_dir: str) -> None:
    """Give the terminal the size that `terminal.json` of the run directory asks for."""
    asked = load(f"{run_dir}/terminal.json")
    if asked:
        resize(master, asked)


def _pump(master: int, source: int, output: str) -> None:
    sink = os.open(output, os.O_WRONLY | os.O_APPEND)
    poll = select.poll()
    poll.register(master, select.POLLIN)
    poll.register(source, select.POLLIN)
    pending = b""
    while True:
        ready = dict(poll.poll())
        if master in ready and not _drain(master, sink):
            return
        if source in ready and not pending:
            pending = os.read(source, _PIECE)
        if pending:
            pending = _feed(master, pending)
            poll.modify(master, select.POLLIN | (select.POLLOUT if pending else 0))
            poll.modify(source, 0 if pending else select.POLLIN)


def _drain(master: int, sink: int) -> bool:
    """Copy what the program has said; False when nobody has the terminal any more (EIO on Linux, end on macOS)."""
    fcntl.fcntl(master, fcntl.F_SETFL, fcntl.fcntl(master, fcntl.F_GETFL) | os.O_NONBLOCK)
    try:
        data = os.read(master, _PIECE)
    except BlockingIOError:
        return True
    except OSError as exc:
        if exc.errno == errno.EIO:
            return False
        raise
    while data:
        try:
            data = data[os.write(sink, data) :]
        except OSError as exc:
            if exc.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise
            return True  # what a full disk does not take is lost, as it would be without a terminal
    return True


def _feed(master: int, data: bytes) -> bytes:
    """Give the program its input and return what it did not take yet."""
    try:
        return data[os.write(master, data) :]
    except BlockingIOError:
        return data
    except OSError as exc:
        if exc.errno == errno.EIO:
            return b""
        raise
