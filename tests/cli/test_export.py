"""`esdash export`: what other commands show, as CSV, JSON lines and Markdown, on stdout or in a file."""

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.cli.conftest import Call, append
from tests.cli.told import DOMAINS, publish
from tests.strategies import seeded_entries

NUMBER = {"shop": "users:7.balance", "bank": "count(accounts)", "depots": "depots:d4.name"}
TABLE = {"shop": "users", "bank": "accounts", "depots": "depots"}


@pytest.fixture(params=DOMAINS)
def domain(request: pytest.FixtureRequest, client: redis.Redis) -> str:
    """A domain of which there is a day in the stream."""
    publish(client, request.param, 120)
    return str(request.param)


class TestWhatOtherCommandsShow:
    """As JSON lines it is what they print; as CSV the same, as people read it."""

    @pytest.fixture
    def export(self, call: Call, url: str, domain: str) -> Any:
        def export(*arguments: str) -> tuple[list[Any], list[list[str]], str]:
            told = []
            for form in ("jsonl", "csv", "markdown"):
                result = call("export", *arguments, "--format", form, "--domain", DOMAINS[domain], "--url", url)
                assert result.code == 0, result.err
                told.append(result.out)
            lines = [json.loads(line) for line in told[0].splitlines()]
            return lines, list(csv.reader(io.StringIO(told[1]))), told[2]

        return export

    @pytest.fixture
    def shown(self, call: Call, url: str, domain: str) -> Any:
        return lambda *arguments: call(*arguments, "--json", "--domain", DOMAINS[domain], "--url", url)

    @pytest.mark.parametrize("question", [(), ("outcome:applied", "-since:n100"), ("--from", "n5", "--to", "n50")])
    def test_the_log(self, export: Any, shown: Any, question: tuple[str, ...]) -> None:
        lines, (heading, *rows), markdown = export("log", *question)
        assert lines == shown("events", *question).lines
        assert heading[:3] == ["#", "id", "time"]
        assert [(row[0], row[1], row[6]) for row in rows] == [
            (str(line["ordinal"]), line["id"], line["outcome"]) for line in lines
        ]
        assert len(markdown.splitlines()) == len(rows) + 4

    def test_a_table(self, export: Any, shown: Any, domain: str) -> None:
        for at in ((), ("--at", "n60")):
            lines, (_, *rows), markdown = export("table", TABLE[domain], *at)
            there = shown("state", "--table", TABLE[domain], *at).json["tables"][TABLE[domain]]
            assert {str(line["key"]): line["cells"] for line in lines} == there
            assert [row[0] for row in rows] == [str(line["key"]) for line in lines]
            first = next(iter(lines[0]["cells"].values()))
            assert rows[0][1] == (first if domain == "depots" else f"{first // 100:,}.{first % 100:02}")
            assert len(markdown.splitlines()) == len(rows) + 4

    def test_a_story(self, export: Any, shown: Any, domain: str) -> None:
        lines, (_, *rows), markdown = export("story", NUMBER[domain])
        assert lines == shown("why", NUMBER[domain]).lines
        assert [row[0] for row in rows] == [str(line["ordinal"]) for line in lines]
        assert markdown.startswith(f"**{NUMBER[domain]}**")

    def test_a_difference(self, export: Any, shown: Any) -> None:
        lines, rows, _ = export("diff", "n30", "now")
        whole = shown("diff", "n30", "now").json
        assert lines == whole["numbers"] + whole["entries"]
        assert rows.index([]) == len(whole["numbers"]) + 1
        assert len(rows) == len(lines) + 3

    def test_the_board(self, export: Any, shown: Any) -> None:
        lines, rows, _ = export("board")
        outcomes = shown("state").json["outcomes"]
        reasons = {line["reason"]: line["count"] for line in lines if "outcome" in line}
        assert reasons == {**outcomes["rejected"], **outcomes["parked"]}
        assert [row[1] for row in rows[1 : rows.index([])]] == list(reasons)
        part, _, _ = export("board", "--from", "n61", "--to", "n90")
        refused = [line for line in shown("events", "--from", "n61", "--to", "n90").lines if line["reason"]]
        assert sum(line["count"] for line in part if "outcome" in line) == len(refused)


