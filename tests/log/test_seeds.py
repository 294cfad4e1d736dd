"""URLs that name several nodes: what is understood, and the sentence for what is not."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.log.errors import LogError
from esdash.log.finding import server_of
from esdash.log.servers.seeds import parse_seeds


@pytest.mark.parametrize(
    ("url", "places", "service", "server"),
    [
        ("redis+sentinel://a/s", [("a", 26379)], "s", "redis://h:7"),
        ("redis+sentinel://a:1,b:2/shop/3", [("a", 1), ("b", 2)], "shop", "redis://h:7/3"),
        ("redis+sentinel://u:p%40@a,[::1]:2/s%2f1", [("a", 26379), ("::1", 2)], "s/1", "redis://u:p%40@h:7"),
        ("valkeys+sentinel://a/s?ssl_cert_reqs=none", [("a", 26379)], "s", "valkeys://h:7?ssl_cert_reqs=none"),
        ("redis+sentinel://a/s?sentinel_password=x&db=2", [("a", 26379)], "s", "redis://h:7?db=2"),
        ("REDIS+Cluster://a:1,b", [("a", 1), ("b", 6379)], "", "redis://h:7"),
        ("rediss+cluster://:pw@a/0?socket_timeout=2", [("a", 6379)], "", "rediss://:pw@h:7/0?socket_timeout=2"),
    ],
)
def test_what_is_understood(url: str, places: list[tuple[str, int]], service: str, server: str) -> None:
    seeds = parse_seeds(url)
    assert list(seeds.places) == places
    assert seeds.service == service
    assert seeds.url_of("h", 7) == server


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("rediss+sentinel://u:p@a/s/1?ssl_cert_reqs=none", {"ssl_cert_reqs": "none"}),
        ("redis+sentinel://a/s?sentinel_username=w&sentinel_password=x%26", {"username": "w", "password": "x&"}),
        ("redis+sentinel://a/s?socket_timeout=2", {"socket_timeout": 2.0}),
    ],
)
def test_sentinels_get_what_is_theirs_and_not_the_password_of_the_servers(url: str, options: dict[str, Any]) -> None:
    (address,) = parse_seeds(url).sentinels()
    assert dict(address.options) == options | {"host": "a", "port": 26379}
    assert address.kind == url.partition("+")[0]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis+sentinel://h", "redis+sentinel://h names no service of the Sentinels. Write redis+sentinel://host"),
        ("redis+sentinel://h/s/x", "The path of redis+sentinel://h/s/x takes the number of a database, like 0."),
        ("redis+sentinel://h/s?frob=1", "redis+sentinel://h/s has options, and 'frob' is none that esdash knows."),
        ("redis+cluster://h/1", "redis+cluster://h/1 names a database, and a cluster has 0 alone. Leave it out."),
        ("redis+cluster://h?db=2", "redis+cluster://h names a database, and a cluster has 0 alone. Leave it out."),
        ("redis+cluster://h?sentinel_password=x", "redis+cluster://h has an option for Sentinels, and names a cl"),
        ("redis+cluster://h?ssl_ca_path=c", "redis+cluster://h has the option ssl_ca_path, which is for rediss:// al"),
        ("redis+cluster://h#1", "redis+cluster://h has a # in it, after which nothing is read. Write %23 for it."),
        ("redis+cluster://a,,b", "redis+cluster://a,,b is not a URL of Sentinels or of a cluster. Write redis+senti"),
        ("redis+cluster://a:0", "redis+cluster://a:0 is not a URL of Sentinels or of a cluster. Write redis+sentine"),
        ("redis+other://a", "redis+other://a is not a URL of Sentinels or of a cluster. Write redis+sentinel://host:p"),
        ("unix+cluster:///run/s", "unix+cluster:/run/s is not a URL of Sentinels or of a cluster. Write redis+sent"),
        ("redis+sentinel://u:secret/x@h/s", "The URL is not a URL of Sentinels or of a cluster. Write redis+sentine"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_without_a_secret(url: str, told: str) -> None:
    with pytest.raises(LogError) as refused:
        server_of(url, "orders")
    assert str(refused.value).startswith(told)
    assert "secret" not in str(refused.value)


def test_what_people_see_is_the_url_without_its_secrets() -> None:
    server = server_of("redis+sentinel://u:s3cret@a:1,b/shop/0?sentinel_password=s3cret", "orders")
    assert server.name == "redis+sentinel://a:1,b/shop/0"
    assert "s3cret" not in repr(parse_seeds(server.url))


@given(st.text(st.sampled_from("+,:/@?#&=%[].0-9aö_\n "), max_size=25), st.sampled_from(["sentinel", "cluster"]))
def test_whatever_is_written_names_nodes_or_is_answered_with_a_sentence(rest: str, how: str) -> None:
    with suppress(LogError):
        assert parse_seeds(f"redis+{how}://{rest}").places
