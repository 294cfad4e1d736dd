"""The command palette's entries, made from the registry of actions."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from esdash.ui.actions import Action, Scope
from esdash.ui.declared import Actions


class ActionCommands(Provider):
    """Every action, by its name."""

    async def discover(self) -> Hits:
        """All of them, before anything is typed."""
        for action, name, help_text in self._entries():
            yield DiscoveryHit(name, self._run(action), help=help_text)

    async def search(self, query: str) -> Hits:
        """Those whose name matches what is typed."""
        matcher = self.matcher(query)
        for action, name, help_text in self._entries():
            if (score := matcher.match(name)) > 0:
                yield Hit(score, matcher.highlight(name), self._run(action), help=help_text)

    def _entries(self) -> Iterator[tuple[Action, str, str]]:
        actions: Actions = getattr(self.app, "actions", Actions())
        readonly = getattr(self.app, "readonly", False)
        for action in actions.offered(readonly):
            # A dialog or a list over the main screen understands other actions.
            if action.palette and (action.scope is Scope.APP or hasattr(self.screen, _method(action))):
                key = action.name(actions.keymap)
                yield action, f"{action.label}  {key}" if key else action.label, action.tooltip

    def _run(self, action: Action) -> Callable[[], Awaitable[bool]]:
        return partial(self.app.run_action, action.action, self.app if action.scope is Scope.APP else self.screen)


def _method(action: Action) -> str:
    return f"action_{action.action.partition('(')[0]}"
