"""Why a request over HTTP is refused before any operation sees it. Nothing was changed."""

from claude_code_mcp.kernel.errors import Denied, Invalid, NotFound, Unavailable


class WrongHost(Denied):
    """The request names another host than this machine (DNS rebinding), or none."""

    code, status = "wrong_host", 421


class ForeignOrigin(Denied):
    """A page of another site asks."""

    code = "foreign_origin"


class TokenNeeded(Denied):
    """The request has no token, or a wrong one."""

    code, status = "token_needed", 401


class UnknownRoute(NotFound):
    """Nothing is served at this path."""

    code = "unknown_route"


class WrongMethod(Invalid):
    """The path is served, but not with this method."""

    code, status = "wrong_method", 405


class WrongContent(Invalid):
    """The body is not of a type or coding that is taken here."""

    code, status = "wrong_content", 415


class BodyTooLarge(Invalid):
    """The body is longer than is taken."""

    code, status = "body_too_large", 413


class BadBody(Invalid):
    """The body, or a part of the address, cannot be read."""

    code, status = "bad_body", 400


class ClientGone(Unavailable):
    """The client hung up before its request was whole; nobody is left to answer."""

    code = "client_gone"


class TooManyStreams(Unavailable):
    """As many clients follow the events as may."""

    code = "too_many_streams"


class Closing(Unavailable):
    """The daemon is on its way out."""

    code = "daemon_closing"
