"""Asks how and where to what is shown is handed on, and does it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, OptionList, Static
from textual.widgets.option_list import Option

from esdash.engine.console import EngineError
from esdash.export.file import FileThereError, whole_file
from esdash.export.formats import ENDINGS, Format
from esdash.ui.clipboard import copy, may_export
from esdash.ui.export.handed import Handed, usual_file
from esdash.ui.export.offered import offer, offer_picture
from esdash.ui.export.writing import CLIPBOARD, StoppedError, TooMuchError, Writing, too_much
from esdash.ui.forms.field import STYLES, Field, Note
from esdash.ui.forms.inputs import FormInput
from esdash.ui.messages import tell
from esdash.ui.paint.list_dialog import ListDialog
from esdash.visible import visible

FORMS: Final[tuple[tuple[Format | None, str, str], ...]] = (
    (Format.CSV, "CSV", "for a spreadsheet, as people read it"),
    (Format.JSON_LINES, "JSON lines", "for programs, the values as they are"),
    (Format.MARKDOWN, "Markdown", "for people, a table"),
    (None, "The screen", "a picture of what is seen now, SVG"),
)
"""What can be made; None: a picture of the screen."""

LOOKED_AT_EVERY: Final = 0.1
"""Seconds between two looks at how far it is."""


class ExportScreen(ListDialog[None]):
    """Chooses a form, and a file or the clipboard. It closes when that is done."""

    CSS_PATH: ClassVar = STYLES
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(place + 1), f"form({place})", name, show=False) for place, (_, name, _) in enumerate(FORMS)),
        Binding("c", "to_clipboard", "To the clipboard", show=False),
    ]
    DEFAULT_CSS = """
    ExportScreen OptionList { margin-bottom: 1; }
    ExportScreen.-short OptionList { margin-bottom: 0; }
    """

    def __init__(self, handed: Handed, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` gives Unix seconds."""
        super().__init__()
        self._handed = handed
        self._begun = wall_clock()
        self._writing: Writing | None = None
        self._done = False
        """It is to close as soon as nothing lies over it."""
        self._usual = ""
        """The file that stands there as long as nobody has chosen another."""

    def compose(self) -> ComposeResult:
        options = [
            Option(
                Content.assemble((f"{place}  ", "$text-accent bold"), (f"{name:<12}", "bold"), (what, "$text-muted"))
            )
            for place, (_, name, what) in enumerate(FORMS, 1)
        ]
        web = self.app.is_web
        does, label = ("downloads", "Download") if web else ("to the file", "To the file")
        with self.frame("", f"1–4 form · Enter {does} · c to the clipboard · Esc close") as frame:
            frame.border_title = Content(f"Export · {self._handed.title}")
            with VerticalScroll(id="body", can_focus=False):
                yield OptionList(*options, id="forms")
                yield Field("Name" if web else "File", FormInput(placeholder="where to", id="file"))
            with Vertical(id="foot"):
                yield Static(id="outlook", markup=False)
                with Horizontal(id="buttons"):
                    yield Button(label, id="to-file", action="screen.to_file", compact=True)
                    yield Button("To the clipboard", id="to-clipboard", action="screen.to_clipboard", compact=True)

    def on_mount(self) -> None:
        """The first form is chosen; look at how far it is."""
        self.query_one(OptionList).highlighted = 0
        self.set_interval(LOOKED_AT_EVERY, self._look)

    def on_unmount(self) -> None:
        if self._writing is not None:
            self._writing.stopped = True

    @property
    def _form(self) -> Format | None:
        return FORMS[self.query_one(OptionList).highlighted or 0][0]

    def action_form(self, place: int) -> None:
        self.query_one(OptionList).highlighted = place

    def action_leave(self) -> None:
        """Stop what is under way; else close."""
        if self._writing is not None:
            self._writing.stopped = True
        else:
            self.dismiss(None)

    @on(OptionList.OptionHighlighted)
    def _form_chosen(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        field = self.query_one("#file", Input)
        if field.value != self._usual:
            return
        form = self._form
        ending = "svg" if form is None else ENDINGS[form]
        usual = usual_file(self._handed.name, ending, self._begun)
        self._usual = usual.name if self.app.is_web else str(usual)
        field.value = self._usual
        field.cursor_position = len(field.value)

    def choose(self, place: int) -> None:  # noqa: ARG002 - it is the one that is highlighted
        self.action_to_file()

    def on_input_submitted(self) -> None:
        self.action_to_file()

    def on_input_changed(self) -> None:
        """What was wrong with another name is not with this one."""
        self.query_one(Field).say(Note(""))

    def action_to_file(self) -> None:
        value = self.query_one("#file", Input).value.strip()
        if not value:
            self.query_one(Field).say(Note("type the name of a file", wrong=True, missing=True))
            return
        if self.app.is_web:
            self._download(Path(value).name or "download")
            return
        try:
            path = Path(value).expanduser().absolute()
        except RuntimeError:
            self.query_one(Field).say(Note("it names a home directory that is not there", wrong=True))
            return
        form = self._form
        if form is None:
            self._take_picture(lambda app, picture: _save_picture(app, picture, path))
        else:
            self._begin(form, lambda writing: writing.to_file(path), lambda writing, _: self._wrote(writing, path))

    def _download(self, name: str) -> None:
        """A page writes no file where its server runs."""
        form = self._form
        if form is None:
            self._take_picture(lambda app, picture: offer_picture(app, name, picture))
        else:
            self._begin(form, Writing.to_download, lambda writing, file: self._offered(writing, name, file))

    def action_to_clipboard(self) -> None:
        form = self._form
        if form is None:
            self._take_picture(_copy_picture)
        else:
            self._begin(form, Writing.as_text, self._copied)

    # Under way

    def _begin(self, form: Format, write: Callable[[Writing], Any], then: Callable[[Writing, Any], None]) -> None:
        """Do it in a thread, then something with what it gave."""
        if self._writing is not None:
            return
        writing = self._writing = Writing(self._handed, form)
        self._tell("")

        def work() -> None:
            try:
                given = write(writing)
            except StoppedError:
                self.app.call_from_thread(self._failed, "Stopped: nothing was written.")
            except FileThereError as error:
                self.app.call_from_thread(self._failed, f"{error} Choose another name.")
            except OSError as error:
                self.app.call_from_thread(self._failed, f"It cannot be written: {error.strerror or error}.")
            except (EngineError, TooMuchError) as error:
                self.app.call_from_thread(self._failed, str(error))
            else:
                self.app.call_from_thread(then, writing, given)

        self.run_worker(work, thread=True, exit_on_error=False, name="export")

    def _look(self) -> None:
        writing = self._writing
        if writing is not None:
            self._tell("Stopping …" if writing.stopped else f"{writing.lines:,} lines … · Esc stops")

    def _tell(self, text: str) -> None:
        self.foretell(visible(text, 300), False if text.startswith("✗") else None)

    def _failed(self, why: str) -> None:
        self._writing = None
        self._tell(f"✗ {why}")

    def _wrote(self, writing: Writing, path: Path) -> None:
        self._writing = None
        tell(self.app, f"{writing.told} in {_shown(path)}.")
        self._close()

    def _offered(self, writing: Writing, name: str, file: BinaryIO) -> None:
        self._writing = None
        offer(self.app, name, file, writing.told)
        self._close()

    def _copied(self, writing: Writing, text: str) -> None:
        self._writing = None
        copy(self.app, text, f"{writing.told} on the clipboard.")
        self._close()

    def _close(self) -> None:
        self._done = True
        if self.is_current:
            self.dismiss(None)

    def on_screen_resume(self) -> None:
        """What lay over it is gone."""
        if self._done:
            self.dismiss(None)

    def _take_picture(self, then: Callable[[App[Any], str], object]) -> None:
        """Close, and take a picture of what lies under this."""
        app = self.app

        def take() -> None:
            then(app, app.export_screenshot())

        self.dismiss(None)
        app.call_after_refresh(take)


def open_export(app: App[Any], handed: Handed, wall_clock: Callable[[], float]) -> None:
    """Open the dialog, where exporting is allowed."""
    if may_export(app):
        app.push_screen(ExportScreen(handed, wall_clock))


def _shown(path: Path) -> str:
    """The path, shorter where it is in the home directory."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _save_picture(app: App[Any], picture: str, path: Path) -> None:
    try:
        with whole_file(path) as file:
            file.write(picture.encode())
    except FileThereError as error:
        tell(app, f"{error} Nothing was written.", "warning")
    except OSError as error:
        tell(app, f"{_shown(path)} cannot be written: {error.strerror or error}.", "warning")
    else:
        tell(app, f"The picture is {_shown(path)}.")


def _copy_picture(app: App[Any], picture: str) -> None:
    if len(picture.encode()) > CLIPBOARD:
        tell(app, str(too_much()), "warning")
    else:
        copy(app, picture, "The picture is on the clipboard.")
