"""What the daemon cannot give."""

from claude_code_mcp.kernel.errors import Unavailable


class NoHttp(Unavailable):
    """The daemon does not listen for HTTP."""

    code = "no_http"
