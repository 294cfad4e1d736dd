"""Every setting, its value, and where it comes from."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from textual.binding import Binding, BindingType

from esdash.ui.paint.pager import Paragraph
from esdash.ui.paint.text_dialog import TextDialog
from esdash.visible import visible


class Setting(NamedTuple):
    """One setting, or a path."""

    name: str
    value: str
    """For people, without a password."""
    source: str = ""
    """`--url`, `ESDASH_URL`, `profile staging`, `settings file` or `default`; empty for a path, which is none."""


class SettingsScreen(TextDialog[None]):
    """Settings with what they are, then the files."""

    LOOKED_AT_EVERY = 0.25
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "app.change_theme", "Theme", show=False),
        Binding("q,C,enter", "leave", "Close", show=False),
    ]

    def __init__(self, settings: Sequence[Setting]) -> None:
        super().__init__("Settings", "↑↓ scroll · t choose a theme · Esc close")
        self._settings = settings

    def known(self) -> object:
        """A theme may be chosen meanwhile."""
        return self.app.theme

    def tell(self, width: int) -> Iterator[Paragraph]:
        told = [self._now(each) if each.name == "theme" else each for each in self._settings]
        indent = max((len(each.name) for each in told), default=0) + 2
        for each in told:
            if each.source:
                source = "" if each.source == "default" else f"   {each.source}"
                yield Paragraph(visible(each.value, 2000) + source, each.name, "" if source else "dim", indent)
        yield Paragraph("")
        yield Paragraph("Where they are set", style="accent")
        yield Paragraph(
            "A flag goes before a variable of the environment, that before a profile, and that before the rest of the "
            "settings file; --profile goes before the environment. In that file a line such as "
            'theme = "nord" sets one at the next start. What is dim stands nowhere. A theme that is chosen here is '
            "remembered, unless one of those says another."
        )
        for each in told:
            if not each.source:
                yield Paragraph(visible(each.value, 2000), each.name, "", min(indent, width // 2))

    def _now(self, theme: Setting) -> Setting:
        shown = self.app.theme
        return theme if theme.value == shown else Setting(theme.name, shown, "shown now")
