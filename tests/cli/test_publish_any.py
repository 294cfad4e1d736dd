"""`esdash publish` for domains of any kind: its commands are made from the models."""

import json
from pathlib import Path

import pytest
import redis

from tests.cli.conftest import Call, append, stored
from tests.domains import BANK, DEPOT
from tests.strategies import raw_entry

LEDGER = '''
from typing import Annotated, Literal

from msgspec import Meta, Struct

from esdash.domain import MONEY, Column, Domain, EventType, Table, about, shown_as


class Part(Struct, frozen=True):
    name: str
    cents: Annotated[int, shown_as(MONEY)]


class Adjusted(Struct, frozen=True, omit_defaults=True):
    """Move an account up or down."""

    account: Annotated[str, about("accounts")]
    by_amount: Annotated[int, shown_as(MONEY)]
    key: str | None = None
    url: str = ""
    urgent: bool = False
    unit_price: Annotated[int, Meta(ge=0, le=100, description="What a piece costs"), shown_as(MONEY)] = 0
    level: Literal["low", "high"] = "low"
    parts: tuple[Part, ...] = ()
    matrix: list[list[int]] = []


class Batch(Struct, frozen=True):
    """Another command has this name."""

    number: int


def adjusted(state, event):
    state.accounts.balance[event.account] = state.accounts.balance.get(event.account, 0) + event.by_amount


def batch(state, event):
    state.accounts.balance["batch"] = event.number


LEDGER = Domain(
    name="ledger",
    version="1",
    tables=(Table("accounts", "account", str, (Column("balance", int, MONEY),)),),
    events=(EventType(Adjusted, adjusted, name="account.Adjusted"), EventType(Batch, batch)),
)
'''


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    (tmp_path / "ledger.py").write_text(LEDGER)
    return tmp_path / "ledger.py"


def data_of(client: redis.Redis) -> object:
    """Of the newest entry."""
    return json.loads(stored(client)[-1][1][b"data"])


