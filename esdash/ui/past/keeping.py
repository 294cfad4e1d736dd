"""The past of a dashboard: begun once the consumer rests, by the rules that it has then, and anew by others."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import App

from esdash.engine.console import Console, EngineError
from esdash.fold.folding import Fold
from esdash.ui.past.time_machine import COMING

if TYPE_CHECKING:
    from esdash.past.service import Past

AGAIN_SECONDS: Final = 0.2
"""Between two tries to begin the past."""

PastOf = Callable[[Fold], "Past"]
"""What gives the past by the rules of a domain."""


class PastKeeping:
    """Has it kept, from a thread."""

    def __init__(self, app: App[None], console: Console, past_of: PastOf | None) -> None:
        """`past_of`: None where none is kept."""
        self._app = app
        self._console = console
        self._past_of = past_of
        self._past: Past | None = None
        self._handing = threading.Lock()
        """Held while a past is taken over or given up."""
        self._gone = threading.Event()
        self._generation = 0
        """How often the domain has become another one."""

    @property
    def asked(self) -> "Callable[[], Past | None] | None":
        """What gives the past once it is being kept; None where none is."""
        return None if self._past_of is None else lambda: self._past

    def begin(self) -> None:
        """Have it kept from now on."""
        self._begin_after(None)

    def begin_anew(self) -> None:
        """Have it kept by the rules of the domain as it is now, instead of by former ones."""
        with self._handing:
            self._generation += 1
            former, self._past = self._past, None
        self._begin_after(former)

    def end(self) -> None:
        """Keep it no more."""
        with self._handing:
            self._gone.set()
            past, self._past = self._past, None
        if past is not None:
            past.close()

    def _begin_after(self, former: "Past | None") -> None:
        begin = partial(self._begin, self._generation, former)
        self._app.run_worker(begin, thread=True, exit_on_error=False, name="past")

    def _begin(self, generation: int, former: "Past | None") -> None:
        """Takes some tenths of a second, in which the domain may become another one, or everything end."""
        if former is not None:
            former.close()
        while self._past_of is not None and self._is_wanted(generation):
            if self._console.view.phase in COMING:
                self._gone.wait(AGAIN_SECONDS)  # until then the processors are busy enough
                continue
            try:
                past = self._past_of(self._console.fold)
            except EngineError:
                self._gone.wait(AGAIN_SECONDS)  # the consumer says what is wrong with the server
            else:
                with self._handing:
                    if self._is_wanted(generation):
                        self._past = past
                        past.start()
                        return
                past.close()

    def _is_wanted(self, generation: int) -> bool:
        return generation == self._generation and not self._gone.is_set()
