"""Rules whose source was edited and whose version was not: what was made before is doubted, and found out."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import redis

from esdash.engine.live import LiveConsole
from esdash.engine.shown.view import Phase
from esdash.fold.cells import Change
from esdash.words.changes import text_of
from tests.domains.edited import AS_IT_IS, NOTHING, OTHERWISE, loaded, otherwise, written
from tests.domains.ways import present
from tests.engine.running import STREAM, live_console, sound, stored_headers
from tests.waiting import eventually

pytestmark = [pytest.mark.usefixtures("any_domain"), pytest.mark.domains_in_turn]

VALUES = range(11, 15)
"""What the events of these numbers say."""


def console(url: str, file: Path) -> AbstractContextManager[LiveConsole]:
    """A console that is live, by what the file says now."""
    return live_console(url, loaded(file))


def values(running: LiveConsole) -> list[Any]:
    """What stands where the events said it, as long as there is something."""
    picture, found = running.view.state, []
    for number in range(1, 10):
        table, key, column, _ = present().cell(number, 0)
        if picture is not None and (value := picture.cell(table, key, column)) is not None:
            found.append(value)
    return found


def said_by(*numbers: int) -> list[Any]:
    """What events of these values set."""
    return [present().cell(number, value)[3] for number, value in enumerate(numbers, 1)]


def said_otherwise() -> list[Any]:
    """What the edited rules make of them."""
    return [otherwise(value) for value in said_by(*VALUES)]


@pytest.fixture
def file(tmp_path: Path, url: str, client: redis.Redis, any_domain: str) -> Path:  # noqa: ARG001 - it is of that domain
    """A domain that a console has made a snapshot with, of four events."""
    path = tmp_path / "rules.py"
    path.write_text(written(), "utf-8")
    for number, value in enumerate(VALUES, 1):
        client.xadd(STREAM, sound(number, value))
    with console(url, path) as running:
        eventually(lambda: running.view.phase is Phase.LIVE and values(running) == said_by(*VALUES))
    return path


def edit(file: Path, before: str, after: str) -> None:
    """Write something else in place of a part of it."""
    assert before in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(before, after), "utf-8")


def test_an_edited_docstring_costs_nothing(url: str, file: Path) -> None:
    edit(file, "What it does.", "Explained in other words.")
    with console(url, file) as running:
        eventually(lambda: running.view.phase is Phase.LIVE)
        assert running.view.restored is not None
        assert running.view.restored.replayed == 0
        assert not running.view.edited
        assert running.verifying.verification is None


def test_other_source_of_the_same_meaning_is_verified_and_kept(url: str, file: Path) -> None:
    edit(file, NOTHING, AS_IT_IS)
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        eventually(lambda: not running.view.edited)
        assert running.view.restored is not None
        assert running.view.restored.replayed == 0
        assert values(running) == said_by(*VALUES)
    assert not any(header.condemned for header in stored_headers(url))


def test_other_source_of_another_meaning_is_found_out_and_the_state_made_anew(url: str, file: Path) -> None:
    edit(file, NOTHING, OTHERWISE)
    with console(url, file) as running:
        eventually(lambda: values(running) == said_otherwise())
        (notice,) = [each.text for each in running.view.notices if "were edited" in each.text]
        table, key, column, _ = present().cell(1, 0)
        change = Change(table, key, column, said_by(*VALUES)[0], said_otherwise()[0])
        told = text_of(present().fold(), change)
        assert f"{told.number} {told.before} instead of {told.after}" in notice
        assert "another version" in notice
        eventually(lambda: running.view.phase is Phase.LIVE)
        running.take_snapshot()
        eventually(lambda: len(stored_headers(url)) == 2)
    assert [header.condemned for header in stored_headers(url)] == [False, True]
    with console(url, file) as again:
        eventually(lambda: again.view.phase is Phase.LIVE and values(again) == said_otherwise())
        assert again.view.restored is not None
        assert again.view.restored.replayed == 0


@pytest.mark.counts_entries
def test_where_the_log_no_longer_has_what_it_was_made_of_the_snapshot_is_used(
    url: str, file: Path, client: redis.Redis
) -> None:
    client.xtrim(STREAM, maxlen=1, approximate=False)
    edit(file, NOTHING, OTHERWISE)
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        assert running.view.phase is Phase.LIVE
        assert values(running) == said_by(*VALUES)


@pytest.mark.counts_entries
def test_where_it_has_only_the_end_no_state_is_mixed_of_both_rules(url: str, file: Path, client: redis.Redis) -> None:
    client.xadd(STREAM, sound(5, 15))
    with console(url, file) as running:
        eventually(lambda: values(running) == said_by(*VALUES, 15))
    assert len(stored_headers(url)) == 2
    client.xtrim(STREAM, maxlen=2, approximate=False)
    edit(file, NOTHING, OTHERWISE)
    with console(url, file) as running:
        eventually(lambda: running.verifying.verification is not None and not running.verifying.verification.running)
        assert running.verifying.verification is not None
        assert running.verifying.verification.result is not None
        assert not running.verifying.verification.result.holds, "the rules differ after the older snapshot"
        eventually(lambda: running.view.phase is Phase.LIVE)
        assert values(running) == said_by(*VALUES, 15)
        assert running.view.edited, "it is still said"
    assert not any(header.condemned for header in stored_headers(url))


def test_another_version_is_not_used(url: str, file: Path) -> None:
    edit(file, NOTHING, OTHERWISE)
    edit(file, 'version="1",\n    events', 'version="2",\n    events')
    with console(url, file) as running:
        eventually(lambda: values(running) == said_otherwise())
        assert running.view.restored is not None
        assert running.view.restored.rungs[0].reason == "it was made by version 1 of the rules, not 2"
        assert running.view.snapshot is None
