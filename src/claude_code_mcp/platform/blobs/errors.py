"""What can go wrong with stored objects, as callers can act on it."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, NotFound, Unavailable


class BlobsUnavailable(Unavailable):
    """The disk of the object store would not serve: full, read-only, failing, or without descriptors left."""

    code = "blobs_unavailable"


class BlobsBusy(Unavailable):
    """Another process kept the object store locked for as long as we were ready to wait."""

    code = "blobs_busy"


class ObjectMissing(NotFound):
    """The store has no object of this digest."""

    code = "object_missing"


class ObjectDamaged(Unavailable):
    """Every copy of an object is damaged; `details` name the objects and the packs."""

    code = "object_damaged"


class ObjectTooLarge(Invalid):
    """One piece of bytes above the limit; it must be put as a stream."""

    code = "object_too_large"


class StoreNeedsRepair(Conflict):
    """A wanted list of chunks cannot be read, so nobody can say which chunks are wanted; nothing was swept."""

    code = "object_store_needs_repair"


class ImportRefused(Invalid):
    """The file is no whole, honest export; nothing of it was taken in."""

    code = "import_refused"


class Malformed(ValueError):
    """Bytes that are not in our format; the text says where. Internal: callers see one of the errors above."""
