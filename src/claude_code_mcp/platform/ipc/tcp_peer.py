"""Whose process is at the other end of a TCP connection on loopback."""

import socket
import struct
import sys
from collections.abc import Callable

Address = tuple[str, int]
Lookup = Callable[[Address, Address], int | None]

# sock_diag(7): one message asks the kernel for the socket with these two ends. Reading /proc/net/tcp tells the same,
# but the kernel then walks its whole table, which takes it milliseconds.
_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_SOCKET_ID = struct.Struct("=2s2s16s16sIII")
_REPLY = struct.Struct("=BBBB48sIIIII")
_ANY = 0xFFFFFFFF
_ANSWER_S = 1.0


def peer_uid(client: Address, server: Address) -> int | None:
    """Return the user id of the process that connected from `client` to `server`; None where it cannot be told.

    Linux and IPv4 only. A connection that its process has closed already belongs to nobody: the kernel says root,
    without an inode, and it counts as not told.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as sock:
            sock.settimeout(_ANSWER_S)
            sock.sendto(_asked(client, server), (0, 0))
            return _told(sock.recv(4096))
    except OSError:
        return None  # no such family of sockets here (some sandboxes), or not an address of the machine's own


def _asked(client: Address, server: Address) -> bytes:
    # The peer's own socket is looked for: its local end is the client's address.
    ends = _SOCKET_ID.pack(
        client[1].to_bytes(2, "big"),
        server[1].to_bytes(2, "big"),
        socket.inet_aton(client[0]),
        socket.inet_aton(server[0]),
        0,
        _ANY,
        _ANY,
    )
    body = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ANY) + ends
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0) + body


def _told(answer: bytes) -> int | None:
    if len(answer) < _HEADER.size + _REPLY.size or _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        return None
    uid, inode = _REPLY.unpack_from(answer, _HEADER.size)[-2:]
    return int(uid) if inode else None
