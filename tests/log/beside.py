"""The processes that esdash starts beside its own: to do something with each as soon as it is there."""

import select
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from esdash.log import child

Process = subprocess.Popen[bytes]


def at_each_start(monkeypatch: pytest.MonkeyPatch, then: Callable[[Process], object]) -> None:
    """Call `then` with each process that is started from now on, before esdash has it."""
    start = child.start

    def started(*arguments: str, **options: Any) -> Process:
        process = start(*arguments, **options)
        then(process)
        return process

    monkeypatch.setattr(child, "start", started)


def until_ready(process: Process) -> None:
    """Wait until it says that it is ready, so that nothing of what it is for is done without it."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], 30)[0], "it says so within 30 s"
