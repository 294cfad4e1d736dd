"""What the keys of the main screen do about trust: parked entries, orphans, the ladder, verification, a halt."""

from collections.abc import Callable

from textual.screen import Screen

from esdash.engine.console import Console
from esdash.engine.shown.view import Phase, View
from esdash.ui.main.status_bar import TrustNow
from esdash.ui.main.trouble import domain_failed
from esdash.ui.messages import tell
from esdash.ui.trust import standing
from esdash.ui.trust.handled import Handled
from esdash.ui.trust.verification import VerificationWatch, summary


class Trust:
    """Opens the screens about trust, and watches while they are closed."""

    def __init__(
        self,
        screen: Screen[None],
        console: Console,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        show_entry: Callable[[int], object],
    ) -> None:
        """`clock` is the one of the console's views, `wall_clock` gives Unix seconds. `show_entry` goes to an entry of
        the log by its ordinal.
        """
        self.screen = screen
        self.engine = console
        self._wall_clock = wall_clock
        self._show_entry = show_entry
        self.handled = Handled()
        self._open_orphans = standing.OpenOrphans(console.fold, self.handled)
        self._verifying = VerificationWatch(clock)
        self.stayed = False
        """While halted: a person has chosen to stay."""

    def action_parked(self) -> None:
        from esdash.ui.trust.parked import ParkedScreen

        self.screen.app.push_screen(ParkedScreen(self.engine, self.handled, self._wall_clock))

    def action_orphans(self) -> None:
        from esdash.ui.trust.orphans import OrphansScreen

        self.screen.app.push_screen(OrphansScreen(self.engine, self.handled, self._wall_clock))

    def action_verify(self) -> None:
        from esdash.ui.trust.verify import VerifyScreen

        self.screen.app.push_screen(VerifyScreen(self.engine, self._verifying))

    def action_broken(self) -> None:
        view = self.engine.view
        if broken := view.broken:
            assert broken[0].broken is not None, "it was broken somewhere"
            self._show_entry(broken[0].broken.position.ordinal)
        elif view.invariants:
            tell(self.screen.app, "No invariant is broken.")
        else:
            tell(self.screen.app, "This domain declares no invariants.")

    def action_stay(self) -> None:
        self.stayed = self.engine.view.phase is Phase.HALTED
        if self.stayed:
            self.engine.control.stay()
        else:
            tell(self.screen.app, "There is nothing to choose: the consumer is not halted.")

    def look(self, live: View) -> None:
        """Notice what happens while nobody looks: a verification ends, a halt is over."""
        if live.phase is not Phase.HALTED:
            self.stayed = False
        status = self.engine.verifying.verification
        self._verifying.look(status)
        if (ended := self._verifying.ended) is not None:
            from esdash.ui.trust.verify import VerifyScreen

            if not any(isinstance(screen, VerifyScreen) for screen in self.screen.app.screen_stack):
                self._verifying.ended = None
                tell(self.screen.app, *summary(ended))

    def now(self, live: View) -> TrustNow:
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
