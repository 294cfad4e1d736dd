"""URLs: what is understood, and the sentence for what is not; never a traceback, a guess or a password."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import AbstractConnection

from esdash.log.errors import LogError
from esdash.log.servers.address import OPTIONS, parse, redact
from esdash.log.servers.connections import pool
from esdash.log.servers.server import Server
from esdash.log.stream import Stream


@pytest.mark.parametrize(
    ("url", "kind", "options"),
    [
        ("redis://", "redis", {"host": "localhost", "port": 6379}),
        ("redis://h", "redis", {"host": "h", "port": 6379}),
        ("REDIS://h:1/", "redis", {"host": "h", "port": 1}),
        ("redis://h/3", "redis", {"host": "h", "port": 6379, "db": 3}),
        ("redis://h?db=3", "redis", {"host": "h", "port": 6379, "db": 3}),
        ("redis://[::1]:7", "redis", {"host": "::1", "port": 7}),
        ("redis://u:p%40s@h", "redis", {"host": "h", "port": 6379, "username": "u", "password": "p@s"}),
        ("redis://:p@h", "redis", {"host": "h", "port": 6379, "password": "p"}),
        ("redis://h?password=p%26q", "redis", {"host": "h", "port": 6379, "password": "p&q"}),
        ("valkey://h/1", "redis", {"host": "h", "port": 6379, "db": 1}),
        ("valkeys://h", "rediss", {"host": "h", "port": 6379}),
        (
            "rediss://h?ssl_cert_reqs=none&ssl_check_hostname=False",
            "rediss",
            {"host": "h", "port": 6379, "ssl_cert_reqs": "none", "ssl_check_hostname": False},
        ),
        ("unix:///run/a%20b", "unix", {"path": "/run/a b"}),
        (
            "unix://u:p@/run/s?db=2",
            "unix",
            {"path": "/run/s", "username": "u", "password": "p", "db": 2},
        ),
        (
            "redis://h?socket_timeout=2.5&socket_connect_timeout=1&client_name=shop",
            "redis",
            {"host": "h", "port": 6379, "socket_timeout": 2.5, "socket_connect_timeout": 1.0, "client_name": "shop"},
        ),
        ("redis://h?protocol=3&decode_responses=true", "redis", {"host": "h", "port": 6379}),
    ],
)
def test_what_is_understood(url: str, kind: str, options: dict[str, Any]) -> None:
    address = parse(url)
    assert address.kind == kind
    assert dict(address.options) == options
    connection = pool(address, 5.0).make_connection()
    assert isinstance(connection, AbstractConnection)
    assert connection.socket_timeout == options.get("socket_timeout", 5.0)


@pytest.mark.parametrize(
    "url",
    [
        *("", "orders", "localhost:6379", "http://host", "redis:/h", "redis+cluster://h"),
        *("redis://host:port", "redis://host:99999999", "redis://host:0", "redis://host:-1", "redis://[::1"),
        *("redis://a..b", f"redis://{'a' * 64}", "redis://h%00", "redis://h%0a", "redis://\udcff"),
    ],
)
def test_what_is_no_url_is_said_with_how_one_is_written(url: str) -> None:
    with pytest.raises(LogError, match=r"is not a URL of a server\. Write redis://host:port/db"):
        parse(url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://h/orders", "The path of redis://h/orders takes the number of a database, like 0."),
        ("redis://h/3/foo", "The path of redis://h/3/foo takes the number of a database, like 0."),
        ("redis://h/-1", "The path of redis://h/-1 takes the number of a database, like 0."),
        ("redis://h/٣", "The path of redis://h/٣ takes the number of a database, like 0."),
        ("redis://h/9999999999", "The path of redis://h/9999999999 takes the number of a database, like 0."),
        ("redis://h/1?db=1", "redis://h/1 names its database twice, after the host and as an option. Leave one out."),
        ("redis://h?db=", "The option db of redis://h takes the number of a database, like 0."),
        ("redis://u:p@h?username=u", "redis://h says username twice. Leave one out."),
        ("redis://h?db=1&db=1", "redis://h says db twice. Leave one out."),
        ("redis://h?ssl_ca_path=c", "redis://h has the option ssl_ca_path, which is for rediss:// alone."),
        ("unix://relative/path", "The URL names no socket. Write unix:///path/to/socket."),
        ("unix://", "unix:// names no socket. Write unix:///path/to/socket."),
        ("redis://h#1", "redis://h has a # in it, after which nothing is read. Write %23 for it."),
        ("redis://:pa#ss@h", "The URL has a # in it, after which nothing is read. Write %23 for it."),
    ],
)  # fmt: skip
def test_what_would_be_guessed_at_is_refused(url: str, told: str) -> None:
    with pytest.raises(LogError) as refused:
        parse(url)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    "option",
    [
        *("socket_timeout=-1", "socket_timeout=0", "socket_timeout=nan", "socket_timeout=1e10", "socket_timeout=inf"),
        *("socket_timeout=", "socket_timeout=x", "socket_connect_timeout=-1", "client_name=a%20b", "client_name=%0a"),
        *("db=1.5", "protocol=4", "decode_responses=perhaps", "ssl_check_hostname=", "ssl_cert_reqs=CERT_NONE"),
    ],
)
def test_an_option_with_a_value_that_makes_no_sense_is_said_with_what_it_takes(option: str) -> None:
    name = option.partition("=")[0]
    with pytest.raises(LogError) as refused:
        parse(f"rediss://h?{option}")
    assert str(refused.value) == f"The option {name} of rediss://h takes {OPTIONS[name][1]}."


@pytest.mark.parametrize(
    "name",
    [
        *("frobnicate", "encoding_errors", "ssl_validate_ocsp_stapled", "max_connections", "retry_on_timeout", "host"),
        *("timeout", "health_check_interval", "socket_read_size", "parser_class", "connection_class", "retry"),
    ],
)
def test_an_option_that_esdash_does_not_know_is_said_with_those_it_does(name: str) -> None:
    with pytest.raises(
        LogError, match=rf"^rediss://h has options, and '{name}' is none that esdash knows\. There are db, "
    ):
        parse(f"rediss://h?{name}=1")


@pytest.mark.parametrize("url", ["redis://:pa?ss@h", "redis://:pa?ss=1@h/0", "redis://:pa/ss@h", "redis://:pa#ss@h"])
def test_a_part_of_a_password_that_is_not_percent_encoded_is_not_shown(url: str) -> None:
    with pytest.raises(LogError) as refused:
        parse(url)
    assert "pa" not in str(refused.value).replace("path", "").replace("password", "").replace("pair", "")
    assert "'ss" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis://:p?a@h", "redis://:p/a@h", "redis://u:p?a=b@h:1/0"])
def test_a_password_with_special_characters_is_said_how_to_write(url: str) -> None:
    with pytest.raises(LogError, match=r"^The URL is not a URL of a server\. In a password write %2F for /"):
        parse(url)


@pytest.mark.parametrize("url", ["unix:///run/a@b", "redis://h?client_name=a@b", "redis://h?password=a@b"])
def test_an_at_sign_where_it_may_be_is_no_matter(url: str) -> None:
    assert parse(url)


@given(st.text(st.sampled_from("redis:/@?#&=%[].0-9aöx_\n "), max_size=25).map(lambda rest: f"redis://{rest}"))
def test_whatever_is_written_is_an_address_or_a_sentence(url: str) -> None:
    with suppress(LogError):
        pool(parse(url), 5.0).make_connection()


class TestCertificates:
    @pytest.fixture
    def key(self, tmp_path: Path) -> Path:
        """A key that a password, `secret`, protects, and its certificate in one file."""
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("no openssl to make a certificate with")
        path, certificate = tmp_path / "own.pem", tmp_path / "c"
        subprocess.run(
            [
                *(openssl, "req", "-x509", "-newkey", "rsa:2048", "-passout", "pass:secret", "-keyout", path),
                *("-out", certificate, "-days", "2", "-subj", "/CN=test"),
            ],
            check=True,
            capture_output=True,
        )
        path.write_bytes(path.read_bytes() + certificate.read_bytes())
        return path

    def test_are_tried_before_anything_is_sent(self, key: Path) -> None:
        assert parse(f"rediss://h?ssl_certfile={key}&ssl_password=secret&ssl_ca_certs={key}")
        for wrong in ("&ssl_password=other", "", "&ssl_keyfile=/none"):
            with pytest.raises(LogError, match="ssl_certfile or ssl_keyfile of rediss://h cannot be used: "):
                parse(f"rediss://h?ssl_certfile={key}{wrong}")

    @pytest.mark.parametrize("file", ["/none", "/", "%00"])
    def test_that_are_not_there_are_said(self, file: str) -> None:
        with pytest.raises(LogError, match="ssl_ca_certs or ssl_ca_path of rediss://h cannot be used: "):
            parse(f"rediss://h?ssl_ca_certs={file}")


class TestWhatPeopleSee:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("redis://host:6379", "redis://host:6379"),
            ("redis://host:6379/", "redis://host:6379"),
            ("redis://user:secret@host:6379/3", "redis://host:6379/3"),
            ("rediss://:secret@host?ssl_ca_certs=x", "rediss://host"),
            ("redis://host/0?password=secret", "redis://host/0"),
            ("valkey://:secret@", "valkey://localhost:6379"),
            ("unix:///run/s?password=secret", "unix:///run/s"),
            ("unix://user:secret@/run/s", "unix:///run/s"),
            ("redis://user:p%40ss@[::1]:6379", "redis://[::1]:6379"),
            ("redis://user:sec/ret@host", "the URL"),
            ("redis://user:sec#ret@host", "the URL"),
            ("redis://[::1", "the URL"),
        ],
    )
    def test_is_a_url_without_its_secrets(self, url: str, shown: str) -> None:
        assert redact(url) == shown

    def test_names_the_host_that_a_url_without_one_means(self) -> None:
        assert Server("redis://").name == "redis://localhost:6379"
        assert Server("redis://:6380").name == "redis://localhost:6380"
        assert Server("rediss://:s3cret@/2").name == "rediss://localhost:6379/2"

    def test_is_not_the_password_in_a_picture_of_the_address(self) -> None:
        assert "s3cret" not in repr(parse("redis://:s3cret@h"))


def test_options_in_the_url_do_not_change_how_replies_are_read(url: str, client: redis.Redis) -> None:
    client.xadd("orders", {"a": 1}, id="1-0")
    log = Stream(Server(f"{url}?decode_responses=true&protocol=3"), "orders")
    assert log.facts().first_id == b"1-0"
    log.server.close()
