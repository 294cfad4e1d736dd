"""Arguments that begin with `-` and are no options: numbers below zero, places like `-5m`, what a question denies."""

import re
from typing import Any, Final

import click

GUARD: Final = "\0"
"""Before an argument that begins with `-`. No program can be given it, so it is nobody's own."""

NUMBER: Final = re.compile(r"-[\d.]")
"""How a number below zero begins, or a place like `-5m`; no option does."""

DENIAL: Final = re.compile(r"-[^-].+|-[^-A-Za-z]", re.DOTALL)
"""What a question denies: `-outcome:applied`, `-"two words"`. One letter alone is an option, were it a wrong one."""


def guarded(command: click.Command, arguments: list[str], begins: re.Pattern[str] = NUMBER) -> list[str]:
    """A command line in which arguments that begin with `-` are marked as what they are: no options."""
    takers = {
        name
        for option in command.params
        if isinstance(option, click.Option) and not (option.is_flag or option.count or _may_stand_alone(option))
        for name in option.opts
    }
    found: list[str] = []
    for place, argument in enumerate(arguments):
        if argument == "--":
            return found + arguments[place:]
        valued = place > 0 and arguments[place - 1] in takers
        found.append(GUARD + argument if not valued and begins.match(argument) else argument)
    return found


def _may_stand_alone(option: click.Option) -> bool:
    return getattr(option, "_flag_needs_value", False)


class Guarded(click.Command):
    """A command of which a number below zero, or a place like `-5m`, is an argument."""

    begins = NUMBER

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments, those that begin with `-` as well."""
        return super().parse_args(ctx, guarded(self, args, self.begins))


class Asking(Guarded):
    """A command of which what is denied is an argument: `-outcome:applied`."""

    begins = DENIAL


def unguarded(_: click.Context, __: click.Parameter, value: Any) -> Any:
    """The arguments without the mark of `guarded`: a callback."""
    return tuple(each.removeprefix(GUARD) for each in value) if isinstance(value, tuple) else value.removeprefix(GUARD)
