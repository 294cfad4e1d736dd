"""What a server answers that is not where the stream is, or will not do it: told by its class, said in sentences."""

import contextlib
import http.server
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from esdash.log.errors import ElsewhereError, ForbiddenError, LogError, RefusedError, UnreachableError, WrongTypeError
from esdash.log.reading.follower import Follower
from esdash.log.reading.readahead import read_ahead
from esdash.log.refusals import refusal
from esdash.log.servers.server import Server
from esdash.log.stream import START, Stream
from tests.generations import Generation
from tests.log.packing import PACKING
from tests.servers import RunningServer
from tests.waiting import eventually

STREAM = "orders"
SECRET = "a-payload-of-somebody"


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives this answer to whatever comes; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve(client: socket.socket) -> None:
            with contextlib.suppress(OSError), client:
                while data := client.recv(65536):
                    client.sendall(answer * max(1, data.count(b"\r\n*") + data.startswith(b"*")))

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


REFUSALS: list[tuple[str, type[LogError], str]] = [
    ("MOVED 12182 10.0.0.7:6380", ElsewhereError, "; 10.0.0.7:6380 does. With redis+cluster:// "),
    ("ASK 12182 10.0.0.7:6380", ElsewhereError, "; 10.0.0.7:6380 does. With redis+cluster:// "),
    ("CLUSTERDOWN Hash slot not served", ElsewhereError, "does not serve this stream just now"),
    ("TRYAGAIN Multiple keys request during rehashing of slot", ElsewhereError, "does not serve this stream just now"),
    ("MASTERDOWN Link with MASTER is down", ElsewhereError, "a replica that has lost its primary"),
    ("READONLY You can't write against a read only replica.", ElsewhereError, "a replica and takes no writes"),
    ("LOADING Redis is loading the dataset in memory", ElsewhereError, "still loading its data"),
    ("UNBLOCKED force unblock from blocking operation", ElsewhereError, "has become a replica"),
    ("NOREPLICAS Not enough good replicas to write.", RefusedError, "min-replicas-to-write"),
    ("MISCONF Errors writing to the AOF file", RefusedError, "cannot write to its disk"),
    ("BUSY Redis is busy running a script.", RefusedError, "SCRIPT KILL"),
    ("DENIED Redis is running in protected mode because", RefusedError, "in protected mode"),
    ("OOM command not allowed when used memory > 'maxmemory'.", RefusedError, "memory limit"),
    ("WRONGTYPE Operation against a key", WrongTypeError, "not a stream"),
    ("NOAUTH Authentication required.", RefusedError, "user name or password"),
    ("WRONGPASS invalid username-password pair", RefusedError, "user name or password"),
    ("NOPERM User u has no permissions to run the 'xinfo|stream' command", ForbiddenError, "(+xinfo|stream)"),
    ("NOPERM this user has no permissions to run the 'xadd' command or its subcommand", ForbiddenError, "(+xadd)"),
    ("NOPERM No permissions to access a key", ForbiddenError, "the key orders is missing (~orders)"),
    ("NOPERM this user has no permissions to access one of the keys used as arguments", ForbiddenError, "(~orders)"),
    ("ERR ACL failure in script: User u has no permissions to run the 'get' command", ForbiddenError, "(+get)"),
    (f"ERR unknown command 'EVAL', with args beginning with: '{SECRET}'", ForbiddenError, "unknown command EVAL. "),
    (f"ERR unknown command `xadd`, with args beginning with: `{SECRET}`", ForbiddenError, "unknown command XADD. "),
    ("ERR Unknown Redis command called from script script: 6e6b", ForbiddenError, "unknown command in a script"),
    (f"ERR Error compiling script (new function): user_script:1: near '{SECRET}'", RefusedError, "to run a script"),
    ("ERR max number of clients reached", UnreachableError, "max number of clients reached"),
    ("ERR \x1b[31msomething\x07 odd", RefusedError, "refused: "),
    ("-", RefusedError, "refused: -."),
]


class TestARefusal:
    @pytest.mark.parametrize(("words", "kind", "told"), REFUSALS)
    def test_is_told_by_its_class_in_a_sentence_without_what_was_sent(
        self, words: str, kind: type[LogError], told: str
    ) -> None:
        with answering(f"-{words}\r\n".encode()) as url:
            log = Stream(Server(url, timeout=2), STREAM)
            for ask in (
                log.facts,
                lambda: log.evidence(b"1-0"),
                lambda: log.page(START),
                lambda: list(log.pages(START)),
                lambda: log.append_many([[b"type", SECRET.encode()]]),
            ):
                with pytest.raises(kind) as refused:
                    ask()
                message = str(refused.value)
                assert told in message
                assert message.endswith(".")
                assert message.isprintable()
                assert SECRET not in message
            log.server.close()

    @pytest.mark.parametrize(("words", "kind", "told"), REFUSALS)
    def test_is_the_same_when_another_process_reads(self, words: str, kind: type[LogError], told: str) -> None:
        said = refusal(words, "the server", STREAM)
        assert isinstance(said, kind)
        assert told in str(said)

    def test_of_a_page_that_is_read_ahead_is_told_like_any_other(self, url: str, client: redis.Redis) -> None:
        client.set(STREAM, "text")
        log = Stream(Server(url), STREAM)
        with pytest.raises(WrongTypeError):
            list(read_ahead(log, START, b"9-0", PACKING))
        log.server.close()


