"""What tests of questions begin with: the schemas of some domains, a moment, and texts that nobody should type."""

from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from esdash.query.errors import QueryError
from esdash.query.schema import Schema
from esdash.words.asked import schema_of
from tests.domains import kinds, the_bank, the_depots
from tests.domains.shop import shop

NOW = 1795442625.5


@cache
def of_shop() -> Schema:
    return schema_of(shop())


@cache
def of_bank() -> Schema:
    return schema_of(the_bank())


@cache
def of_depots() -> Schema:
    return schema_of(the_depots())


@cache
def of_kinds() -> Schema:
    return schema_of(kinds())


_PIECES = [
    *(
        "user:7",
        'item:"two words"',
        "amount>100",
        "amount<=1,234.5",
        "lines.quantity!=3",
        "Order.quantity=2",
        "count(users)",
    ),
    *("type:Order", "type:top-up", "outcome:rejected", "reason:out_of_stock", "key:k", 'key:""', "id:5-3", "since:-5m"),
    *(
        "until:14:03",
        'since:"2026-11-23 14:03"',
        "since:#12",
        "until:snapshot:x",
        "hdd",
        '"two words"',
        "/a(b|c)*/",
        "/x/i",
    ),
    *(
        "users:7.balance",
        "sum(users.balance)",
        "max(items.price)",
        'items:"a\\"b".remain',
        "user:7.balance",
        "12.34",
        '"x"',
    ),
    *(
        "(",
        ")",
        "-",
        "--",
        " ",
        "  ",
        "or",
        "and",
        "not",
        "OR",
        "=",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        ":",
        '"',
        "\\",
        "/",
        "\0",
    ),
    *(
        "\n",
        "é",
        "\u202e",
        "日本",
        "7",
        "-5",
        "x:",
        "foo:bar",
        "lines:1",
        "users:",
        "users:7",
        "users:x.balance",
        "\ud800",
    ),
]


def texts() -> SearchStrategy[str]:
    """Any texts, and such as are nearly right."""
    near = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=12).map(" ".join)
    glued = st.lists(st.sampled_from(_PIECES), max_size=8).map("".join)
    return st.one_of(st.text(max_size=40), near, glued)


def tried(read: Callable[[], Any]) -> tuple[Any, QueryError | None]:
    """What was read, or what is wrong with it."""
    try:
        return read(), None
    except QueryError as error:
        return None, error


def joined(terms: list[str]) -> SearchStrategy[str]:
    """Texts of these terms, joined in every way."""
    leaf = st.sampled_from(terms)
    return st.recursive(
        leaf,
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map("".join),
            inner.map("({})".format),
            inner.map("not ({})".format),
            inner.map("not {}".format),
        ),
        max_leaves=12,
    )
