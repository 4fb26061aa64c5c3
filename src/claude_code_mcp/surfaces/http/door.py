"""Who may come in: nobody from elsewhere, no page of another site, and who shows the token or is the same user."""

import hmac
from dataclasses import dataclass, field

from claude_code_mcp.platform.ipc.hook_token import hook_token
from claude_code_mcp.platform.ipc.port import HOST
from claude_code_mcp.platform.ipc.tcp_peer import Address, Lookup
from claude_code_mcp.surfaces.http.errors import ForeignOrigin, TokenNeeded, WrongHost
from claude_code_mcp.surfaces.http.wire import Heads

TOKEN_HEADER = "X-Claude-Code-Mcp-Token"  # noqa: S105 - the name of a header
PEER = "peer"
"""The name under which a connection is known to its requests."""
_TOKEN_HEADER = TOKEN_HEADER.lower().encode()
_HERE = (HOST, "localhost")
_OWN_SITE = (b"same-origin", b"none")


@dataclass(slots=True)
class Peer:
    """The other end of one connection; whose process it is, is looked up once."""

    client: Address | None
    server: Address | None
    lookup: Lookup
    _uid: int | None = None
    _asked: bool = field(default=False)

    def uid(self) -> int | None:
        """Return the user id of the process there, None where it cannot be told."""
        if not self._asked and self.client is not None and self.server is not None:
            self._uid = self.lookup(self.client, self.server)
        self._asked = True
        return self._uid


class Door:
    """Decides about each request; all of it before its body is read."""

    def __init__(self, port: int, token: str, uid: int) -> None:
        self._hosts = frozenset(f"{host}:{port}".encode() for host in _HERE)
        self._origins = frozenset(b"http://" + host for host in self._hosts)
        self._token = token.encode()
        self._hook_token = hook_token(token).encode()
        self._uid = uid

    def check_address(self, heads: Heads) -> None:
        """Check where a request says that it goes and comes from.

        Raises:
            WrongHost: its `Host` is not this machine with our port, so a name was made to resolve here.
            ForeignOrigin: a page that is not ours sent it.
        """
        if heads.get(b"host", b"").lower() not in self._hosts:
            raise WrongHost("This server is not the host that you ask for.", remedy="Ask it by 127.0.0.1 and its port.")
        if (origin := heads.get(b"origin")) is not None and origin not in self._origins:
            raise ForeignOrigin("Pages of other sites are not served.")
        if (site := heads.get(b"sec-fetch-site")) is not None and site not in _OWN_SITE:
            raise ForeignOrigin("Pages of other sites are not served.")

    def check_token(self, heads: Heads) -> None:
        """Check that the request has the token.

        Raises:
            TokenNeeded: it has none, or a wrong one.
        """
        if not self._shown(heads):
            raise TokenNeeded("This needs the token of the daemon.", remedy="`claude-code-mcp http` shows it.")

    def check_same_user(self, heads: Heads, peer: Peer) -> None:
        """Check that the request comes from a process of our user, or has the token or the word for hooks.

        Raises:
            TokenNeeded: it does not, or its token is wrong.
        """
        if self._shown(heads, self._hook_token):
            return
        if peer.uid() != self._uid:
            raise TokenNeeded(
                "The sender is not known to be a process of the user of this daemon.",
                remedy=f"Send the token as `{TOKEN_HEADER}`; `claude-code-mcp http` shows it.",
            )

    def _shown(self, heads: Heads, instead: bytes = b"") -> bool:
        """Tell whether the right token is there, or the word that does `instead`; none is False.

        Raises:
            TokenNeeded: a wrong one is.
        """
        token = heads.get(_TOKEN_HEADER)
        if token is None:
            scheme, _, token = heads.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        shown = token.strip()
        if not hmac.compare_digest(shown, self._token) and not (instead and hmac.compare_digest(shown, instead)):
            raise TokenNeeded("The token is wrong.", remedy="`claude-code-mcp http` shows the right one.")
        return True
