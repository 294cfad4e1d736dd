"""`esdash web`: the dashboard in a page."""

import asyncio
import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from esdash.cli.commands.web_session import FUNCTION, Task, environment_of
from esdash.cli.domains import bound_by, fold_of
from esdash.cli.failures import BadInputError, FailedError
from esdash.cli.options import file_of, sources_of, with_settings
from esdash.cli.output import tell
from esdash.cli.secrecy import redacted
from esdash.config import Settings
from esdash.log import child
from esdash.service.http import AddressError, address_of
from esdash.service.logs import Happening, Level, Log
from esdash.signals import NUMBERS
from esdash.visible import visible
from esdash.web.gate import LONGEST, Gate, TokenError, checked_token, new_token
from esdash.web.session import Session
from esdash.web.sessions import Sessions

if TYPE_CHECKING:
    from esdash.web.server import Ended, PageServer

PORT: Final = 8023

TOKEN: Final = "ESDASH_WEB_TOKEN"

MOST_SESSIONS: Final = 64


@click.command()
@click.option(
    "--listen",
    metavar="HOST:PORT",
    default=f":{PORT}",
    show_default=True,
    help="Where to answer; :PORT is for this machine alone.",
)
@click.option(
    "--sessions",
    "most",
    type=click.IntRange(1, MOST_SESSIONS),
    default=4,
    show_default=True,
    metavar="N",
    help="So many pages at once, each with a consumer of its own.",
)
@click.option("--allow-publishing", is_flag=True, help="Pages may write: publish events, take snapshots.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"What opens the page stands here; else in {TOKEN}, else it is made anew and printed.",
)
@click.option(
    "--host",
    "hosts",
    metavar="NAME",
    multiple=True,
    help="A name by which the page is called, beside localhost and addresses, as behind a proxy.",
)
@with_settings
@click.pass_context
def command(
    context: click.Context,
    settings: Settings,
    listen: str,
    most: int,
    allow_publishing: bool,
    token_file: Path | None,
    hosts: tuple[str, ...],
) -> None:
    """Show the dashboard in a page of a browser.

    Prints the URL to open, with a token that lets in. Each page is a session of its own, which ends when the page is
    closed. Pages write nothing to the server unless --allow-publishing says so, and with --readonly, or the setting,
    not even then; what they export is a download. SIGINT and SIGTERM end the sessions, then this.
    """
    address = _address(listen)
    token, made = _token(token_file)
    fold = fold_of(settings)
    settings = bound_by(settings, fold)
    log = Log(sys.stderr, as_json=not sys.stderr.isatty(), wall_clock=time.time, hide=_hidden(token))
    if allow_publishing and settings.readonly:
        log.warn("--allow-publishing has no effect: --readonly, the settings or the domain forbid writing.")
    settings = replace(settings, readonly=settings.readonly or not allow_publishing)
    _, sources = sources_of(context)
    with _bound(address) as listening:
        url = _url(listening)
        server, sessions = _server(
            settings, sources, file_of(context), token, (*hosts, address[0]), listening, most, log
        )
        if not _on_loopback(listening):
            log.warn("Others may listen in, to the token as well: put a proxy with TLS before it.")
        tell(f"{url}/?token={token}" if made else f"{url}/")
        asyncio.run(_serve(server, sessions, listening, log))


def _address(listen: str) -> tuple[str, int]:
    """Where to listen. Raises BadInputError, and FailedError without what is needed for a page."""
    if find_spec("textual_serve") is None or find_spec("aiohttp") is None:
        raise FailedError("`esdash web` needs textual-serve and aiohttp: `pip install 'esdash[web]'`.")
    try:
        return address_of(listen)
    except AddressError as error:
        raise BadInputError(f"--listen: {error}") from error


def _token(file: Path | None) -> tuple[str, bool]:
    """The token, and whether it was made here. Raises BadInputError."""
    text, where = os.environ.get(TOKEN), TOKEN
    if file is not None:
        where = visible(str(file), 200)
        try:
            with file.open(encoding="utf-8") as opened:
                text = opened.read(4 * LONGEST)
        except OSError as error:
            raise BadInputError(f"--token-file: {where} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError:
            raise BadInputError(f"--token-file: {where} is not UTF-8.") from None
    if text is None:
        return new_token(), True
    try:
        return checked_token(text), False
    except TokenError as error:
        raise BadInputError(f"The token in {where} {error}.") from error


def _hidden(token: str) -> Callable[[str], str]:
    return lambda text: redacted(text, sys.argv).replace(token, "…")


def _bound(address: tuple[str, int]) -> socket.socket:
    """A socket there. Raises FailedError."""
    host, port = address
    try:
        family, *_, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(found)
            listening.listen()
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        why = error.strerror or str(error)
        raise FailedError(f"--listen: {host}, port {port:,}, cannot be listened on: {why}.") from error
    return listening


def _server(
    settings: Settings,
    sources: dict[str, str],
    named: Path | None,
    token: str,
    names: tuple[str, ...],
    listening: socket.socket,
    most: int,
    log: Log,
) -> "tuple[PageServer, Sessions]":
    from esdash.web.server import PageError, PageServer

    environment = environment_of(Task(settings, sources, named), child.environment())
    sessions = Sessions(most, partial(Session.start, child.command(FUNCTION), environment))
    gate = Gate(token, names, listening.getsockname()[1])
    try:
        return PageServer(gate, sessions, f"{settings.stream} · esdash", _Told(log, most)), sessions
    except PageError as error:
        raise FailedError(str(error)) from error


async def _serve(server: "PageServer", sessions: Sessions, listening: socket.socket, log: Log) -> None:
    loop, until = asyncio.get_running_loop(), asyncio.Event()
    loop.set_exception_handler(lambda _, about: log.warn(f"Unexpected: {about.get('exception') or about['message']!r}"))

    def stop(number: int) -> None:
        if until.is_set():
            sessions.kill()
        else:
            log.write(Happening("ending", f"Told to end by {signal.Signals(number).name}."))
            until.set()

    for number in NUMBERS:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            loop.add_signal_handler(number, stop, number)
    await server.serve(listening, until)
    log.write(Happening("stopped", "Stopped."))


class _Told:
    """Writes what happens into the log."""

    def __init__(self, log: Log, most: int) -> None:
        self._log = log
        self._most = most

    def began(self, number: int, who: str, used: int) -> None:
        text = f"Session {number} began, for {who}: {used} of {self._most} are in use."
        self._log.write(Happening("session", text, fields={"session": number, "client": who, "in_use": used}))

    def ended(self, ended: "Ended") -> None:
        failed = f", with exit code {ended.code}" if ended.code else ""
        text = f"Session {ended.number} ended after {ended.seconds:,.0f} s{failed}."
        level = Level.WARNING if ended.code else Level.INFO
        fields = {"session": ended.number, "seconds": round(ended.seconds, 3), "exit_code": ended.code}
        self._log.write(Happening("session_ended", text, level, fields))
        for line in ended.errors:
            self._log.write(
                Happening("session_said", f"Session {ended.number}: {line}", level, {"session": ended.number})
            )

    def failed(self, what: str) -> None:
        self._log.warn(what)


def _on_loopback(listening: socket.socket) -> bool:
    return ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback


def _url(listening: socket.socket) -> str:
    """Where to open the page; of all addresses that of this machine."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
