"""What can go wrong with the store."""

from claude_code_mcp.kernel.errors import Unavailable


class StoreUnavailable(Unavailable):
    """The disk refused a write (full, read-only, broken); nothing of the request was kept."""

    code = "store_unavailable"


class StoreTooNew(Unavailable):
    """The database was written by a newer version than this one."""

    code = "store_too_new"


class StoreClosed(Unavailable):
    """The daemon is shutting down."""

    code = "store_closed"
