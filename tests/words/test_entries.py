"""What one entry says, told for people."""

from esdash.words.entries import describe
from tests.domains import the_depots


def test_a_list_of_nothing_is_told_as_nothing() -> None:
    data = b'{"depot":"north","goods":[],"kilos":"1"}'
    told = describe(the_depots(), [b"type", b"Delivered", b"v", b"2", b"data", data])
    assert told == "depot north · goods – · kilos 1 · labels –"
