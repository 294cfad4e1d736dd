"""What the screen says of invariants, over a real consumer, a real server and a real track."""

from pathlib import Path

import redis
from msgspec.structs import replace

from esdash.engine.shown.view import Position, Turning, Watched
from esdash.fold.folding import Fold
from esdash.log.stream import Stream
from esdash.ui.main.banner import Banner
from esdash.ui.main.invariants import live_lines
from tests.domains.meters import METERS
from tests.engine.running import STREAM
from tests.ui.looking import cursor_line, main_of, text_of, told
from tests.ui.past.keeping import as_of, dashboard
from tests.ui.recorded import WALL, blank
from tests.ui.stage import until


def read(client: redis.Redis, *values: int) -> None:
    for shown in values:
        client.xadd(STREAM, {"type": "Read", "data": f'{{"meter":"a","shown":{shown}}}'})


async def test_a_broken_one_is_said_loudly_with_ways_to_the_entry_and_then_quietly_that_it_holds_again(
    log: Stream, client: redis.Redis, tmp_path: Path
) -> None:
    read(client, 1, 2, 3, -4, -5, -6)
    async with dashboard(log, tmp_path, 6, (80, 24), Fold(METERS)) as (app, pilot):
        await until(pilot, lambda: "INVARIANT" in text_of(app)[2])
        line = text_of(app)[2]
        assert "✗ INVARIANT  none_below_zero  broken by #4 Read" in line
        assert "@ goes there" in line
        await pilot.click(Banner, offset=(3, 0))
        await until(pilot, lambda: "shown -4" in cursor_line(app, "log"))
        await pilot.press("at", "enter")
        screen = await as_of(pilot, 4)
        assert any("✗ INVARIANT  none_below_zero  broken at this moment" in line for line in screen)
        await pilot.press("left_square_bracket")
        screen = await as_of(pilot, 3)
        assert not any("INVARIANT" in line for line in screen)
        await pilot.press("escape")
        await until(pilot, lambda: "INVARIANT" in text_of(app)[2])
        read(client, 7)
        await until(pilot, lambda: not any("INVARIANT" in line for line in text_of(app)))
        await main_of(app).run_action("broken")
        assert told(app)[-1].endswith("No invariant is broken.")


def said(*invariants: Watched, width: int = 80) -> list[str]:
    """The lines about them."""
    view = replace(blank(), invariants=invariants)
    return ["".join(span.text for span in line) for line in live_lines(view, "@", WALL, width)]


def test_what_is_known_is_said() -> None:
    at = Turning(Position("", 1204, 5), "Read\x1b[31m")
    broken = Watched("good", broken=at, held_at=1203, times=3)
    assert said(broken, width=100) == [" ✗ INVARIANT  good  broken by #1,209 Read␛[31m  3 times  @ goes there"]
    assert said(replace(broken, held_at=1000))[0].startswith(" ✗ INVARIANT  good  broken after #1,005, up to #1,209")
    assert "broken already at #1,209, the snapshot" in said(replace(broken, from_snapshot=True))[0]
    assert said(replace(broken, mended=at)) == []
    assert said(Watched("good", failed="it writes the state")) == [
        "▲ invariant good is watched no more: it writes the state"
    ]


def test_of_many_two_are_named_on_lines_of_their_own() -> None:
    at = Turning(Position("1-0", 1), "Read")
    many = [Watched(name, broken=at) for name in "abcd"]
    first, second, rest = said(*many)
    assert ("a  broken by" in first, "b  broken by" in second) == (True, True)
    assert rest == " ✗ INVARIANT  2 more broken  c, d"
