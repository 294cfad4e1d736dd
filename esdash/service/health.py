"""Whether a consumer is alive, and whether what it knows can be relied on."""

from esdash.counted import counted
from esdash.engine.shown.view import Phase, View


def unready(view: View, max_lag: int) -> str:
    """Why nobody should rely on this consumer now, in a sentence; empty when it is ready.

    It is ready when it is live and at most `max_lag` entries behind.
    """
    if view.phase is not Phase.LIVE:
        return f"The consumer is {view.phase}{f': {view.phase_note}' if view.phase_note else '.'}"
    if view.lag > max_lag:
        return f"The consumer lags behind by {counted(view.lag, 'entry', 'entries')}; at most {max_lag:,} are ready."
    return ""
