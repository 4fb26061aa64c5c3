"""Copies stdin and stdout to a Unix socket and back, as the relay does: `python bridge.py SOCKET`."""

import os
import select
import socket
import sys


def main(path: str) -> None:
    """Copy until the client closes its end."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.connect(path)
    while True:
        ready, _, _ = select.select([0, sock.fileno()], [], [])
        for source in ready:
            data = os.read(source, 65536)
            if not data:
                return
            if source == 0:
                sock.sendall(data)
                continue
            while data:
                data = data[os.write(1, data) :]


if __name__ == "__main__":
    main(sys.argv[1])
