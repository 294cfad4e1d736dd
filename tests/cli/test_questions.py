"""`esdash events QUESTION`: which entries, in which order, how many."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from esdash import config
from esdash.cli.commands import events
from esdash.ui.tables.question_book import QuestionBook
from tests.cli.conftest import Call, append, line_with
from tests.cli.told import DOMAINS, publish
from tests.engine.asked import BEGINNING, Fact
from tests.strategies import raw_entry, seeded_entries


def top_up(user: int, amount: int) -> list[tuple[bytes, bytes]]:
    return raw_entry("TopUp", b'{"user_id": %d, "amount": %d}' % (user, amount))


class TestThreeDomains:
    @pytest.mark.parametrize(
        ("domain", "question", "holds"),
        [
            (
                "shop",
                "user:7 -outcome:applied",
                lambda fact: fact.data.get("user_id") == 7 and fact.outcome != "applied",
            ),
            (
                "shop",
                "quantity>=3 or amount>100",
                lambda fact: (
                    fact.data.get("amount", 0) > 10_000
                    or any(line["quantity"] >= 3 for line in fact.data.get("lines", ()))
                ),
            ),
            ("bank", '"rejected insufficient_funds"', lambda fact: fact.reason == "insufficient_funds"),
            ("bank", 'account:"A-4 é"', lambda fact: "A-4 é" in fact.data.values()),
            (
                "bank",
                "owner:Ann -reason:already_open",
                lambda fact: fact.data.get("owner") == "Ann" and fact.reason != "already_open",
            ),
            (
                "depots",
                "goods.pieces>70 outcome:rejected",
                lambda fact: (
                    fact.outcome == "rejected" and any(each["pieces"] > 70 for each in fact.data.get("goods", ()))
                ),
            ),
            (
                "depots",
                f"since:{BEGINNING + 100_000} type:Closed",
                lambda fact: fact.number >= 100 and fact.type == "Closed",
            ),
        ],
    )
    def test_the_answer_is_that_of_the_plainest_reading(
        self, call: Call, url: str, client: redis.Redis, domain: str, question: str, holds: Callable[[Fact], bool]
    ) -> None:
        facts = publish(client, domain)
        expected = [fact.number for fact in facts if holds(fact)]
        assert expected
        asked = ("events", question, "--json", "--domain", DOMAINS[domain], "--url", url)
        assert [event["ordinal"] for event in call(*asked).lines] == expected
        assert [event["ordinal"] for event in call(*asked, "--tail", 3).lines] == expected[-3:]
        assert [event["ordinal"] for event in call(*asked, "--reverse").lines] == expected[::-1]
        assert [event["ordinal"] for event in call(*asked, "--reverse", "--count", 2).lines] == expected[::-1][:2]


class TestChoosing:
    @pytest.fixture
    def ids(self, url: str, client: redis.Redis) -> list[str]:  # noqa: ARG002 - url empties the server
        """Nine top-ups of three users, the last of nothing, and what cannot be understood."""
        entries = [top_up(number % 3, number * 100) for number in range(8, -1, -1)]
        return append(client, [*entries, raw_entry("Refund", b'{"note": "two  words"}')])

    def ordinals(self, call: Call, url: str, *arguments: object) -> list[int]:
        shown = call("events", "--json", "--url", url, *arguments)
        assert shown.code == 0, shown.err
        return [event["ordinal"] for event in shown.lines]

    def test_several_arguments_are_one_question(self, call: Call, url: str, ids: list[str]) -> None:
        assert len(ids) == 10
        assert self.ordinals(call, url, "user:1", "amount>3") == [2, 5]
        assert self.ordinals(call, url, "user:1", "or", "type:Refund") == [2, 5, 8, 10]

    def test_what_begins_with_a_minus_is_an_argument(self, call: Call, url: str, ids: list[str]) -> None:
        assert len(ids) == 10
        assert self.ordinals(call, url, "-outcome:applied") == [9, 10]
        assert self.ordinals(call, url, "-user:1", "-user:2", "-type:Refund") == [3, 6, 9]
        assert self.ordinals(call, url, '-"two  words"', "-amount>1", "--count", 5) == [8, 9]
        assert self.ordinals(call, url, "-(user:1 or user:2)", "-/refund/i") == [3, 6, 9]
        assert self.ordinals(call, url, "--", "-user:1", "-user:2") == [3, 6, 9, 10]
        assert call("events", "-h").code == 0
        for wrong in ("-x", "--nothing"):
            refused = call("events", wrong, "--url", url)
            assert (refused.code, refused.out) == (2, "")
            assert "No such option" in refused.err

    def test_it_goes_with_every_other_option(self, call: Call, url: str, ids: list[str]) -> None:
        assert self.ordinals(call, url, "amount>2", "--from", ids[1], "--to", ids[4]) == [2, 3, 4, 5]
        assert self.ordinals(call, url, "amount>2", "--about", "users:1") == [2, 5]
        assert self.ordinals(call, url, "user:2", "--outcome", "applied", "--tail", 1) == [7]
        assert self.ordinals(call, url, f"since:{ids[2]} until:{ids[4]}", "--from", ids[3]) == [4, 5]

    def test_places_are_those_of_the_stream(self, call: Call, url: str, ids: list[str]) -> None:
        assert self.ordinals(call, url, "since:#9") == self.ordinals(call, url, "since:n9") == [9, 10]
        assert self.ordinals(call, url, "until:first or since:now") == [1]
        taken = call("snapshot", "take", "--json", "--url", url).json["id"]
        call("publish", "top-up", 7, 1, "--url", url)
        assert self.ordinals(call, url, f"since:snapshot:{taken}") == [11]
        assert self.ordinals(call, url, "since:-5m until:-0s") == list(range(1, len(ids) + 2))
        missing = call("events", "since:#99", "--url", url)
        assert missing.code == 1
        assert "Entry #99 is not there yet" in missing.err

    def test_an_entry_by_its_id_and_its_key(self, call: Call, url: str, ids: list[str]) -> None:
        key = call("publish", "top-up", 7, 1, "--url", url).json["key"]
        assert self.ordinals(call, url, f"key:{key}") == [11]
        assert self.ordinals(call, url, f"id:{ids[3]}") == [4]

    def test_none_is_no_failure(self, call: Call, url: str, ids: list[str]) -> None:
        assert ids
        assert self.ordinals(call, url, "user:999") == []


class TestWhatIsWrong:
    def test_is_pointed_at(self, call: Call, url: str, client: redis.Redis) -> None:
        append(client, [top_up(1, 1)])
        refused = call("events", "hdd", "amonut>5", "--url", url)
        assert (refused.code, refused.out) == (2, "")
        sentence, text, carets = refused.err.splitlines()
        assert sentence.startswith("esdash: There is no amonut to ask for. Did you mean amount?")
        assert (text, carets) == ("  hdd amonut>5", "      ^^^^^^")

    def test_reaches_no_terminal_as_anything_but_text(self, call: Call, url: str) -> None:
        refused = call("events", "\x1b[31m \u202e foo:b", "--url", url)
        assert refused.code == 2
        assert refused.err.replace("\n", "").isprintable()

    def test_follow_has_no_newest_entry(self, call: Call, url: str) -> None:
        refused = call("events", "--follow", "--reverse", "--url", url)
        assert refused.code == 2
        assert "leave --reverse or --follow out" in refused.err


class TestOrder:
    @pytest.mark.parametrize("near", [1, 5, 50])
    def test_the_last_that_fit_may_lie_far_from_the_end(
        self, call: Call, url: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch, near: int
    ) -> None:
        facts = publish(client, "shop", 200)
        monkeypatch.setattr(events, "NEAR", near)
        for question, holds in (
            ("", lambda _: True),
            ("type:Order", lambda fact: fact.type == "Order"),
            ("reason:unknown_type", lambda fact: fact.reason == "unknown_type"),
            ("until:#20", lambda fact: fact.number <= 20),
        ):
            expected = [fact.number for fact in facts if holds(fact)]
            for flags, wanted in (
                (("--tail", 3), expected[-3:]),
                (("--tail", 3, "--reverse"), expected[:-4:-1]),
                (("--tail", 7, "--count", 2), expected[-7:][:2]),
                (("--reverse", "--count", 4), expected[:-5:-1]),
                (("--tail", 500), expected),
            ):
                shown = call("events", question, "--json", *flags, "--url", url)
                assert [event["ordinal"] for event in shown.lines] == wanted, (question, flags)

    def test_the_newest_of_many_large_ones(self, call: Call, url: str, client: redis.Redis) -> None:
        """More than is kept in memory."""
        note = b"x" * 40_000
        append(client, [raw_entry("Refund", b'{"n": %d, "note": "%s"}' % (number, note)) for number in range(300)])
        shown = call("events", "--json", "--reverse", "--url", url).lines
        assert [event["data"]["n"] for event in shown] == list(range(299, -1, -1))
        shown = call("events", "--json", "--tail", 2, "--url", url).lines
        assert [event["data"]["n"] for event in shown] == [298, 299]

    def test_the_tail_goes_on(
        self, start: Callable[..., "subprocess.Popen[str]"], url: str, client: redis.Redis
    ) -> None:
        append(client, [top_up(number, 100) for number in range(5)])
        process = start("events", "-user:9", "--json", "--tail", 2, "--follow", "--count", 4, "--url", url)
        assert process.stdout is not None
        shown = [json.loads(process.stdout.readline())["ordinal"] for _ in range(2)]
        append(client, [top_up(9, 100), top_up(1, 100), top_up(2, 100)])
        shown += [json.loads(line_with(process.stdout, "{"))["ordinal"] for _ in range(2)]
        assert shown == [4, 5, 7, 8]
        assert process.wait(timeout=30) == 0


def test_a_range_that_ends_before_it_begins_is_empty(call: Call, url: str, client: redis.Redis) -> None:
    append(client, seeded_entries(1, 300))
    for arguments in (("since:#10 until:#5",), ("--from", "#10", "--to", "#5"), ("since:#10 until:#5", "--reverse")):
        found = call("events", *arguments, "--url", url)
        assert (found.code, found.out, found.err) == (0, "", "")


class TestSaved:
    @pytest.fixture
    def settings(self, home: Path) -> Path:
        """With a question that is saved in them; another one was saved in the dashboard."""
        file = config.usual_file()
        assert file is not None
        assert file.is_relative_to(home)
        file.parent.mkdir(parents=True)
        file.write_text('[questions]\nbig = "amount>100"\nwrong = "amont>100"')
        QuestionBook(config.questions_file(), "shop").save("mine", "@big -user:8")
        return file

    def test_those_of_the_settings_and_of_the_dashboard_are_asked_by_name(
        self, call: Call, url: str, client: redis.Redis, settings: Path
    ) -> None:
        assert settings
        append(client, [top_up(7, 5_000), top_up(7, 50_000), top_up(8, 60_000)])
        for question, found in (("@big", [2, 3]), ("@mine", [2]), ("-@mine", [1, 3]), ("@big user:8", [3])):
            lines = call("events", *question.split(), "--json", "--url", url).lines
            assert [event["ordinal"] for event in lines] == found, question

    def test_what_is_wrong_with_one_is_pointed_at(self, call: Call, url: str, settings: Path) -> None:
        assert settings
        for question, told in (
            ("@bog", "There is no saved question bog. Did you mean big?"),
            ("@wrong", "The saved question wrong cannot be asked: amont>100: There is no amont"),
        ):
            refused = call("events", "user:7", question, "--url", url)
            assert refused.code == 2
            assert told in refused.err
            assert f"       {'^' * len(question)}" in refused.err
