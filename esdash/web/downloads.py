"""Files that dashboards offer: each is fetched once, in parts, from the process that has it."""

import asyncio
import json
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from esdash.packets import KEY, Kind

if TYPE_CHECKING:
    from esdash.web.session import Session

PART_SECONDS: Final = 10.0
"""How long a part is waited for."""

MOST: Final = 4
"""Files of a session that are offered at a time; with one more the oldest is forgotten, as there."""

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9._-]+")
_CONTENT_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]+")


class Download(Struct):
    """A file that is offered."""

    key: str
    name: str
    content_type: str
    session: "Session"
    parts: "asyncio.Queue[bytes]" = field(default_factory=asyncio.Queue)
    """What has come of it; an empty one is the end."""

    async def next_part(self) -> bytes:
        """Ask for more of it; nothing at its end. Raises TimeoutError where it does not come."""
        await self.session.send(Kind.WANTED, self.key.encode())
        async with asyncio.timeout(PART_SECONDS):
            return await self.parts.get()


class Downloads:
    """Those of all sessions, by their keys, which nobody guesses."""

    def __init__(self) -> None:
        self._offered: dict[str, Download] = {}
        self._fetched: dict[str, Download] = {}

    def offer(self, session: "Session", payload: bytes) -> str:
        """A session offers a file; its key."""
        key, name, content_type = json.loads(payload)
        plain = _UNUSUAL.sub("-", name)[-100:].lstrip(".-") or "download"
        known = content_type if _CONTENT_TYPE.fullmatch(content_type) else "application/octet-stream"
        self._offered[key] = Download(key, plain, known, session)
        of_session = [each.key for each in self._offered.values() if each.session is session]
        for old in of_session[:-MOST]:
            del self._offered[old]
        return str(key)

    def take(self, key: str) -> Download | None:
        """Begin to fetch a file, which nobody else can any more; None where there is none."""
        found = self._offered.pop(key, None)
        if found is not None:
            self._fetched[key] = found
        return found

    def let_go(self, download: Download) -> None:
        """It is fetched, or given up."""
        self._fetched.pop(download.key, None)

    def arrived(self, payload: bytes) -> None:
        """Some of a file has come."""
        found = self._fetched.get(payload[:KEY].decode("ascii", "replace"))
        if found is not None:
            found.parts.put_nowait(payload[KEY:])

    def forget(self, session: "Session") -> None:
        """A session has ended, and its files are gone."""
        for key in [key for key, each in self._offered.items() if each.session is session]:
            del self._offered[key]
        for each in self._fetched.values():
            if each.session is session:
                each.parts.put_nowait(b"")
