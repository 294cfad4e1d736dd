"""What the forms share: they judge what is typed against the state as it is now, and publish it once."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple
from uuid import uuid4

from msgspec import Struct
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.markup import escape
from textual.widgets import Button, Input, Static
from textual.worker import Worker, WorkerState

from esdash.engine.console import Desk, EngineError, NotPublishedError, Published, publishing_of
from esdash.engine.shown.view import Phase, View
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.outlook import Outlook, blocked
from esdash.ui.paint.dialog import Dialog
from esdash.visible import visible

RECONSIDERED_EVERY: Final = 0.25
"""Seconds between two looks at the state, which changes under the form."""

_CHANGED: Final = (
    "Something else was sent before and may have arrived. If it did, this one is its duplicate and changes nothing: "
    "leave the form and look at the log first."
)
_LEFT_OPEN: Final = "No answer yet: the event may or may not be in the log. Esc again leaves."


_NOT_YET: Final = Outlook("", "")


class Reading(NamedTuple):
    """What a form makes of its fields."""

    event: Any
    """None while a field is missing or wrong."""
    notes: Mapping[str, Note]
    """By the id of the field's input."""
    outlook: Outlook = _NOT_YET
    """Of the event, where there is one."""
    trouble: str = ""
    """Why the fields, each right by itself, make no event."""


class Purpose(Struct, frozen=True):
    """What the event of a form stands for, beside itself."""

    key: Callable[[View], str]
    """The idempotency key for it."""
    objection: Callable[[View], str | None]
    """Why there is nothing to publish for it any more, in a sentence; None while there is."""
    about: str
    """What it is, in a line of harmless text."""
    verb: str = "Publish"
    """What is done with it, a verb."""
    done: str = "published"
    """The same, as a participle."""


