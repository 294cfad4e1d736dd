"""Where a server is: a URL, read strictly into what redis-py's connections need, and shown without its secrets."""

import math
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from esdash.log.errors import LogError

SCHEMES: Final = {"redis": "redis", "valkey": "redis", "rediss": "rediss", "valkeys": "rediss", "unix": "unix"}
"""What a URL may begin with, and which of redis-py's three kinds of connection that is."""

SECONDS: Final = (0.1, 3600.0)
"""Least and most for a timeout."""

_WRITTEN: Final = "Write redis://host:port/db, rediss:// for TLS, or unix:///path/to/socket."


@dataclass(frozen=True, slots=True)
class Address:
    """A server, as one URL names it."""

    shown: str
    """The URL as people may see it."""
    kind: str
    """`redis`, `rediss` (TLS) or `unix`."""
    options: Mapping[str, Any] = field(repr=False)
    """Arguments of redis-py's connection of that kind; the password may be among them."""


def parse(url: str, shown: str = "") -> Address:
    """The address that a URL names. Raises LogError, in a sentence, for whatever in it is not understood.

    `shown` stands for the URL where it is a part of another one.
    """
    shown = shown or redact(url)
    try:
        return _parse(url, shown)
    except LogError as error:
        sentence = str(error)
        raise LogError(sentence[:1].upper() + sentence[1:] if sentence.startswith("the URL") else sentence) from error


def _parse(url: str, shown: str) -> Address:
    parts, host, port = _split(url, shown)
    scheme = SCHEMES[parts.scheme]
    options = _options_of(parts, scheme, shown)
    if scheme == "unix":
        path = unquote(parts.path)
        if host or not path.strip("/") or "\0" in path:
            raise LogError(f"{shown} names no socket. Write unix:///path/to/socket.")
        return Address(shown, scheme, {**options, "path": path})
    if parts.path not in ("", "/"):
        if "db" in options:
            raise LogError(f"{shown} names its database twice, after the host and as an option. Leave one out.")
        options["db"] = _option("db", parts.path.removeprefix("/"), shown, "The path")
    return Address(shown, scheme, {**options, "host": host, "port": port})


def redact(url: str) -> str:
    """The URL as people may see it: without user name, password and options.

    `the URL` when it cannot be read, or when a password that is not percent-encoded may reach past the host.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return "the URL"
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "unix":
        return "the URL" if host else f"unix://{parts.path}"
    if "@" in parts.path + parts.query + parts.fragment:
        return "the URL"
    if not parts.hostname and parts.scheme in SCHEMES:
        host = f"localhost{host or ':6379'}"
    return urlunsplit(SplitResult(parts.scheme, host, parts.path if parts.path != "/" else "", "", ""))


def names_several(url: str) -> bool:
    """Whether a URL names several nodes that tell of the server (`seeds`), whatever else may be wrong with it."""
    return "+" in url.partition("://")[0]


def place_of(host: str, port: int) -> str:
    """`host:port`, an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(url: str, shown: str) -> tuple[SplitResult, str, int]:
    """The URL's parts, its host and its port."""
    # What stands before an @ may be a password, whose special characters ended the host before its time.
    advice = (
        "In a password write %2F for /, %3F for ? and %40 for @." if shown == "the URL" and "@" in url else _WRITTEN
    )
    if "#" in url:
        raise LogError(f"{shown} has a # in it, after which nothing is read. Write %23 for it.")
    try:
        url.encode()
        parts = urlsplit(url)
        host, port = unquote(parts.hostname or ""), parts.port
        # Or the operating system's look-up raises what is not an OSError: a label is too long, or empty.
        host.encode("idna")
    except ValueError as error:
        raise LogError(f"{shown} is not a URL of a server. {advice}") from error
    if parts.scheme not in SCHEMES or "://" not in url or port == 0 or not host.isprintable():
        raise LogError(f"{shown} is not a URL of a server. {advice}")
    return parts, host if parts.scheme == "unix" else host or "localhost", port or 6379


# Options


