"""A schedule that fails, made as short as it can be: delta debugging over its operations, then over their numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.chaos.nemesis.schedule import Operation, Schedule

Fails = Callable[[Schedule], bool]


def shrink(schedule: Schedule, fails: Fails) -> Schedule:
    """The shortest schedule found that `fails` still.

    `fails` is asked some hundred times; what happens by accident it may try several times.
    """
    before = None
    while before != schedule:
        before = schedule
        schedule = _fewer_operations(schedule, fails)
        schedule = _smaller_numbers(schedule, fails)
        for plain in (_one_page, _one_process, _one_thread):
            plainer = plain(schedule)
            if plainer != schedule and fails(plainer):
                schedule = plainer
    return schedule


def _one_page(schedule: Schedule) -> Schedule:
    return replace(schedule, page=1000)


def _one_process(schedule: Schedule) -> Schedule:
    return replace(schedule, far=50_000)


def _one_thread(schedule: Schedule) -> Schedule:
    return replace(schedule, large=20_000)


def _fewer_operations(schedule: Schedule, fails: Fails) -> Schedule:
    """Leave out halves, quarters, and at last single operations, for as long as it fails (Zeller's ddmin)."""
    operations = schedule.operations
    size = max(1, len(operations) // 2)
    while True:
        start = 0
        while start < len(operations):
            fewer = operations[:start] + operations[start + size :]
            if fewer and fails(schedule.of(fewer)):
                operations = fewer
            else:
                start += size
        if size == 1:
            return schedule.of(operations)
        size //= 2


def _smaller_numbers(schedule: Schedule, fails: Fails) -> Schedule:
    for place, operation in enumerate(schedule.operations):
        for index, number in enumerate(operation.numbers):
            for smaller in sorted({0, 1, number // 2}):
                if smaller >= number:
                    break
                numbers = (*operation.numbers[:index], smaller, *operation.numbers[index + 1 :])
                changed = list(schedule.operations)
                changed[place] = operation = Operation(operation.name, numbers)
                attempt = schedule.of(tuple(changed))
                if fails(attempt):
                    schedule = attempt
                    break
                operation = schedule.operations[place]
    return schedule
