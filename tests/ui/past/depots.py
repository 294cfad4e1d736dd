"""Entries of the depots with everything that is hard to show: texts, absent cells, rows that went, sums with units."""

import json
from typing import Any, Final

from esdash.fold.folding import Entry

FIRST_MS: Final = 1_700_000_000_000

_EVENTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("Built", {"depot": "d", "name": "North", "opened": "2026-01-02T03:04:05Z"}),
    ("Built", {"depot": "漢[b]", "name": "\x1b[31m" + "ü漢" * 40, "opened": "2026-01-02T03:04:05Z", "manager": "Ann"}),
    ("Built", {"depot": "gone", "name": "Gone", "opened": "2026-01-02T03:04:05Z"}),
    ("Delivered", {"depot": "d", "goods": [{"sku": "x", "pieces": 900}], "kilos": 1}),
    ("Weighed", {"ticket": 1, "grams": 5_000}),
    ("Weighed", {"ticket": 2, "grams": 7_000}),
    # The sixth entry is the first of two moments.
    ("Weighed", {"ticket": 1, "grams": 1_234_567}),
    ("Weighed", {"ticket": 3, "grams": -9}),
    ("Delivered", {"depot": "d", "goods": [{"sku": "x", "pieces": 150}], "kilos": 1}),
    ("Delivered", {"depot": "d", "goods": [{"sku": "y", "pieces": 250}], "kilos": 1}),
    ("Delivered", {"depot": "漢[b]", "goods": [{"sku": "y", "pieces": 5_000}], "kilos": 1}),
    ("Withdrawn", {"depot": "d", "sku": "x", "pieces": 901}),
    ("Closed", {"depot": "[red]nowhere"}),
    ("Closed", {"depot": "gone"}),
    ("Built", {"depot": "new", "name": "New", "opened": "2026-01-02T03:04:05Z", "climate": "cold"}),
    ("Nothing", {}),
)

DEPOT_ENTRIES: Final[list[Entry]] = [
    (
        b"%d-0" % (FIRST_MS + 1_000 * number),
        [b"type", name.encode(), b"v", b"2" if name == "Delivered" else b"1", b"data", json.dumps(data).encode()],
    )
    for number, (name, data) in enumerate(_EVENTS)
]
