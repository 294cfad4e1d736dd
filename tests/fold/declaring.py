"""Domains of one rule, as files."""

import importlib.util
import textwrap
from pathlib import Path
from typing import Final

from esdash.domain import Domain

BEFORE: Final = '''
"""A domain of one rule."""
import zlib

from msgspec import Struct

from esdash.domain import Column, Domain, EventType, Refusal, Table, about

SEEN = []
TIMES = {"a": 1}
COUNT = 0


class Line(Struct):
    account: str
    amount: int


class Moved(Struct):
    account: str
    other: str
    amount: int
    lines: list[Line] = []

    def tell(self): ...


def doubled(number):
    return number * 2


def careful(number):
    if number > 5:
        raise ValueError("too much")
    return number


'''

AFTER: Final = """

DOMAIN = Domain(
    name="rules",
    version="1",
    tables=(Table("accounts", "account", str, (Column("balance"), Column("owner", str))),),
    events=(EventType(Moved, apply),),
    reasons={{"no": "No."}},
    fast={fast},
)
"""


class Declare:
    """Writes and imports the domains of a test."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rules.py"
        self.before = BEFORE.count("\n") + 1
        """Lines before the body of a rule."""

    def __call__(self, source: str, *, fast: bool = False) -> Domain:
        """The domain with these functions, of which `apply` is the rule."""
        self.file.write_text(BEFORE + textwrap.dedent(source) + AFTER.format(fast=fast))
        spec = importlib.util.spec_from_file_location("rules", self.file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        # Not by the loader, which would take a cached file that is as old and as long.
        exec(compile(self.file.read_bytes(), str(self.file), "exec"), vars(module))
        domain: Domain = module.DOMAIN
        return domain

    def rule(self, body: str, *, fast: bool = False) -> Domain:
        """The domain whose rule has this body."""
        return self(
            "def apply(state, event):\n" + textwrap.indent(textwrap.dedent(body.strip("\n")), "    "), fast=fast
        )
