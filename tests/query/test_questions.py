"""Questions: what can be typed, what it means, and how what is wrong is pointed at."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esdash.query.errors import QueryError
from esdash.query.lexing import LONGEST
from esdash.query.places import Between, End, Numbered, OfSnapshot
from esdash.query.questions import Question, read_question
from esdash.query.schema import Schema
from esdash.query.terms import AboutRow, Compared, Matches, OfId, OfKey, OfOutcome, OfReason, OfType, Says, Since, Until
from esdash.query.trees import DEEPEST, MOST_TERMS, All, Either, Negated, terms_of
from tests.query.asking import NOW, joined, of_bank, of_depots, of_kinds, of_shop, texts, tried


def read(text: str, schema: Schema | None = None) -> Question:
    return read_question(text, schema or of_shop(), NOW)


def refused(text: str, schema: Schema | None = None) -> QueryError:
    with pytest.raises(QueryError) as error:
        read(text, schema)
    return error.value


def bounds(text: str, schema: Schema | None = None) -> list[tuple[str, object, object]]:
    """What the fields that a comparison means are compared with."""
    term = read(text, schema)
    assert isinstance(term, Compared)
    return [(f"{each.model.__name__}.{'.'.join(each.path)}", each.low, each.high) for each in term.meant]


class TestTerms:
    @pytest.mark.parametrize(
        ("text", "term"),
        [
            ("type:Order", OfType("Order")),
            ("type=Order", OfType("Order")),
            ("type:top-up", OfType("TopUp")),
            ("type:Refund", OfType("Refund")),
            ("outcome:rejected", OfOutcome("rejected")),
            ("reason:out_of_stock", OfReason("out_of_stock")),
            ("reason:invalid_data", OfReason("invalid_data")),
            ("user:7", AboutRow("user", "users", 7)),
            ("users:7", AboutRow("users", "users", 7)),
            ("user:1,234", AboutRow("user", "users", 1234)),
            ("user:-5", AboutRow("user", "users", -5)),
            ("item:hdd", AboutRow("item", "items", "hdd")),
            ('item:"two words"', AboutRow("item", "items", "two words")),
            (r'item:"a\"b\\c"', AboutRow("item", "items", 'a"b\\c')),
            ("item:a:b", AboutRow("item", "items", "a:b")),
            ("key:corrects:5-3", OfKey("corrects:5-3")),
            ('key:""', OfKey("")),
            ("id:1700000000000-7", OfId("1700000000000-7", 1700000000000, 7)),
            ("id:1700000000000", OfId("1700000000000", 1700000000000, None)),
            ("since:#12", Since("#12", Numbered(12))),
            ("since:first", Since("first", End.FIRST)),
            ("until:snapshot:x", Until("snapshot:x", OfSnapshot("x"))),
            ("until:5-3", Until("5-3", Between((5, 3), (5, 3)))),
            ("hdd", Says("hdd")),
            ('"two words"', Says("two words")),
            ('"or"', Says("or")),
            ("14:03", Says("14:03")),
            ('{"a":1}', Says('{"a":1}')),
            ("#12", Says("#12")),
            ("order", Says("order")),
            ("/a b|c/", Matches("a b|c", ignoring_case=False)),
            (r"/a\/b/i", Matches("a/b", ignoring_case=True)),
        ],
    )
    def test_each_can_be_typed(self, text: str, term: object) -> None:
        assert read(text) == term
        assert read(f"  {text}  ") == term

    def test_a_time_of_two_words_needs_no_quotes(self) -> None:
        assert read("since:2026-11-23 14:03 hdd") == read('since:"2026-11-23 14:03" hdd')

    def test_so_long_ago_is_counted_from_now(self) -> None:
        at = round((NOW - 300) * 1000)
        (term,) = terms_of(read("since:-5m"))
        assert term.place.first == (at, 0)

    def test_terms_know_where_they_stand(self) -> None:
        text = 'hdd  -(amount>1.5 or item:"two words") /a b/i'
        spans = [text[slice(*term.span)] for term in terms_of(read(text))]
        assert spans == ["hdd", "amount>1.5", 'item:"two words"', "/a b/i"]


class TestFields:
    def test_values_are_written_as_people_read_them(self) -> None:
        assert bounds("amount>100") == [("TopUp.amount", 10_000, 10_000)]
        assert bounds("price:1,234.5") == [("AddItem.price", 123_450, 123_450)]
        assert bounds("quantity>=3") == [("Order.lines.quantity", 3, 3)]
        assert bounds("kilos>=1.50", of_depots())[0][1:] == bounds("kilos>=1.5", of_depots())[0][1:]
        assert bounds("kilos>1,234.5", of_depots()) == bounds("kilos>1234.50", of_depots())
        assert bounds("grams<1.5kg", of_depots()) == [("Weighed.grams", 1500, 1500)]
        assert bounds("climate:COLD", of_depots()) == [("Built.climate", "cold", "cold")]
        assert bounds("owner:Ann", of_bank()) == [("Opened.owner", "Ann", "Ann")]
        assert bounds("wipe:yes", of_kinds()) == [("Forgotten.wipe", True, True)]
        assert bounds("care:2", of_kinds()) == [("Described.care", 2, 2)]

    def test_spaces_around_an_operator_do_not_matter(self) -> None:
        for text in ("amount > 100", "amount> 100", "amount >100", "amount  >  100"):
            assert read(text) == read("amount>100")
        assert read("hdd amount >= 1 or x") == read("(hdd amount>=1) or x")
        assert read("foo > 1") == All((Says("foo"), Says(">"), Says("1")))
        assert read('amount ">" 1') == All((Says("amount"), Says(">"), Says("1")))

    def test_single_marks_quote_a_value_as_well(self) -> None:
        assert read("item:'two words' x") == read('item:"two words" x')
        assert read("item:'tis") == AboutRow("item", "items", "'tis")
        assert read("item:'tis' x") == read("item:tis x")

    def test_bounds_of_an_event_are_none_of_a_question(self) -> None:
        assert bounds("amount>-1") == [("TopUp.amount", -100, -100)]

    def test_a_name_means_every_field_that_has_it(self) -> None:
        assert [name for name, *_ in bounds("item_id:hdd")] == ["AddItem.item_id", "Order.lines.item_id"]
        assert [name for name, *_ in bounds("Order.item_id:hdd")] == ["Order.lines.item_id"]
        assert [name for name, *_ in bounds("lines.item_id:hdd")] == ["Order.lines.item_id"]
        assert [name for name, *_ in bounds("pieces>3", of_depots())] == ["Delivered.goods.pieces", "Withdrawn.pieces"]
        assert [name for name, *_ in bounds("name:x", of_kinds())] == ["Described.part.name", "Described.first.name"]

    def test_a_time_is_all_that_it_names(self) -> None:
        ((_, first, last),) = bounds("made:2026-01-02T00:00Z", of_kinds())
        assert (first, last) == (1767312000000, 1767312059999)
        ((_, first, last),) = bounds("seen<2026-01-02T00:00:01Z", of_kinds())
        assert (first, last) == (1767312001000, 1767312001999)
        assert bounds("seen>5", of_kinds()) == [("Described.seen", 5, 5)]
        ((_, first, _),) = bounds("made<1950-01-01T00:00Z", of_kinds())
        assert isinstance(first, int)
        assert first < 0

    def test_a_word_for_a_row_that_is_a_field_as_well(self) -> None:
        schema = of_bank()
        assert read("account:A", schema) == AboutRow("account", "accounts", "A")
        assert bounds("account=A", schema) == [("Opened.account", "A", "A")]
        assert bounds("account!=A", schema) == [("Opened.account", "A", "A")]


class TestJoining:
    def test_words_beside_each_other_all_hold(self) -> None:
        assert read("a b c") == All((Says("a"), Says("b"), Says("c")))
        assert read("a and b AND c") == read("a b c")
        assert read("(a b) c") == read("a b c")
        assert read("") == read("  ") == All(())

    def test_or_binds_less(self) -> None:
        assert read("a b or c") == Either((All((Says("a"), Says("b"))), Says("c")))
        assert read("a (b or c)") == All((Says("a"), Either((Says("b"), Says("c")))))
        assert read("a or (b OR c)") == Either((Says("a"), Says("b"), Says("c")))

    def test_not_and_minus_bind_most(self) -> None:
        assert read("-a b") == read("not a b") == All((Negated(Says("a")), Says("b")))
        assert read("-(a b)") == Negated(All((Says("a"), Says("b"))))
        assert read("--a") == Negated(Negated(Says("a")))
        assert read('-"a b" -/x/ -type:Order') == read('not "a b" not /x/ not type:Order')
        assert read("a-b") == Says("a-b")


class TestWhatIsWrong:
    @pytest.mark.parametrize(
        ("text", "pointed", "said"),
        [
            ("amonut>5", "amonut", "Did you mean amount?"),
            ("hdd foo:bar", "foo", "Expected type, outcome, reason, key, id, since, until, user or item"),
            ("amount>x", "x", "an amount is written like 12.34"),
            ("amount>", "", "Expected a value of amount right behind the >"),
            ("user:x", "x", "whole numbers, like user:7"),
            ("user>7", ">", "Expected a : behind user"),
            ("item:", "", "Expected the key of one item right behind the :"),
            ("type>5", ">", "Expected a : behind type"),
            ("type:", "", "Expected a type, like TopUp"),
            ("outcome:fine", "fine", "Expected parked, applied, duplicate or rejected"),
            ("reason:out_of_stok", "out_of_stok", "Did you mean out_of_stock?"),
            ("since:yesterday", "yesterday", "is no place in the stream"),
            ("since:12", "12", "could be several places"),
            ("id:x", "x", "Expected an id"),
            ("lines:5", "lines", "Expected one of its fields: item_id or quantity"),
            ("a (b", "(", "Expected a ) to this ("),
            ("a) b", ")", "There is no ( to this )"),
            ("a or", "", "Expected something to look for"),
            ("or a", "or", "Expected something to look for"),
            ("()", ")", "Expected something to look for"),
            ("a not", "", "Expected something to look for"),
            ("- a", "", "Expected right behind the -"),
            ('"ab', '"', 'Expected a " that ends'),
            ('""', '""', "Expected a text"),
            ('"a"b', "b", "Expected a space"),
            ("item:a(b)", "(", "Expected a space"),
            ("(a)b", "", "Expected a space"),
            ("/ab", "/", "Expected a / that ends"),
            ("/tmp/x", "x", "Expected a space behind the regular expression"),
            ("//", "//", "Expected a regular expression"),
            ("/a(/", "(", "Expected a ) to this ("),
            (r"/a\1/", "\\", "not understood here"),
        ],
    )
    def test_is_pointed_at(self, text: str, pointed: str, said: str) -> None:
        error = refused(text)
        assert said in str(error)
        assert text[slice(*error.span)] == pointed
        line, carets = error.pointed()
        assert line == text
        assert carets == " " * error.span[0] + "^" * max(1, len(pointed))

    def test_what_is_neither_less_nor_greater(self) -> None:
        for text in ("climate<cold", "goods.care>normal"):
            assert "expected : or !=" in str(refused(text, of_depots()))

    def test_the_caret_stands_under_what_a_terminal_shows(self) -> None:
        assert refused("日本 \x1b foo:b").pointed() == ("日本 ␛ foo:b", "       ^^^")
        line, carets = refused("a " * 200 + "foo:b" + " b" * 200).pointed()
        assert len(line) < 110
        assert line[carets.index("^") :].startswith("foo:b")

    def test_what_is_too_much_is_refused(self) -> None:
        for text in (
            "(" * 2000,
            "-" * 2000,
            "a " * (MOST_TERMS + 1),
            "x" * (LONGEST + 1),
            "not " * (DEEPEST + 2) + "a",
        ):
            refused(text)
        read("(" * (DEEPEST - 1) + "a" + ")" * (DEEPEST - 1))
        read("a " * MOST_TERMS)


TERMS = [
    *(
        "user:7",
        'item:"two words"',
        r'item:"a\"b"',
        "item:a:b",
        "amount>1,234.5",
        "lines.quantity!=3",
        "price=0",
        "count<5",
    ),
    *("type:Order", 'type:"a b"', "outcome:parked", "reason:overflow", 'key:""', "key:k", "id:5-3", "since:-5m"),
    *(
        "until:2026-11-23 14:03",
        "until:now",
        "hdd",
        '"or"',
        '"two  words"',
        r'"\\"',
        '"-x"',
        '"a:b"',
        "/a b/",
        r"/\/\\/i",
    ),
]


@given(texts(), st.sampled_from([of_shop, of_bank, of_depots, of_kinds]))
def test_any_text_is_a_question_or_is_pointed_at(text: str, schema: Callable[[], Schema]) -> None:
    tree, error = tried(lambda: read(text, schema()))
    if error is None:
        assert read(str(tree), schema()) == tree
    else:
        assert 0 <= error.span[0] <= error.span[1] <= len(text)
        assert len(str(error)) < 1200
        assert all(line.isprintable() for line in error.pointed())


@given(joined(TERMS))
def test_what_a_tree_writes_is_read_as_the_same(text: str) -> None:
    tree = read(text)
    assert read(str(tree)) == tree
    assert str(read(str(tree))) == str(tree)


@given(st.text(min_size=1, max_size=30))
def test_every_text_can_be_looked_for(text: str) -> None:
    assert read(str(Says(text))) == Says(text)
    assert read(str(AboutRow("item", "items", text))) == AboutRow("item", "items", text)