def _options_of(parts: SplitResult, scheme: str, shown: str) -> dict[str, Any]:
    """User name, password and what follows the question mark, checked."""
    options: dict[str, Any] = {}
    for name, given in (("username", parts.username), ("password", parts.password)):
        if given:
            options[name] = unquote(given)
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name not in OPTIONS:
            # Perhaps a part of a password that should have been percent-encoded: not to be shown then.
            which = f"{name!r}" if shown != "the URL" and re.fullmatch(r"[a-z_]{1,40}", name) else "one"
            raise LogError(
                f"{shown} has options, and {which} is none that esdash knows. There are {', '.join(OPTIONS)}."
            )
        if name in options:
            raise LogError(f"{shown} says {name} twice. Leave one out.")
        if name.startswith("ssl_") and scheme != "rediss":
            raise LogError(f"{shown} has the option {name}, which is for rediss:// alone.")
        options[name] = _option(name, value, shown, f"The option {name}")
    if scheme == "rediss":
        _try_certificates(options, shown)
    # They are understood, since other programs may share the URL, but say how replies are read, which is esdash's.
    return {name: value for name, value in options.items() if name not in ("protocol", "decode_responses")}


def _option(name: str, text: str, shown: str, what: str) -> Any:
    """The value of an option. Raises LogError saying what it takes."""
    read, taken = OPTIONS[name]
    try:
        return read(text)
    except ValueError as error:
        raise LogError(f"{what} of {shown} takes {taken}.") from error


def _number(text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:10]) <= most and len(text) <= 10):
        raise ValueError(text)
    return int(text)


def _seconds(text: str) -> float:
    seconds = float(text)
    least, most = SECONDS
    if math.isnan(seconds) or not least <= seconds <= most:
        raise ValueError(text)
    return seconds


def _text(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _word(text: str) -> str:
    if not (text and text.isascii() and text.isprintable() and " " not in text):
        raise ValueError(text)
    return text


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(text)
        return text

    return read


def _yes_or_no(text: str) -> bool:
    return _one_of("false", "true")(text.lower()) == "true"


_SECONDS_TAKEN: Final = f"seconds, {SECONDS[0]:g} to {SECONDS[1]:,.0f}"

OPTIONS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "db": (lambda text: _number(text, 0, 2**31 - 1), "the number of a database, like 0"),
    "username": (_text, "a name"),
    "password": (_text, "a password"),
    "client_name": (_word, "a name without spaces"),
    "socket_timeout": (_seconds, _SECONDS_TAKEN),
    "socket_connect_timeout": (_seconds, _SECONDS_TAKEN),
    "ssl_cert_reqs": (_one_of("required", "optional", "none"), "required, optional or none"),
    "ssl_check_hostname": (_yes_or_no, "true or false"),
    "ssl_ca_certs": (_text, "a file of certificates"),
    "ssl_ca_path": (_text, "a folder of certificates"),
    "ssl_certfile": (_text, "a file with a certificate"),
    "ssl_keyfile": (_text, "a file with a key"),
    "ssl_password": (_text, "the password of the key"),
    "protocol": (_one_of("2", "3"), "2 or 3"),
    "decode_responses": (_yes_or_no, "true or false"),
}
"""The options of a URL: how each is read, raising ValueError, and what it takes."""


def _try_certificates(options: Mapping[str, Any], shown: str) -> None:
    """Raises LogError for files that cannot be used, which redis-py would find out only while it connects."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authorities = {"cafile": options.get("ssl_ca_certs"), "capath": options.get("ssl_ca_path")}
    certificate, key = options.get("ssl_certfile"), options.get("ssl_keyfile")
    what = "ssl_ca_certs or ssl_ca_path"
    try:
        if any(authorities.values()):
            context.load_verify_locations(**authorities)
        what = "ssl_certfile or ssl_keyfile"
        if certificate or key:
            # A function, or OpenSSL asks for the password on the terminal.
            context.load_cert_chain(certificate or "", key, lambda: options.get("ssl_password", ""))
    except (OSError, ValueError) as error:
        reason = (
            "it is not PEM" if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None) or "it is no path"
        )
        raise LogError(f"{what} of {shown} cannot be used: {reason}.") from error
