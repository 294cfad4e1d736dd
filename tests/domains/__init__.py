"""Domains to test with, as a team would write them: files that esdash loads.

`bank` is that of the manual. `depot` has what the bank has not: models of every make, keys of two parts in a hidden
table, absent cells, rows that are removed, older schemas. Entries of other programs are read by `sensors` (FastStream),
`rooms` (CloudEvents), `placed` (Watermill) and `customers` (Debezium).
"""

from functools import cache
from pathlib import Path
from typing import Final

from esdash.fold.folding import Fold
from esdash.fold.loading import load

BANK: Final = Path(__file__).with_name("bank.py")
DEPOT: Final = Path(__file__).with_name("depot.py")
METERS: Final = Path(__file__).with_name("meters.py")

SENSORS: Final = Path(__file__).with_name("sensors.py")
ROOMS: Final = Path(__file__).with_name("rooms.py")
PLACED: Final = Path(__file__).with_name("placed.py")
CUSTOMERS: Final = Path(__file__).with_name("customers.py")


@cache
def the_bank() -> Fold:
    """The fold of the bank."""
    return load(str(BANK))


@cache
def the_depots() -> Fold:
    """The fold of the depots."""
    return load(str(DEPOT))


def kinds() -> Fold:
    """The fold of the domain that has every kind of field."""
    return load("tests.domains.every_kind:KINDS")
