"""Every way to write a place, what it means, and what is refused."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from esdash.query.places import GREATEST, Between, End, Numbered, OfSnapshot, PlaceError, read_place

MINUTE = 60_000


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Local time is that of Berlin, whose clocks are changed."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


NOW = 1795442625.5  # 2026-11-23 15:03:45.5 in Berlin


def stretch(begin: str, milliseconds: int) -> Between:
    first = round(moment(begin) * 1000)
    return Between((first, 0), (first + milliseconds - 1, GREATEST))


class TestWhatIsAPlace:
    @pytest.mark.parametrize(
        "text", ["#216924", "n216924", "#216,924", " #216924 ", "n0216924", "#" + "0" * 30 + "216924"]
    )
    def test_a_number(self, text: str) -> None:
        assert read_place(text, NOW) == Numbered(216924)

    @pytest.mark.parametrize(
        ("text", "entry_id"),
        [("1700000000000-0", (1700000000000, 0)), ("5-3", (5, 3)), (f"{GREATEST}-{GREATEST}", (GREATEST, GREATEST))],
    )
    def test_an_id(self, text: str, entry_id: tuple[int, int]) -> None:
        assert read_place(text, NOW) == Between(entry_id, entry_id)

    def test_the_milliseconds_of_an_id(self) -> None:
        assert read_place("1700000000000", NOW) == Between((1700000000000, 0), (1700000000000, GREATEST))

    def test_a_time_of_day_is_the_last_one_that_has_begun_as_a_whole(self) -> None:
        assert datetime.fromtimestamp(NOW).isoformat() == "2026-11-23T15:03:45.500000"
        assert read_place("14:03", NOW) == stretch("2026-11-23T14:03", MINUTE)
        assert read_place("15:03", NOW) == stretch("2026-11-23T15:03", MINUTE)
        assert read_place("15:04", NOW) == stretch("2026-11-22T15:04", MINUTE)
        assert read_place("15:03:45", NOW) == stretch("2026-11-23T15:03:45", 1000)
        assert read_place("15:03:46", NOW) == stretch("2026-11-22T15:03:46", 1000)

    def test_a_time_of_day_is_yesterdays_by_the_clock_when_clocks_were_changed(self) -> None:
        morning = moment("2026-10-25T08:00")
        assert read_place("09:00", morning) == stretch("2026-10-24T09:00", MINUTE)

    @pytest.mark.parametrize(
        ("text", "begin", "milliseconds"),
        [
            ("2026-11-23 14:03", "2026-11-23T14:03", MINUTE),
            ("2026-11-23T14:03", "2026-11-23T14:03", MINUTE),
            ("2026-11-23 14:03:05", "2026-11-23T14:03:05", 1000),
            ("2026-11-23T14:03:05.25", "2026-11-23T14:03:05.25", 10),
            ("2026-11-23T14:03:05.250999", "2026-11-23T14:03:05.251", 1),
            ("2026-11-23T14:03:05Z", "2026-11-23T14:03:05+00:00", 1000),
            ("2026-11-23T14:03:05+05:30", "2026-11-23T14:03:05+05:30", 1000),
            ("20261123T140305Z", "2026-11-23T14:03:05+00:00", 1000),
            ("2026-11-23T14", "2026-11-23T14:00", 60 * MINUTE),
            ("2026-11-23", "2026-11-23T00:00", 24 * 60 * MINUTE),
            ("2026-10-25", "2026-10-25T00:00", 25 * 60 * MINUTE),
            ("2026-W47-2", "2026-11-17T00:00", 24 * 60 * MINUTE),
        ],
    )
    def test_a_date_and_time_is_all_that_it_names(self, text: str, begin: str, milliseconds: int) -> None:
        assert read_place(text, NOW) == stretch(begin, milliseconds)

    @pytest.mark.parametrize(("text", "seconds"), [("-30s", 30), ("-5m", 300), ("-2h", 7200), ("-3d", 259_200)])
    def test_so_long_ago(self, text: str, seconds: int) -> None:
        at = round((NOW - seconds) * 1000)
        assert read_place(text, NOW) == Between((at, 0), (at, GREATEST))

    def test_before_1970_is_before_every_entry(self) -> None:
        for text in ("1969-07-20T20:17Z", "-999999d"):
            assert read_place(text, NOW) == Between((0, 0), (0, 0))

    def test_the_ends_and_snapshots(self) -> None:
        assert read_place("first", NOW) is End.FIRST
        assert read_place("now", NOW) is End.NOW
        assert read_place("snapshot:60-ab12cd34", NOW) == OfSnapshot("60-ab12cd34")


class TestWhatIsNone:
    @pytest.mark.parametrize("text", ["216924", "216,924", "1700000000", "0", "20261123", "12345678901234", "1" * 18])
    def test_any_other_bare_number_is_refused_with_the_three_ways_to_write_it(self, text: str) -> None:
        with pytest.raises(PlaceError) as refused:
            read_place(text, NOW)
        number = text.replace(",", "")
        for way in (f"#{number} ", f"n{number} ", f"{number}-0 "):
            assert way in str(refused.value)

    @pytest.mark.parametrize("text", ["1700000000", "1700000000000000", "1700000000000000000"])
    def test_a_bare_time_in_any_unit_is_shown_as_a_time_that_can_be_typed(self, text: str) -> None:
        with pytest.raises(PlaceError, match="2023-11-14T23:13:20\\+01:00 for a time"):
            read_place(text, NOW)
        assert read_place("2023-11-14T23:13:20+01:00", NOW) == Between((1700000000000, 0), (1700000000999, GREATEST))

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", "# 5", "2026-02-30 14:03", "9" * 30, "n" + "9" * 30, f"{GREATEST + 1}-0", "9" * 5000 + "-1"),
            *("#", "n", "#0", "#-5", "#1,23", "-5", "-5y", "--5m", "5m", "5-", "1-2-3", "1700000000000-", "snapshot:"),
            *("snapshot", "yesterday", "25:00", "14:60", "14:3", "2026-13-01", "٣", "#٣", "2026-11-23T14:03:05+99:00"),
        ],
    )
    def test_is_refused_in_a_sentence(self, text: str) -> None:
        with pytest.raises(PlaceError) as refused:
            read_place(text, NOW)
        assert len(str(refused.value)) < 400
        assert str(refused.value).endswith(".")

    def test_the_times_of_the_year_10000_are_no_traceback(self) -> None:
        assert read_place("9999-12-31T23:59:59Z", NOW) == Between((253402300799000, 0), (253402300799999, GREATEST))
        assert read_place("9999-12-31", moment("2026-11-23 15:03:45")) == stretch("9999-12-31", 86_400_000)
        first = read_place("0001-01-01", NOW)
        assert first == Between((0, 0), (0, 0)), "before every entry"

    @pytest.mark.parametrize(
        ("now", "text", "begin"),
        [
            ("2026-10-25T02:45+02:00", "02:30", "2026-10-25T02:30+02:00"),
            ("2026-10-25T02:15+01:00", "02:30", "2026-10-25T02:30+02:00"),
            ("2026-10-25T02:45+01:00", "02:30", "2026-10-25T02:30+01:00"),
            ("2026-10-25T02:15+02:00", "02:30", "2026-10-24T02:30+02:00"),
            ("2026-03-29T12:00+02:00", "02:30", "2026-03-28T02:30+01:00"),
            ("2026-03-29T12:00+02:00", "03:30", "2026-03-29T03:30+02:00"),
        ],
    )
    def test_a_time_of_day_is_the_last_such_where_clocks_are_changed(self, now: str, text: str, begin: str) -> None:
        assert read_place(text, moment(now)) == stretch(begin, MINUTE)

    def test_a_zone_is_the_persons(self) -> None:
        utc = datetime(2026, 11, 23, 13, 3, tzinfo=UTC)
        assert read_place("2026-11-23 14:03", NOW) == read_place(utc.strftime("%Y-%m-%dT%H:%MZ"), NOW)
