"""How a wrong command line is told that the library of options answers with a question."""

import click

from esdash.cli.failures import message_of


def test_a_question_is_not_followed_by_a_full_stop() -> None:
    error = click.NoSuchOption("--wat", possibilities=["--wait"])
    assert message_of(error) == "No such option '--wat'. Did you mean '--wait'? See `esdash --help`."
