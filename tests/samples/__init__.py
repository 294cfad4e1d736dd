"""Entries as other programs write them, made once and read by the tests: a file of JSON lines for each program.

The first line says what made them; each other one is an entry, its fields by their names. A value that is no ASCII text
is {"hex": …}. `python -m tests.samples.make_NAME` makes a file anew; what that needs stands there.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Samples(NamedTuple):
    """The entries of a program."""

    made_by: str
    entries: dict[str, list[bytes]]
    """Fields as the server sends them, by what each sample is."""


def samples(program: str) -> Samples:
    """The samples of a program."""
    head, *lines = (json.loads(line) for line in HERE.joinpath(f"{program}.jsonl").read_text("ascii").splitlines())
    return Samples(head["made_by"], {line["what"]: _fields(line["fields"]) for line in lines})


def write(program: str, made_by: str, entries: Iterable[tuple[str, Mapping[bytes, bytes]]]) -> None:
    """Keep samples: what each is, and its fields."""
    lines: list[dict[str, Any]] = [{"made_by": made_by}]
    for what, fields in entries:
        told = {name.decode(): _as_json(value) for name, value in fields.items()}
        lines.append({"what": what, "fields": told})
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    HERE.joinpath(f"{program}.jsonl").write_text(text, "ascii")


def _fields(told: Mapping[str, Any]) -> list[bytes]:
    return [
        part
        for name, value in told.items()
        for part in (name.encode(), bytes.fromhex(value["hex"]) if isinstance(value, dict) else value.encode())
    ]


def _as_json(value: bytes) -> Any:
    return value.decode() if value.isascii() and b"\0" not in value else {"hex": value.hex()}