class TestABank:
    def test_its_events(self, call: Call, url: str, client: redis.Redis) -> None:
        options = ("--domain", BANK, "--wait", "--url", url)
        opened = call("publish", "opened", "A", "Ada Lovelace", *options)
        assert (opened.code, opened.json["type"], opened.json["outcome"]) == (0, "Opened", "applied")
        assert data_of(client) == {"account": "A", "owner": "Ada Lovelace"}
        assert call("publish", "opened", "B", "Bob", *options).code == 0
        refused = call("publish", "transferred", "A", "B", "12.34", *options)
        assert (refused.code, refused.json["reason"]) == (1, "insufficient_funds")
        assert "needed 12.34, had 0.00, short 12.34" in refused.err
        assert data_of(client) == {"source": "A", "target": "B", "amount": 1234}

    def test_by_the_name_on_the_wire(self, call: Call, url: str, client: redis.Redis) -> None:
        assert call("publish", "Opened", "A", "Ada", "--domain", BANK, "--url", url).code == 0
        assert stored(client)[0][1][b"type"] == b"Opened"

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--domain", BANK, "publish", "opened", "A", "Ada"),
            ("publish", "--domain", BANK, "opened", "A", "Ada"),
            ("publish", "opened", "--domain", BANK, "A", "Ada"),
            ("publish", "opened", "A", "Ada", f"--domain={BANK}"),
            ("--domain", "shop", "publish", "opened", "A", "Ada", "--domain", BANK),
        ],
    )
    def test_the_domain_may_be_said_anywhere(self, call: Call, url: str, arguments: tuple[object, ...]) -> None:
        assert call("--url", url, *arguments).code == 0

    def test_or_in_the_environment_or_the_settings(
        self, call: Call, url: str, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (home / "settings.toml").write_text(f'[domains]\npayments = "{BANK}"')
        options = ("--config", home / "settings.toml", "--stream", "payments", "--url", url)
        assert call("publish", "opened", "A", "Ada", *options).code == 0
        assert call("publish", "opened", "A", "Ada", "--url", url).code == 2
        monkeypatch.setenv("ESDASH_DOMAIN", str(BANK))
        assert call("publish", "opened", "A", "Ada", "--url", url).code == 0

    def test_its_help(self, call: Call) -> None:
        for arguments in (("publish", "--domain", BANK, "--help"), ("publish", "--help", "--domain", BANK)):
            listed = call(*arguments).out
            assert "\n  opened       Open an account.\n" in listed
            assert "\n  transferred  Move money between two accounts.\n" in listed
            assert "\n  batch " in listed
            assert "top-up" not in listed
        helped = call("publish", "transferred", "--help", "--domain", BANK).out
        assert helped.startswith("Usage: esdash publish transferred [OPTIONS] SOURCE TARGET AMOUNT")
        assert "Move money between two accounts." in helped
        assert "AMOUNT  like 12.34, from 0.01 to 10,000,000,000,000.00" in helped

    def test_a_type_that_is_none(self, call: Call, url: str) -> None:
        refused = call("publish", "top-up", "7", "1", "--domain", BANK, "--url", url)
        assert refused.code == 2
        assert "There are opened, transferred." in refused.err

    def test_bad_values(self, call: Call, url: str, client: redis.Redis) -> None:
        for amount in ("0", "-1", "1.234", "x"):
            refused = call("publish", "transferred", "A", "B", amount, "--domain", BANK, "--url", url)
            assert (refused.code, refused.out) == (2, "")
            assert refused.err.startswith("esdash: Amount")
        assert stored(client) == []

    def test_a_batch(self, call: Call, url: str, client: redis.Redis, tmp_path: Path) -> None:
        file = tmp_path / "lines"
        file.write_text('{"type": "Opened", "data": {"account": "A", "owner": "Ada"}, "key": "k"}\n')
        assert call("publish", "batch", file, "--domain", BANK, "--url", url).json["key"] == "k"
        refused = call("publish", "batch", file, "--url", url)
        assert refused.code == 2
        assert "Line 1 would be parked as unknown_type: the types are TopUp" in refused.err
        file.write_text('{"type": "Opened", "data": {"account": "", "owner": "Ada"}}\n')
        assert "invalid_data" in call("publish", "batch", file, "--domain", BANK, "--url", url).err
        assert len(stored(client)) == 1


class TestALedger:
    def test_a_number_below_zero_is_an_argument(self, call: Call, url: str, client: redis.Redis, ledger: Path) -> None:
        for arguments in (("A", "-5.00"), ("--urgent", "no", "A", "-5"), ("--", "A", "-5.0")):
            assert call("--url", url, "--domain", ledger, "publish", "account.adjusted", *arguments).code == 0
            assert data_of(client) == {"account": "A", "by_amount": -500}
        shown = call("state", "--domain", ledger, "--json", "--url", url).json
        assert shown["tables"]["accounts"] == {"A": {"balance": -1500}}

    def test_options(self, call: Call, url: str, client: redis.Redis, ledger: Path) -> None:
        published = call(
            *("publish", "account.Adjusted", "A", "1", "--domain", ledger, "--url", url, "--key", "mine"),
            *("--field-key", "k", "--field-url", "u", "--urgent", "--unit-price", "0.50", "--level", "HIGH"),
            *("--parts", "a:b:1.50", "--parts", "c", "--matrix", "[[1], [2, 3]]"),
        )
        assert (published.code, published.json["key"]) == (0, "mine")
        assert data_of(client) == {
            "account": "A",
            "by_amount": 100,
            "key": "k",
            "url": "u",
            "urgent": True,
            "unit_price": 50,
            "level": "high",
            "parts": [{"name": "a:b", "cents": 150}, {"name": "c", "cents": 100}],
            "matrix": [[1], [2, 3]],
        }

    @pytest.mark.parametrize(
        "options",
        [
            ("--unit-price", "1.01"),
            ("--unit-price", "-1"),
            ("--urgent", "perhaps"),
            ("--level", "middle"),
            ("--parts", "a:x"),
            ("--matrix", "[1"),
            ("--matrix", '["x"]'),
            ("--unit_price", "1"),
        ],
    )
    def test_bad_options(self, call: Call, url: str, ledger: Path, options: tuple[str, ...]) -> None:
        refused = call("publish", "account.adjusted", "A", "1", *options, "--domain", ledger, "--url", url)
        assert (refused.code, refused.out) == (2, "")
        assert refused.err.count("\n") == 1

    def test_help_of_options(self, call: Call, ledger: Path) -> None:
        helped = call("publish", "account.adjusted", "--help", "--domain", ledger).out
        assert "What a piece costs, like 12.34, from 0.00 to 1.00. [0.00]" in " ".join(helped.split())
        assert "--field-key" in helped

    def test_an_event_called_batch_is_chosen_by_its_exact_name(
        self, call: Call, url: str, client: redis.Redis, ledger: Path
    ) -> None:
        assert call("publish", "Batch", "-7", "--domain", ledger, "--url", url).code == 0
        assert data_of(client) == {"number": -7}
        assert "Append the events of FILE" in call("publish", "batch", "--help", "--domain", ledger).out


class TestADepot:
    def test_records_dates_and_decimals(self, call: Call, url: str, client: redis.Redis) -> None:
        options = ("--domain", DEPOT, "--wait", "--url", url)
        built = call("publish", "built", "north", "North hall", "2026-01-31T12:00:00Z", "--climate", "cold", *options)
        assert (built.code, built.json["outcome"]) == (0, "applied")
        goods = json.dumps([{"sku": "bolt", "pieces": 5, "care": "fragile"}])
        delivered = call("publish", "delivered", "north", goods, "1.5", "--labels", '["x"]', *options)
        assert (delivered.code, delivered.json["outcome"]) == (0, "applied")
        assert stored(client)[-1][1][b"v"] == b"2"
        weighed = call("publish", "weighed", "-3", "1.250 kg", *options)
        assert (weighed.code, data_of(client)) == (0, {"ticket": -3, "grams": 1250})

    def test_a_hidden_table_is_shown_when_it_is_named(self, call: Call, url: str, client: redis.Redis) -> None:
        append(
            client,
            [
                raw_entry("Built", b'{"depot": "n", "name": "N", "opened": "2026-01-31T12:00:00Z"}'),
                raw_entry("Delivered", b'{"depot": "n", "sku": "bolt", "pieces": 5}'),
            ],
        )
        options = ("--domain", DEPOT, "--url", url)
        document = call("state", "--json", *options).json
        assert document["tables"]["slots"] == {"n/bolt": {"pieces": 5, "batch": None, "fragile": None}}
        assert document["tables"]["depots"]["n"]["manager"] is None
        shown = call("state", *options).out
        assert "Depots (1)" in shown
        assert "Slots" not in shown
        assert "Slots (1)" in call("state", "--table", "slots", *options).out
        assert "n/bolt" not in call("events", *options).out
