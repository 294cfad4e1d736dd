"""A column over another one, which it leaves as it is."""

from collections.abc import Iterator
from typing import Any

Cells = dict[Any, Any]
"""A column: key → value."""


class Overlay(Cells):
    """What changed since a fork, over what it shares with it."""

    __slots__ = ("_gone", "_under")

    def __init__(self, under: Cells) -> None:
        super().__init__()
        self._under = under
        self._gone: set[Any] = set()
        """Keys of what is shared that were deleted."""

    def __missing__(self, key: Any) -> Any:
        if key in self._gone:
            raise KeyError(key)
        return self._under[key]

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (key not in self._gone and key in self._under)

    def get(self, key: Any, default: Any = None, /) -> Any:
        value = super().get(key)
        if value is None and key not in self._gone:
            return self._under.get(key, default)
        return default if value is None else value

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._gone.discard(key)

    def __delitem__(self, key: Any) -> None:
        if key not in self:
            raise KeyError(key)
        super().pop(key, None)
        if key in self._under:
            self._gone.add(key)

    def pop(self, key: Any, *default: Any) -> Any:
        if key not in self and default:
            return default[0]
        value = self[key]
        del self[key]
        return value

    def setdefault(self, key: Any, default: Any = None, /) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def __len__(self) -> int:
        under = self._under
        return len(under) - len(self._gone) + sum(key not in under for key in super().__iter__())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self.whole())

    def keys(self) -> Any:
        return self.whole().keys()

    def values(self) -> Any:
        return self.whole().values()

    def items(self) -> Any:
        return self.whole().items()

    def is_over(self, cells: Cells) -> bool:
        """Whether this is what changed since a fork of those."""
        return self._under is cells

    def touched(self) -> set[Any]:
        """The keys that were written or deleted since the fork, whether anything is another now or not."""
        return self._gone.union(super().keys())

    def whole(self) -> Cells:
        """Both together, copied."""
        under = self._under
        both = under.whole() if isinstance(under, Overlay) else under.copy()
        both.update(zip(super().keys(), super().values(), strict=True))
        for key in self._gone:
            del both[key]
        return both

    def settle(self) -> Cells:
        """Write what changed into what is shared, which is whole again then."""
        under = self._under
        if isinstance(under, Overlay):  # whose own notes are kept by what writes to it
            for key, value in super().items():
                under[key] = value
        else:
            under.update(zip(super().keys(), super().values(), strict=True))
        for key in self._gone:
            del under[key]
        return under