def test_a_spreadsheet_gets_no_formula_and_a_terminal_no_command(call: Call, url: str, client: redis.Redis) -> None:
    client.xadd("orders", {"type": "=cmd()", "data": "\x1b]0;x\x07", "key": "@SUM(A1)"})
    client.xadd("orders", {"type": "AddItem", "data": '{"item_id":"-1+1|x","count":1,"price":5}'})
    told = call("export", "log", "--format", "csv", "--url", url).out
    (_, parked, added) = csv.reader(io.StringIO(told))
    assert (parked[3], parked[4]) == ("'=cmd()", "'@SUM(A1)")
    assert added[5][0] not in "=+-@"
    (_, row) = csv.reader(io.StringIO(call("export", "table", "items", "--format", "csv", "--url", url).out))
    assert row[0] == "'-1+1|x"
    assert "\x1b" not in told
    assert r"\-1" not in call("export", "table", "items", "--format", "markdown", "--url", url).out
    assert r"-1+1\|x" in call("export", "table", "items", "--format", "markdown", "--url", url).out


class TestAFile:
    @pytest.fixture(autouse=True)
    def entries(self, client: redis.Redis) -> None:
        append(client, seeded_entries(1, 20))

    def test_is_there_as_a_whole_and_for_its_owner_alone(self, call: Call, url: str, tmp_path: Path) -> None:
        file = tmp_path / "log.csv"
        done = call("export", "log", "--format", "csv", "--output", file, "--url", url)
        assert (done.code, done.out) == (0, "")
        assert "20 lines are in" in done.err
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text() == call("export", "log", "--format", "csv", "--url", url).out
        assert list(tmp_path.iterdir()) == [file]

    def test_is_written_as_its_name_ends_unless_told_otherwise(self, call: Call, url: str, tmp_path: Path) -> None:
        for name, options, form in (
            ("a.csv", (), "csv"),
            ("a.MD", (), "markdown"),
            ("b.csv", ("--format", "jsonl"), "jsonl"),
        ):
            assert call("export", "log", *options, "--output", tmp_path / name, "--url", url).code == 0
            assert (tmp_path / name).read_text() == call("export", "log", "--format", form, "--url", url).out

    def test_one_that_is_there_is_replaced_only_by_force(self, call: Call, url: str, tmp_path: Path) -> None:
        file, link = tmp_path / "a", tmp_path / "link"
        file.write_text("mine")
        link.symlink_to(file)
        for path in (file, link):
            refused = call("export", "log", "--output", path, "--url", url)
            assert refused.code == 2
            assert "is there already. Nothing was written" in refused.err
            assert file.read_text() == "mine"
        assert call("export", "log", "--output", link, "--force", "--url", url).code == 0
        assert link.is_symlink()
        assert len(file.read_text().splitlines()) == 20
        assert call("export", "--all", "--output", "/dev/null", "--force", "--url", url).code == 2

    def test_is_not_there_when_something_went_wrong(self, call: Call, url: str, tmp_path: Path) -> None:
        assert call("export", "story", "users:999.balance", "--output", tmp_path / "a", "--url", url).code == 1
        assert call("export", "log", "type:", "--output", tmp_path / "a", "--url", url).code == 2
        nowhere = call("export", "log", "--output", tmp_path / "none" / "a", "--url", url)
        assert (nowhere.code, nowhere.err.split(": ")[-1]) == (1, f"{tmp_path / 'none'}.\n")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [("log",), ("table", "users"), ("board",), ("--all",), ("diff", "first", "now")])
class TestWhereTheSettingsForbidIt:
    TOLD = "Nothing was exported: the setting export is false"

    def test_in_the_file(self, call: Call, url: str, home: Path, arguments: tuple[str, ...]) -> None:
        (home / "set.toml").write_text("export = false")
        refused = call("export", *arguments, "--config", home / "set.toml", "--url", url)
        assert (refused.code, refused.out) == (1, "")
        assert self.TOLD in refused.err

    def test_in_the_environment(
        self, call: Call, url: str, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
    ) -> None:
        monkeypatch.setenv("ESDASH_EXPORT", "false")
        assert self.TOLD in call("export", *arguments, "--url", url).err


def test_what_is_to_be_exported_is_asked_for(call: Call, url: str) -> None:
    for arguments in ((), ("--output", "x"), ("--all", "log"), ("board", "--format", "xml"), ("table", "none")):
        refused = call("export", *arguments, "--url", url)
        assert refused.code == 2, arguments
        assert refused.err.count("\n") == 1
    assert "There is no stream" in call("export", "--all", "--url", url).err
