"""URLs that name several nodes: Sentinels and a service of theirs, or some nodes of a cluster."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote

from esdash.log.errors import LogError
from esdash.log.servers.address import SCHEMES, Address, parse, place_of, redact

SENTINEL: Final = "sentinel"
CLUSTER: Final = "cluster"

_PORTS: Final = {SENTINEL: 26379, CLUSTER: 6379}
"""Where nobody says one."""

_OF_SENTINELS: Final = {"sentinel_username": "username", "sentinel_password": "password"}
"""Options for the Sentinels alone: the user and the password before the hosts are the servers'."""

_WRITTEN: Final = "Write redis+sentinel://host:port,host:port/service/0 or redis+cluster://host:port,host:port."

_URL: Final = re.compile(
    r"(?P<scheme>[a-z]+)\+(?P<how>[a-z]+)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<rest>.*)", re.S
)


@dataclass(frozen=True, slots=True)
class Seeds:
    """Nodes that tell where a stream is."""

    shown: str
    """The URL as people may see it."""
    how: str
    """`sentinel` or `cluster`."""
    places: tuple[tuple[str, int], ...]
    """Host and port of each node that was named."""
    service: str
    """What the Sentinels call the primary and its replicas; empty for a cluster."""
    options: Mapping[str, Any] = field(repr=False)
    """Arguments of redis-py's connections to a Sentinel; a password may be among them."""
    kind: str
    """`redis` or `rediss` (TLS), for all connections."""
    around: tuple[str, str] = field(repr=False)
    """What stands before and after host and port in the URL of a server; a password may be in it."""

    def url_of(self, host: str, port: int) -> str:
        """The URL of one server, with what was given for all."""
        before, after = self.around
        return f"{before}{place_of(host if ':' in host else quote(host, safe=''), port)}{after}"

    def sentinels(self) -> list[Address]:
        return [
            Address(place_of(host, port), self.kind, {**self.options, "host": host, "port": port})
            for host, port in self.places
        ]


def parse_seeds(url: str) -> Seeds:
    """The nodes that a URL names. Raises LogError, in a sentence, for whatever in it is not understood."""
    shown = redact(url)
    found = _URL.fullmatch(url[: len(url.partition("://")[0])].lower() + url[len(url.partition("://")[0]) :])
    if found is None or found["how"] not in _PORTS or SCHEMES.get(found["scheme"], "unix") == "unix":
        raise _no_url(shown)
    scheme, how = found["scheme"], found["how"]
    credentials, at, hosts = found["authority"].rpartition("@")
    service, database = _path(found["path"], how, shown)
    own, rest = _apart(found["rest"])
    before = f"{scheme}://{credentials}{at}"
    places = tuple(_place(each, scheme, how, shown) for each in hosts.split(","))
    after = f"{database}{rest}"
    # The hosts are those of Sentinels, but what is given for all servers shall be checked before any is found.
    address = parse(f"{before}localhost{after}", shown)
    if how == CLUSTER and own:
        raise LogError(f"{shown} has an option for Sentinels, and names a cluster.")
    if how == CLUSTER and address.options.get("db", 0):
        raise LogError(f"{shown} names a database, and a cluster has 0 alone. Leave it out.")
    options = {name: value for name, value in address.options.items() if name not in _OF_SERVERS} | own
    return Seeds(shown, how, places, service, options, address.kind, (before, after))


_OF_SERVERS: Final = ("host", "port", "db", "username", "password")


def _no_url(shown: str) -> LogError:
    sentence = f"{shown} is not a URL of Sentinels or of a cluster. {_WRITTEN}"
    return LogError(sentence[:1].upper() + sentence[1:] if sentence.startswith("the URL") else sentence)


def _place(text: str, scheme: str, how: str, shown: str) -> tuple[str, int]:
    """Host and port of one node."""
    if not text:
        raise _no_url(shown)
    with_port = text if ":" in text.rpartition("]")[2] else f"{text}:{_PORTS[how]}"
    try:
        options = parse(f"{scheme}://{with_port}", shown).options
    except LogError as error:
        raise _no_url(shown) from error
    return options["host"], options["port"]


def _path(path: str, how: str, shown: str) -> tuple[str, str]:
    """The service, and the path of a server's URL."""
    if how == CLUSTER:
        return "", path
    first, slash, database = path.removeprefix("/").partition("/")
    service = unquote(first)
    if not service or not service.isprintable() or " " in service:
        raise LogError(f"{shown} names no service of the Sentinels. {_WRITTEN}")
    return service, f"{slash}{database}"


def _apart(rest: str) -> tuple[dict[str, str], str]:
    """The options for Sentinels, and what else follows the question mark."""
    own: dict[str, str] = {}
    others: list[str] = []
    for each in rest.removeprefix("?").split("&"):
        name, _, value = each.partition("=")
        if name in _OF_SENTINELS and value:
            own[_OF_SENTINELS[name]] = unquote(value.replace("+", " "))
        elif each:
            others.append(each)
    return own, f"?{'&'.join(others)}" if others else ""
