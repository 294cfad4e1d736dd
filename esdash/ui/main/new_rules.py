"""Rules that are being written: what is told of them, and the keys that show it and take them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct
from textual.screen import Screen

from esdash.ui.main.controls import Controls
from esdash.ui.messages import tell
from esdash.ui.paint.dialog import open_dialog
from esdash.ui.paint.drawing import clock_time
from esdash.ui.past.time_machine import TimeMachine
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.whatif.rules_process import RulesProcess
    from esdash.whatif.telling import Told

NOT_WATCHED = "No file of rules is watched: `esdash dev FILE` opens the dashboard so."


class NewRules(Struct, eq=False):
    """The part of the main screen that follows them."""

    screen: Screen[None]
    watched: "RulesProcess | None"
    """None: no file is."""
    controls: Controls
    time: TimeMachine
    wall_clock: Callable[[], float]

    @property
    def now(self) -> "Told | None":
        """What is told of them; None where no file is watched."""
        return None if self.watched is None else self.watched.told

    @property
    def count(self) -> int:
        return 0 if self.watched is None else self.watched.count

    def action_rules(self) -> None:
        if self.watched is None:
            tell(self.screen.app, NOT_WATCHED)
            return
        told, name = self.watched.told, visible(self.watched.file.name, 40)
        if told.result is None or not told.result.differ:
            tell(self.screen.app, _why_nothing(told))
            return
        from esdash.ui.sandbox.otherwise import OtherwiseScreen

        when = clock_time(told.saved_ms, self.wall_clock())
        open_dialog(self.screen.app, OtherwiseScreen(name, when, told.result), self._go_to_entry)

    def action_take_rules(self) -> None:
        """Go on by them; under a version that is not theirs alone, ask."""
        if self.watched is None:
            tell(self.screen.app, NOT_WATCHED)
            return
        told = self.watched.told
        result = told.result
        if told.stuck:
            self.controls.reload()
        elif result is None:
            tell(self.screen.app, _why_nothing(told), "warning" if told.error else "information")
        elif result.asks_for_a_version and result.same_version:
            self._ask_for_a_version(result.version)
        else:
            self.controls.reload()

    def _ask_for_a_version(self, version: str) -> None:
        from esdash.ui.paint.confirm import ask

        version = visible(version, 40)
        ask(
            self.screen.app,
            f"Take these rules as version {version}?",
            f"They decide otherwise, and the version is still {version}: change it in the file, so that snapshots of "
            "the old rules are not used. Taken as they are, they go on from such a snapshot, which is then verified "
            "in the background.",
            "Take anyway",
            self.controls.reload,
        )

    def _go_to_entry(self, number: int) -> None:
        self.time.go_to(number - self.time.unseen())


def _why_nothing(told: "Told") -> str:
    if told.folding:
        return "The log is still being folded. Try again in a moment."
    if told.error:
        return visible(told.error, 300)
    if told.result is not None:
        return "By the rules as they were saved last, nothing is otherwise."
    return "Nothing was saved since these rules were taken."
