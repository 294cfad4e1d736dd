"""What the keys of the main screen do about trust: parked entries, orphans, the ladder, verification, a halt."""

from collections.abc import Callable

from esdash.engine.console import Console
from esdash.engine.view import Phase, View
from esdash.ui import standing
from esdash.ui.declared import Actions
from esdash.ui.handled import Handled
from esdash.ui.screens.controls import Controls
from esdash.ui.trouble import domain_failed
from esdash.ui.verification import VerificationWatch, summary
from esdash.ui.widgets.status_bar import TrustNow


class Trust(Controls):
    """The part of the main screen that opens the screens about trust, and watches while they are closed."""

    def __init__(
        self,
        console: Console,
        actions: Actions,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`clock` is the one of the console's views, `wall_clock` gives Unix seconds."""
        super().__init__(console, actions)
        self._clock = clock
        self._wall_clock = wall_clock
        self.handled = Handled()
        self._open_orphans = standing.OpenOrphans(self.fold, self.handled)
        self._verifying = VerificationWatch(clock)
        self.stayed = False
        """While halted: a person has chosen to stay."""

    def action_parked(self) -> None:
        """List what could not be understood."""
        from esdash.ui.screens.parked import ParkedScreen

        self.app.push_screen(ParkedScreen(self.engine, self.handled, self._wall_clock))

    def action_orphans(self) -> None:
        """List what is gone from the log."""
        from esdash.ui.screens.orphans import OrphansScreen

        self.app.push_screen(OrphansScreen(self.engine, self.handled, self._wall_clock))

    def action_ladder(self) -> None:
        """Tell where the state came from."""
        from esdash.ui.screens.ladder import LadderScreen

        self.app.push_screen(LadderScreen(self.engine, self._wall_clock))

    def action_verify(self) -> None:
        """Start a verification, or look at it."""
        from esdash.ui.screens.verify import VerifyScreen

        self.app.push_screen(VerifyScreen(self.engine, self._verifying))

    def action_stay(self) -> None:
        """Keep the last good state."""
        self.stayed = self.engine.view.phase is Phase.HALTED
        super().action_stay()

    def watch_over(self, live: View) -> None:
        """Notice what happens while nobody looks: a verification ends, a halt is over."""
        if live.phase is not Phase.HALTED:
            self.stayed = False
        status = self.engine.verifying.verification
        self._verifying.look(status)
        if (ended := self._verifying.ended) is not None:
            from esdash.ui.screens.verify import VerifyScreen

            if not any(isinstance(screen, VerifyScreen) for screen in self.app.screen_stack):
                self._verifying.ended = None
                self.tell(*summary(ended))

    def trust_now(self, live: View) -> TrustNow:
        """What status and banner show beside the view."""
        undecided = self._open_orphans.count(live)
        if self.handled.told_gone != live.orphans_gone and (more := standing.unlisted(live)):
            undecided += more
        return TrustNow(self.engine.verifying.verification, undecided, self.stayed)

    def keys_that_matter(self, live: View) -> tuple[str, ...]:
        """Actions that have a place in the line of keys just now."""
        matters = {
            "stay": live.phase is Phase.HALTED and not self.stayed,
            "reload": domain_failed(live),
            "orphans": bool(live.orphans or live.orphans_gone),
            "parked": bool(live.parked),
        }
        return tuple(name for name, now in matters.items() if now)
