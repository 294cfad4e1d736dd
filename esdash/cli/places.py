"""Places in the stream as arguments of commands."""

import time
from typing import Any

import click

from esdash.cli.guarding import GUARD
from esdash.cli.output import warn
from esdash.engine.moments import places
from esdash.log.stream import Stream
from esdash.query.places import Place, PlaceError, read_place


class PlaceType(click.ParamType[Place]):
    """Reads a place; its value is a `Place`."""

    name = "place"

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Place:
        """The place that was typed. Raises click.BadParameter."""
        try:
            return read_place(str(value).removeprefix(GUARD), time.time())
        except PlaceError as error:
            self.fail(str(error), parameter, context)


PLACE = PlaceType()


def begin_of(log: Stream, place: Place) -> bytes:
    """The least id of a range that begins with a place; what was assumed is said. Raises NoPlaceError, LogError."""
    return places.begin_of(log, place, warn)


def end_of(log: Stream, place: Place) -> bytes:
    """The greatest id up to and with a place; what was assumed is said. Raises NoPlaceError, LogError."""
    return places.end_of(log, place, warn)
