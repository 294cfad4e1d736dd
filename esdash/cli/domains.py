"""Which domain a command works with: the one place that knows those of esdash's own by name."""

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from esdash.cli.failures import BadInputError
from esdash.cli.output import warn
from esdash.config import DEFAULT_DOMAIN, Settings
from esdash.visible import visible

if TYPE_CHECKING:
    from esdash.fold.folding import Fold
    from esdash.log.stream import Stream

RAW: Final = "raw"

OWN: Final = {DEFAULT_DOMAIN: "esdash.shop.domain:SHOP", RAW: "esdash.fold.raw:RAW"}
"""The domains that esdash ships."""


def fold_of(settings: Settings) -> "Fold":
    """The fold of the domain that was chosen. Raises DomainFileError."""
    from esdash.fold.loading import load

    return load(OWN.get(settings.domain, settings.domain), require_invariants)


def require_invariants(fold: "Fold") -> None:
    """Raises SchemaError where an invariant cannot be read. What that takes is imported where there is one."""
    if fold.domain.invariants:
        from esdash.engine.invariants.asked import require_readable

        require_readable(fold)


def bound_by(settings: Settings, fold: "Fold") -> Settings:
    """The settings, read-only where the domain wants it so."""
    return replace(settings, readonly=True) if fold.readonly else settings


def require_samples(fold: "Fold") -> None:
    """Raises BadInputError where a domain cannot make events up, or none are published in its stream."""
    if fold.objection:
        raise BadInputError(fold.objection)
    if fold.domain.sample is None:
        raise BadInputError(
            f"The domain {visible(fold.name)} makes no events up: it declares no `sample`. Publish some with `esdash "
            "publish`, or give it a function `sample(seed)` that yields events."
        )


def warn_of_another_domain(log: "Stream", fold: "Fold") -> None:
    """Say before anything is written that all snapshots of the stream are those of other domains. Raises LogError."""
    if told := another_domain(log, fold):
        warn(told)


def another_domain(log: "Stream", fold: "Fold") -> str | None:
    """Says that all snapshots of the stream are those of other domains; None where that is not so. Raises LogError."""
    from esdash.log.headers import Header
    from esdash.log.snapshots import SnapshotStore

    names = {header.domain for header in SnapshotStore(log).offered() if isinstance(header, Header)}
    if not names or fold.name in names:
        return None
    others = ", ".join(visible(name) for name in sorted(names))
    return (
        f"The snapshots of {visible(log.name)} are of another domain, {others}, not of {visible(fold.name)}: --domain "
        "chooses."
    )
