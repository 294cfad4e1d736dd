"""Real consumer processes that are gone, and were composed, when the test is over."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esdash.engine.publishing import publisher
from tests.chaos.actors import ConsumerProcess


@pytest.fixture
def consume(tmp_path: Path) -> Iterator[Callable[..., ConsumerProcess]]:
    """Start `esdash consume`; the arguments are those of ConsumerProcess, but for the folder."""
    processes: list[ConsumerProcess] = []

    def start(url: str, **options: object) -> ConsumerProcess:
        process = ConsumerProcess(url, tmp_path / str(len(processes)), **options)  # type: ignore[arg-type]
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publishers try again at once, so that a test meets more trouble in the same time."""
    monkeypatch.setattr(publisher, "PAUSE_SECONDS", 0.02)
