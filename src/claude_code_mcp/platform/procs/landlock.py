"""Landlock: a process gives up rights for itself and all that it starts. Standard library only, for the shim.

Numbers and structures are those of linux/landlock.h; the three system calls have one number on every architecture.
"""

import ctypes
import errno
import os
import stat
import struct
from collections.abc import Iterable

from claude_code_mcp.platform.procs.table import LINUX

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH = 1
_PR_SET_NO_NEW_PRIVS = 38
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_REFER_ABI, _TRUNCATE_ABI, _NETWORK_ABI, _IOCTL_ABI = 2, 3, 4, 5
_BASE = (1 << 13) - 1
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_TCP = 3
"""LANDLOCK_ACCESS_NET_BIND_TCP and LANDLOCK_ACCESS_NET_CONNECT_TCP."""
READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV


def abi() -> int:
    """Return the version of Landlock that this kernel speaks, 0 where it speaks none."""
    if not LINUX:
        return 0
    found = _syscall(_CREATE, ctypes.c_void_p(0), ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(0, found)


def handled(version: int) -> int:
    """Return all rights to files that a kernel of this ABI can take away."""
    extra = ((_REFER_ABI, _REFER), (_TRUNCATE_ABI, _TRUNCATE), (_IOCTL_ABI, _IOCTL_DEV))
    return _BASE | sum(right for since, right in extra if version >= since)


def restrict(readable: Iterable[str], writable: Iterable[str], *, tcp: bool) -> bool:
    """Keep this process, for ever, to reading below `readable` and to everything below `writable`; paths that are not
    there are passed over. Without `tcp` it may use no TCP either; returns whether the kernel can forbid that.

    Raises:
        OSError: the kernel refuses, or has no Landlock (ENOSYS).
    """
    version = abi()
    if version == 0:
        raise OSError(errno.ENOSYS, "this kernel has no Landlock")
    rights = handled(version)
    forbids_tcp = not tcp and version >= _NETWORK_ABI
    attributes = struct.pack("=QQ", rights, _TCP) if forbids_tcp else struct.pack("=Q", rights)
    rules = _checked(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for paths, allowed in ((readable, READ), (writable, rights)):
            for path in paths:
                _allow(rules, path, allowed & rights)
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _checked(_RESTRICT, ctypes.c_int(rules), ctypes.c_uint32(0))
    finally:
        os.close(rules)
    return forbids_tcp


def _allow(rules: int, path: str, allowed: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there, or not ours to see: then there is nothing to allow
    try:
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            allowed &= _ON_FILES
        rule = struct.pack("=Qi", allowed, fd)
        _checked(_ADD, ctypes.c_int(rules), ctypes.c_int(_RULE_PATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(fd)


def _checked(number: int, *args: object) -> int:
    found = _syscall(number, *args)
    if found < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return found


def _syscall(number: int, *args: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    found: int = library.syscall(ctypes.c_long(number), *args)
    return found
