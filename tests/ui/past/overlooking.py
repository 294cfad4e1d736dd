"""A screen over the past of a track, without a server that is asked and without a main screen."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import NoReturn

import pytest

from esdash.engine.console import EngineError
from esdash.engine.projection import Projection
from esdash.fold.folding import Entry, Fold
from esdash.log.servers.server import Server
from esdash.log.stream import Stream
from esdash.past.service import Past
from esdash.past.track.file import Track
from tests.past.recording import record


def past_of(folder: Path, fold: Fold, entries: Sequence[Entry], segment: int = 20_000) -> tuple[Past, Track]:
    """The past that entries make, and the file that it is in; its log is not asked."""
    path = folder / "track"
    track = record(path, Projection(fold), entries, segment=segment)
    return Past(Stream(Server("redis://nowhere.invalid"), "stream"), fold, path), track


def at_first(patch: pytest.MonkeyPatch, past: Past, question: str, answer: Callable[..., object]) -> Event:
    """Let a past answer a question otherwise until the event is set."""
    tell, there = getattr(past, question), Event()
    patch.setattr(past, question, lambda *asked: (tell if there.is_set() else answer)(*asked))
    return there


def not_yet(*_: object) -> NoReturn:
    """What a past answers that cannot tell yet."""
    raise EngineError("Not there yet.")
