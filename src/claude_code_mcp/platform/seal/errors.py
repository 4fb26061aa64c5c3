"""Why something was not sealed or opened."""

from claude_code_mcp.kernel.errors import Conflict, Invalid, Unavailable


class KeyUnavailable(Unavailable):
    """The place for keys does not give the key now: locked, not there, or it lacks it."""

    code = "seal_key_unavailable"


class KeyRefused(Invalid):
    """What was to be taken in is no key of ours; nothing was changed."""

    code = "seal_key_refused"


class SealBroken(Conflict):
    """A sealed content is not what was sealed: changed, cut, or under another key than it says."""

    code = "seal_broken"