@pytest.mark.every_generation
class TestARealServer:
    @pytest.mark.one_generation
    def test_in_a_cluster_without_this_slot(self, new_server: Callable[..., RunningServer]) -> None:
        server = new_server(port=True, cluster_enabled="yes", appendonly="no")
        log = Stream(Server(server.url), STREAM)
        with pytest.raises(ElsewhereError, match="does not serve this stream just now"):
            log.append_many([[b"a", b"1"]])
        with pytest.raises(ElsewhereError, match="does not serve this stream just now"):
            log.evidence(b"1-0")
        log.server.close()

    def test_that_is_a_replica_without_its_primary(self, new_server: Callable[..., RunningServer]) -> None:
        primary = new_server(port=True)
        replica = new_server(replica_of=primary)
        with replica.client() as client:
            client.config_set("replica-serve-stale-data", "no")
        log = Stream(Server(replica.url), STREAM)
        assert not log.facts().exists
        primary.kill()
        eventually(lambda: b"master_link_status:down" in log.command("INFO", "replication"))
        with pytest.raises(ElsewhereError, match="a replica that has lost its primary"):
            log.evidence(b"1-0")
        log.server.close()

    def test_that_becomes_a_replica_while_it_is_followed(self, new_server: Callable[..., RunningServer]) -> None:
        primary, server = new_server(port=True), new_server(port=True)
        log = Stream(Server(server.url, timeout=60.0), STREAM)
        with server.client() as client:

            def demote() -> None:
                with server.client() as looking:
                    eventually(lambda: any(each["cmd"] == "xread" for each in looking.client_list()))
                client.replicaof("127.0.0.1", str(primary.port))

            turn = threading.Thread(target=demote)
            turn.start()
            with pytest.raises(ElsewhereError, match="has become a replica"), log.connection() as connection:
                Follower(log, connection).next(START, 60.0)
            turn.join()
        log.server.close()

    def test_that_wants_more_replicas(self, new_server: Callable[..., RunningServer]) -> None:
        log = Stream(Server(new_server(min_replicas_to_write="1").url), STREAM)
        with pytest.raises(RefusedError, match="min-replicas-to-write"):
            log.append_many([[b"a", b"1"]])
        log.server.close()

    def test_that_is_a_sentinel(self, generation: Generation, tmp_path: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        config = tmp_path / "sentinel.conf"
        config.write_text(f"port {port}\nbind 127.0.0.1\n")
        sentinel = subprocess.Popen(
            [generation.program, config, "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            log = Stream(Server(f"redis://127.0.0.1:{port}"), STREAM)
            eventually(lambda: log.command("PING"), ignore=UnreachableError)
            with pytest.raises(RefusedError, match=r"unknown command XADD\. It may be a Sentinel") as refused:
                log.append_many([[b"type", SECRET.encode()]])
            assert SECRET not in str(refused.value)
            with pytest.raises(RefusedError, match=r"is a Sentinel\. Give the URL of the server that it watches"):
                log.server.facts()
            log.server.close()
        finally:
            sentinel.kill()
            sentinel.wait()

    def test_that_lets_in_nobody_from_elsewhere(self) -> None:
        """Whatever comes first, its words or the end of the connection."""
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def deny() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        with listener.accept()[0] as client:
                            client.sendall(b"-DENIED Redis is running in protected mode because it is on\r\n")
                            client.shutdown(socket.SHUT_WR)
                            while client.recv(65536):
                                pass

            threading.Thread(target=deny, daemon=True).start()
            log = Stream(Server(f"redis://127.0.0.1:{listener.getsockname()[1]}"), STREAM)
            with pytest.raises(RefusedError, match="in protected mode"):
                log.facts()
            log.server.close()

    def test_that_is_a_web_server(self) -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            log = Stream(Server(f"redis://127.0.0.1:{server.server_port}", timeout=2), STREAM)
            for ask in (log.facts, lambda: log.append_many([[b"a", b"1"]])):
                with pytest.raises(UnreachableError):
                    ask()
            log.server.close()
            server.shutdown()
        with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url:
            log = Stream(Server(url, timeout=2), STREAM)
            for ask in (log.facts, lambda: log.append_many([[b"a", b"1"]])):
                with pytest.raises(UnreachableError, match="another program is there"):
                    ask()
            log.server.close()