class EventForm(Dialog[Published]):
    """A form that publishes one event. Its result is what was published, or None.

    Enter publishes; in a form that is not complete it goes to the field that needs attention. An event that would be
    rejected is published by a second Enter, since the state may be another one when the fold reaches it. A form has
    one idempotency key: after a failure everything typed is still there, and whatever is then published counts once
    together with what was sent before, though no answer came.
    """

    CSS_PATH: ClassVar = STYLES
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll(-1)", "Scroll up", show=False),
        Binding("pagedown", "scroll(1)", "Scroll down", show=False),
    ]

    def __init__(self, console: Desk, title: str, purpose: Purpose | None = None) -> None:
        """`title` is harmless."""
        super().__init__()
        self.engine = console
        self.fold = console.fold
        self._heading = title
        self._purpose = purpose
        self._verb = "Publish" if purpose is None else purpose.verb
        self._done = "published" if purpose is None else purpose.done
        self._reading = Reading(None, {})
        self.sent_with: str | None = None
        """The idempotency key, once something was submitted."""
        self._submitted: tuple[str, bytes] | None = None
        """What was submitted last; None when that is certainly not in the log."""
        self._sent: Any = None
        """The event of that."""
        self._failed = ""
        """What the failure was; empty for none."""
        self._warned: tuple[str, bytes] | None = None
        """What a first Enter has warned about."""
        self._publishing: Worker[Published] | None = None
        self._published: Published | None = None
        self._leaving = False

    @property
    def submitted_event(self) -> Any:
        """The event that was published, or may have been; None for none."""
        return None if self._submitted is None else self._sent

    @abstractmethod
    def fields(self) -> ComposeResult:
        """The fields, in the order of typing."""

    @abstractmethod
    def read(self, view: View) -> Reading:
        """Judge what is typed."""

    def is_refused(self) -> bool:
        """Whether what is typed is an event that would not be applied."""
        return self._reading.event is not None and not self._reading.outlook.accepted

    def field_to_mend(self, reason: str | None) -> str | None:  # noqa: ARG002 - most rules point to no single field
        """The id of the empty field that would change a rejection for this reason."""
        return None

    def text(self, field_id: str) -> str:
        return self.query_one(f"#{field_id}", Input).value

    def compose(self) -> ComposeResult:
        """Fields that scroll, then what is never cut off: the outlook, a failure, the buttons."""
        with self.frame(escape(self._heading), f"Enter {self._verb.lower()} · Tab complete · ↓ known · Esc cancel"):
            with VerticalScroll(id="body", can_focus=False):
                if self._purpose is not None:
                    yield Static(self._purpose.about, id="purpose", markup=False)
                yield from self.fields()
            with Vertical(id="foot"):
                yield Static(id="outlook", markup=False)
                yield Static(id="failure", markup=False)
                with Horizontal(id="buttons"):
                    yield Button(self._verb, id="publish", action="screen.publish", compact=True)
                    yield Button("Cancel", id="cancel", action="screen.leave", compact=True)

    def on_mount(self) -> None:
        """Start where something is missing."""
        self.query_one("#failure").display = False
        self.begin()
        self.set_interval(RECONSIDERED_EVERY, self.reconsider)

    def begin(self) -> None:
        """Judge what the fields hold, and go to the first one that needs attention."""
        for field in self.query(Field):
            field.input.cursor_position = len(field.input.value)
        self.reconsider()
        self._focus_first_unfinished()

    def reconsider(self) -> None:
        """Judge again: something was typed, or the state is another one."""
        view = self.engine.view
        self._reading = reading = self.read(view)
        for field in self.query(Field):
            field.say(reading.notes.get(str(field.input.id), Note("")))
        if reading.event is None or self.fold.encode(reading.event) != self._warned:
            self._warned = None
        if self._publishing is None and self._failed:
            content = None if reading.event is None else self.fold.encode(reading.event)
            doubtful = self._submitted is not None and content != self._submitted
            self._fail(_CHANGED if doubtful else self._failed)
        self._foresee(view)

    def submit(self, deliberate: bool) -> None:
        """Publish what is typed. A deliberate one goes ahead although it would be rejected."""
        self.reconsider()
        if self._publishing is not None or self._published is not None or self._blocked(self.engine.view) is not None:
            return
        event = self._reading.event
        if event is None:
            self._focus_first_unfinished()
            return
        content = self.fold.encode(event)
        outlook = self._reading.outlook
        if not (outlook.accepted or deliberate or self._warned == content):
            self._warned = content
            if (field_id := self.field_to_mend(outlook.reason)) is not None:
                self.set_focus(self.query_one(f"#{field_id}"))
            self._foresee(self.engine.view)
            return
        self._submitted, self._sent, self._failed = content, event, ""
        if self.sent_with is None:
            self.sent_with = uuid4().hex if self._purpose is None else self._purpose.key(self.engine.view)
        publish = partial(publishing_of(self.engine).publish, *content, self.sent_with)
        self._publishing = self.run_worker(publish, group="publish", thread=True, exit_on_error=False)
        self._fail(None)
        self._foresee(self.engine.view)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.worker is not self._publishing or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        self._publishing = None
        self._leaving = False
        if event.state is WorkerState.SUCCESS:
            self._published = event.worker.result
            self._finish()
            return
        error = event.worker.error
        reason = str(error) if isinstance(error, EngineError) else f"Publishing failed: {error!r}."
        if isinstance(error, NotPublishedError):
            self._submitted = None
        self._failed = f"{visible(reason, 250)} Nothing typed is lost; Enter tries again and counts once."
        self._fail(self._failed)
        self._foresee(self.engine.view)

    def on_screen_resume(self) -> None:
        """A form that was covered when the answer came closes now."""
        self._finish()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge what is typed while it is typed; the field may have been scrolled away."""
        if event.input.has_focus:  # what a form begins with changes, too
            event.input.scroll_visible(animate=False)
        self.reconsider()

    def on_input_submitted(self) -> None:
        self.submit(deliberate=False)

    def action_publish(self) -> None:
        """Whoever presses the button has read what it says."""
        self.submit(deliberate=True)

    def action_leave(self) -> None:
        """Cancel; with an answer outstanding only when asked twice."""
        if self._publishing is not None and not self._leaving:
            self._leaving = True
            self._fail(_LEFT_OPEN)
            return
        self.dismiss(None)

    def action_scroll(self, pages: int) -> None:
        body = self.query_one("#body")
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)

    def _finish(self) -> None:
        if self._published is not None and self.is_active:
            published, self._published = self._published, None
            self.dismiss(published)

    def _focus_first_unfinished(self) -> None:
        """At once: of keys that were typed ahead the first would otherwise go to the first field."""
        fields = list(self.query(Field))
        if not fields:
            self.set_focus(self.query_one("#publish"))
            return
        notes = [self._reading.notes.get(str(field.input.id), Note("")) for field in fields]
        unfinished = (field for field, note in zip(fields, notes, strict=True) if note.wrong or note.missing)
        self.set_focus(next(unfinished, fields[-1]).input)

    def _foresee(self, view: View) -> None:
        reading = self._reading
        why_not = self._blocked(view)
        if self._publishing is not None:
            self.foretell("publishing …", None)
        elif why_not is not None:
            self.foretell(f"✗ {visible(why_not, 250)}", False)
        elif reading.event is None:
            self.foretell(*self._unfinished())
        else:
            outlook = reading.outlook
            text = f"{'✓' if outlook.accepted else '✗'} {outlook.text}"
            if self._warned is not None and not outlook.accepted:
                text += f"\nEnter again: {self._verb.lower()} it anyway."
            elif view.state is None:
                text += "\nThe state is not known yet."
            elif view.phase in (Phase.RESTORING, Phase.REPLAYING):
                text += "\nThe replay is still running: the state will change."
            self.foretell(text, outlook.accepted)
        self.relabel("publish", self._verb + (" anyway" if self.is_refused() and why_not is None else ""))

    def _blocked(self, view: View) -> str | None:
        return blocked(view) or (None if self._purpose is None else self._purpose.objection(view))

    def _unfinished(self) -> tuple[str, bool | None]:
        labels = {str(field.input.id): field.label.lower() for field in self.query(Field)}
        wrong = [labels[name] for name, note in self._reading.notes.items() if note.wrong]
        if wrong:
            return f"✗ cannot be {self._done}: see {' and '.join(wrong)}", False
        missing = [labels[name] for name, note in self._reading.notes.items() if note.missing]
        if missing:
            return f"· still needed: {', '.join(missing)}", None
        return f"✗ cannot be {self._done}: {self._reading.trouble}", False

    def _fail(self, text: str | None) -> None:
        failure = self.query_one("#failure", Static)
        failure.display = text is not None
        if text is not None and failure.content != text:
            failure.update(f"⚠ {text}")
