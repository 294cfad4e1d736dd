"""What painting leaves behind."""

import gc

import pytest
from textual.strip import Strip

from esdash.ui.app import DashboardApp
from tests.ui.any_domain import a_console, sound


def strips() -> int:
    """How many there are, in use or not."""
    return sum(isinstance(found, Strip) for found in gc.get_objects())


@pytest.mark.usefixtures("any_domain", "every_picture")
@pytest.mark.domains_in_turn
async def test_lines_that_are_painted_over_need_no_garbage_collector() -> None:
    console = a_console(7)
    app = DashboardApp(console)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        gc.freeze()  # what this process holds by now need not be looked through
        gc.disable()
        try:
            before = strips()
            for row in range(100, 120):
                console.publish(*sound(row))
                app.screen.poll()  # type: ignore[attr-defined]
                await pilot.pause()
            painted = strips()
            gc.collect()
            assert painted > before, "nothing was painted"
            assert strips() == painted
        finally:
            gc.enable()
            gc.unfreeze()
