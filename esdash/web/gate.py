"""Who may see the page: whoever knows the token. Decided without a socket."""

import hashlib
import hmac
import ipaddress
import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

SHORTEST: Final = 16
LONGEST: Final = 256
"""Characters of a token."""

BEARER: Final = "bearer "


class TokenError(ValueError):
    """A token that is none. The message is the end of a sentence, without a full stop."""


def new_token() -> str:
    """A token that nobody guesses: 256 bits."""
    return secrets.token_urlsafe(32)


def checked_token(text: str) -> str:
    """A token that somebody chose, without white space around it. Raises TokenError."""
    token = text.strip()
    if not SHORTEST <= len(token) <= LONGEST:
        raise TokenError(f"has {len(token)} characters; a token has {SHORTEST} to {LONGEST}")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError("has characters that a token must not have: take printable ASCII without spaces")
    return token


class Gate:
    """Knows the token, what a browser keeps in its place, and the names of the page."""

    def __init__(self, token: str, names: Iterable[str], port: int) -> None:
        """`names` are those by which the page is known beside addresses and `localhost`. Cookies of several ports of a
        host do not mix."""
        self._token = token
        self._names = frozenset({"localhost", *(name.lower() for name in names)})
        self.cookie = f"esdash-{port}"
        """The name of the cookie."""
        self.pass_ = hmac.digest(token.encode(), b"esdash web", hashlib.sha256).hex()
        """Its value. It tells nothing of the token, and is good for as long as that is."""

    def accepts(self, token: str) -> bool:
        return _equal(token, self._token)

    def knows(self, cookie: str | None, authorization: str | None) -> bool:
        """Whether somebody has been let in: a browser with its cookie, or a program or proxy that sends the token in
        each request (`Authorization: Bearer …`)."""
        if authorization is not None and authorization[: len(BEARER)].lower() == BEARER:
            return self.accepts(authorization[len(BEARER) :].strip())
        return cookie is not None and _equal(cookie, self.pass_)

    def is_called(self, host: str) -> bool:
        """Whether the page goes by that name, the value of a request's `Host`.

        A page elsewhere can let its own name lead to this machine, and be let through by the browser as if it was this
        one; an address is nobody's name.
        """
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def is_own(origin: str | None, host: str) -> bool:
    """Whether a request comes from the page itself: browsers tell the `Origin` of each websocket.

    Not whether by TLS or not: that may end at a proxy.
    """
    try:
        found = urlsplit(origin or "")
        return found.scheme in ("http", "https") and found.netloc.lower() == host.lower() != ""
    except ValueError:
        return False


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _equal(some: str, other: str) -> bool:
    """Compares in a time that tells nothing of either."""
    return hmac.compare_digest(some.encode("utf-8", "replace"), other.encode())
