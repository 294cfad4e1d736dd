"""Questions, conditions and numbers as arguments of commands."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from esdash.cli.failures import BadInputError
from esdash.config import Settings, questions_file

if TYPE_CHECKING:
    from esdash.fold.folding import Fold
    from esdash.query.conditions import Condition
    from esdash.query.errors import QueryError
    from esdash.query.numbers import Number
    from esdash.query.questions import Question
    from esdash.ui.tables.question_book import QuestionBook


def question_of(fold: "Fold", settings: Settings, words: Sequence[str]) -> "Question":
    """The question that was typed, in one argument or several; it may ask for those that are saved.

    Raises BadInputError, which points at what is wrong.
    """
    from esdash.query.errors import QueryError
    from esdash.query.questions import read_question
    from esdash.words.asked import schema_of

    try:
        return read_question(" ".join(words), schema_of(fold, book_of(fold, settings).saved), time.time())
    except QueryError as error:
        raise _pointed(error) from error


def condition_of(fold: "Fold", words: Sequence[str]) -> "Condition":
    """The condition that was typed, in one argument or several. Raises BadInputError, which points at what is wrong."""
    from esdash.query.conditions import read_condition
    from esdash.query.errors import QueryError
    from esdash.words.asked import schema_of

    try:
        return read_condition(" ".join(words), schema_of(fold), time.time())
    except QueryError as error:
        raise _pointed(error) from error


def number_of(fold: "Fold", text: str) -> "Number":
    """The number that was typed. Raises BadInputError, which points at what is wrong."""
    from esdash.query.errors import QueryError
    from esdash.query.numbers import read_number
    from esdash.words.asked import schema_of

    try:
        return read_number(text, schema_of(fold))
    except QueryError as error:
        raise _pointed(error) from error


def book_of(fold: "Fold", settings: Settings, *, kept: bool = True) -> "QuestionBook":
    """The questions that a person keeps of a domain; not `kept`: those of the settings alone."""
    from esdash.ui.tables.question_book import QuestionBook

    return QuestionBook(questions_file() if kept else None, fold.name, settings.questions)


def _pointed(error: "QueryError") -> BadInputError:
    return BadInputError(str(error), error.pointed())
