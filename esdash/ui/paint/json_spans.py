"""A line of JSON in colours: names, texts, numbers and the three words."""

import re
from typing import Final

from esdash.ui.paint.painted import Line, Span

_TOKEN: Final = re.compile(r'("(?:[^"\\]|\\.)*+")(?=(\s*:)?)|(-?[0-9][0-9.eE+-]*+)|(true|false|null)')


def json_spans(text: str) -> Line:
    """The whole text; of a piece of a longer one what cannot be told stays plain."""
    spans, done = list[Span](), 0
    for match in _TOKEN.finditer(text):
        quoted, colon, number, _ = match.groups()
        style = ("information" if colon else "good") if quoted else "strong" if number else "warning"
        spans += [Span(text[done : match.start()]), Span(match[0], style)]
        done = match.end()
    return (*spans, Span(text[done:]))
