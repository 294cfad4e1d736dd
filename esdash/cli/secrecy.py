"""Keeping the password in a URL from being seen."""

import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Final

from esdash.signals import NUMBERS

URL_VARIABLE: Final = "ESDASH_URL"

_TYPED_URL: Final = "_ESDASH_TYPED_URL"
"""The environment variable in which a URL that was typed passes to the same program, started again. Not `URL_VARIABLE`:
a profile that was typed as well would go before that."""

_CREDENTIALS: Final = re.compile(r"(?<=://)(?!user:password@host(?![\w:/-]|\.\w))\S*@")
"""What may be a user name and password, but for those of an example of how a URL is written."""

_SECRET_OPTION: Final = re.compile(r"(?<=password=)[^&\s]+")


def redacted(text: str, arguments: Iterable[str] = ()) -> str:
    """The text without what stands between `://` and `@`, in it or in one of the arguments that it may quote.

    `redis://user:password@host`, which advice names as an example, stays, unless these are somebody's very own.
    """
    for word in (*arguments, os.environ.get(URL_VARIABLE, "")):
        _, scheme, rest = word.partition("://")
        credentials, at, _ = rest.rpartition("@")
        if scheme and at:
            text = text.replace(f"{scheme}{credentials}@", scheme)
    return _SECRET_OPTION.sub("…", _CREDENTIALS.sub("", text))


def hide_password() -> None:
    """When the command line holds a URL with a password, start again with the URL in the environment.

    Every user of a machine can read the command lines of others' processes; the environment is private. Started again,
    it puts the URL back among the arguments that Python knows of, which nobody else sees.
    """
    if (typed := os.environ.pop(_TYPED_URL, None)) is not None:
        sys.argv[1:1] = ["--url", typed]
        return
    where = len(sys.orig_argv) - len(sys.argv) + 1
    url, rest = taken_out(sys.argv[1:])
    if url is not None:
        arguments = [*sys.orig_argv[:where], *rest]
        # The new interpreter would end in a traceback before it comes to esdash; `signals.end_at_once` unblocks them.
        signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)
        os.execve(sys.executable, arguments, {**os.environ, _TYPED_URL: url})


def taken_out(arguments: Sequence[str]) -> tuple[str | None, list[str]]:
    """The URL that counts, when it is an option's value and holds a password, and the arguments without `--url`."""
    url: str | None = None
    rest: list[str] = []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            rest += [argument, *remaining]
        elif argument == "--url":
            url = next(remaining, None)
            if url is None:
                return None, list(arguments)
        elif argument.startswith("--url="):
            url = argument.removeprefix("--url=")
        else:
            rest.append(argument)
    secret = url is not None and ("@" in url or "password=" in url)
    return (url, rest) if secret else (None, list(arguments))
