"""What is said of a domain that cannot be used: the file, the line and the remedy."""

from pathlib import Path

import pytest

from esdash.fold.loading import DomainFileError, load
from tests.domains import BANK

SOURCE = BANK.read_text("utf-8")
TABLE = SOURCE[SOURCE.index("(Table(") : SOURCE.index(",\n    events")]
DOMAIN, OPENED, COLUMN = 'name="bank"', "class Opened", 'Column("owner"'
INVARIANT = '__import__("esdash.domain").domain.Invariant'
TWO_INVARIANTS = f'invariants=({INVARIANT}("good", "count(accounts) > 0"), {INVARIANT}("good", bool))'
NAMELESS = f'invariants=({INVARIANT}("", bool),)'
OF_NOTHING = f'invariants=({INVARIANT}("good", 7),)'
SHUT = 'wire=__import__("esdash.domain").domain.Wire(only="Shut"), name="bank"'
WIRE = 'wire=__import__("esdash.domain").domain.Wire({}), name="bank"'

WRONG: dict[str, tuple[str, str, str, str]] = {
    "no python": (OPENED, "klass Opened", "invalid syntax", OPENED),
    "an import that is not there": ("from msgspec", "from nowhere_at_all", "ModuleNotFoundError", "from msgspec"),
    "a name that is not there": ("TEXT, ", "", "NameError: name 'TEXT' is not defined", "tables="),
    "an error of its own": ("BANK = Domain", "1 // 0\nBANK = Domain", "ZeroDivisionError: ", "BANK = "),
    "no domain": ("BANK = Domain(", "BANK = dict(", "there is no Domain in it", ""),
    "a column twice": (COLUMN, 'Column("balance"', "two columns of accounts are called balance", COLUMN),
    "a table entry": ('Table("accounts"', 'Table("entry"', "a table cannot be called entry", "Table("),
    "a column remove": (COLUMN, 'Column("remove"', "a column cannot be called remove", COLUMN),
    "a column with a space": (COLUMN, 'Column("the owner"', "'the owner' is no name for a column", COLUMN),
    "a column of floats": ('"balance", int', '"balance", float', "accounts.balance is int, str or bool", COLUMN),
    "a column shown by a name": ("str, TEXT)", "str, 'x')", "accounts.owner is shown by a format", COLUMN),
    "keys of another kind": ('"account", str', '"account", float', "the keys of accounts are int or str", "Table("),
    "a row called type": ('"account", str', '"type", str', "a row cannot be called type", "Table("),
    "one table without a comma": (
        f"{TABLE}",
        TABLE[:-2] + ")",
        "one alone with a comma behind it: (Table(…),)",
        DOMAIN,
    ),
    "a list of events": ('press="t")),', 'press="t")) and [],', "a domain's events are a tuple", DOMAIN),
    "a version that is a number": ('version="1"', "version=1", "a domain's version is a text", DOMAIN),
    "a v that is a number": ('press="a"', "v=2", "Opened has v=2; write a text, as in v='2'", OPENED),
    "no tables": (TABLE, "()", "a domain has 1 to 64 tables", DOMAIN),
    "neither": ("EventType(Opened, opened, ", "EventType(Opened, ", "Opened has either an apply or an upcast", OPENED),
    "both": ("Opened, opened, ", "Opened, opened, upcast=opened, ", "Opened has either an apply or an upcast", OPENED),
    "no function": ("(Opened, opened", "(Opened, 'opened'", "what Opened does is a function", OPENED),
    "another encoding": ('press="a"', 'encoding="xml"', "Opened is encoded as json or msgpack, not 'xml'", OPENED),
    "two types of one name": ('press="t"', 'name="Opened"', "two event types are Opened v1 in json", ""),
    "two types of one model": ("(Transferred, t", "(Opened, name='T', apply=t", "the model Opened", OPENED),
    "about no table": ('about("accounts")', 'about("banks")', "about banks, and there is no such table", OPENED),
    "about other keys": ('"account", str', '"account", int', "is str, and the keys of accounts are int", OPENED),
    "a float in an event": ("owner: str", "owner: float", "Opened.owner is a float, which no event may hold", OPENED),
    "a reason of esdash's own": ('"already_open":', '"invalid_data":', "is a reason of esdash's own", "reasons="),
    "a reason with a space": ('"already_open":', '"so what":', "'so what' is no name for a reason", "reasons="),
    "reasons in a list": ("reasons={", "reasons=[] and {", "a domain's reasons are a dict", DOMAIN),
    "invariants in a list": (DOMAIN, f"invariants=['x'], {DOMAIN}", "invariants are a tuple of functions", DOMAIN),
    "an invariant twice": (DOMAIN, f"{TWO_INVARIANTS}, {DOMAIN}", "two invariants are called good", DOMAIN),
    "an invariant of no name": (DOMAIN, f"{NAMELESS}, {DOMAIN}", "an invariant's name is a text of 1 to 64", DOMAIN),
    "an invariant of nothing": (DOMAIN, f"{OF_NOTHING}, {DOMAIN}", "the condition of good is a text, as in", DOMAIN),
    "only a type that is not there": (DOMAIN, SHUT, "the wire has only Shut, which is no event type", DOMAIN),
    "a wire that names nothing": (DOMAIN, WIRE.format("key=None"), "what a wire names is a text, not None", DOMAIN),
    "a wire of one name": (DOMAIN, WIRE.format("key='v'"), "the wire gives the name v to two fields", DOMAIN),
    "a description that is none": (DOMAIN, f"describe='x', {DOMAIN}", "a domain's describe is a function", DOMAIN),
    "samples in a list": (DOMAIN, f"sample=[], {DOMAIN}", "a domain's sample is a function, or None", DOMAIN),
    "a reason that says nothing": (
        '"already_open": "',
        '"already_open": 1 or "',
        "already_open says is a text",
        "reasons=",
    ),
    "a title that is none": (
        '"owner", str, TEXT',
        '"owner", str, TEXT, None',
        "the title of accounts.owner is a text",
        COLUMN,
    ),
    "a key that is none": ('press="a"', "press=None", "the key of Opened is a text, not None", OPENED),
    "a field shown by a name": ("owner: str", 'owner: Annotated[str, shown_as("x")]', "owner is shown by a f", OPENED),
    "a bound that no int has": (
        "owner: str",
        "owner: Annotated[int, Meta(ge=2**70)]",
        "Opened cannot be decoded",
        OPENED,
    ),
    "an array": ("Opened(Struct", "Opened(Struct, array_like=True", "Opened is array_like, and what an entry", OPENED),
    "the end of the program": ("BANK = Domain", "raise SystemExit(3)\nBANK = Domain", "it ends the program", "BANK = "),
    "an interrupt": ("BANK = Domain", "raise KeyboardInterrupt\nBANK = Domain", "it ends the program", "BANK = "),
    "an end of another kind": ("BANK = Domain", "raise GeneratorExit\nBANK = Domain", "GeneratorExit.", "BANK = "),
    "a rule of the event alone": (
        "opened(state, event)",
        "opened(event)",
        "is called as f(state, event)",
        "def opened",
    ),
    "a rule that wants more": ("opened(state, event)", "opened(state, event, *, now)", "'now'", "def opened"),
    "an upcast of a state": (
        "(Opened, opened",
        "(Opened, upcast=opened",
        "what Opened does is called as f(old), and cannot be: missing",
        "def opened",
    ),
    "a description of nothing": (DOMAIN, f"describe=lambda: '', {DOMAIN}", "describe is called as f(event)", DOMAIN),
    "samples without a seed": (DOMAIN, f"sample=lambda: (), {DOMAIN}", "sample is called as f(seed)", DOMAIN),
    "an invariant of too much": (
        DOMAIN,
        f"invariants=(opened,), {DOMAIN}",
        "the invariant opened is called as f(state)",
        "def opened",
    ),
    "a format that reads nothing": (
        "str, TEXT)",
        'str, __import__("esdash.domain").domain.Format(lambda: 1, str))',
        "the read of the format of accounts.owner is called as f(text)",
        COLUMN,
    ),
    "a name that is none": (DOMAIN, 'name=" bank"', "a domain's name is a text of 1 to 64 characters", DOMAIN),
}


def line(text: str) -> int:
    """The line of the bank on which a text stands first."""
    return SOURCE[: SOURCE.index(text)].count("\n") + 1


@pytest.mark.parametrize(("old", "new", "said", "at"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_said_with_its_line_and_the_remedy(
    tmp_path: Path, old: str, new: str, said: str, at: str
) -> None:
    assert old in SOURCE
    path = tmp_path / "own.py"
    path.write_text(SOURCE.replace(old, new, 1), "utf-8")
    with pytest.raises(DomainFileError) as error:
        load(str(path))
    told = str(error.value)
    assert told.startswith(f"own.py:{line(at)}: " if at else "own.py")
    assert said in told
    assert told.endswith(".")
    assert not told.endswith("..")
    assert "\n" not in told


@pytest.mark.parametrize(
    "rule",
    ["def opened(*given): ...", "def opened(state, event, more=1): ...", "opened = max", "opened = print"],
)
def test_a_function_that_can_be_called_or_that_cannot_tell_is_let_be(tmp_path: Path, rule: str) -> None:
    path = tmp_path / "own.py"
    path.write_text(SOURCE.replace("BANK = Domain", f"{rule}\n\n\nBANK = Domain", 1), "utf-8")
    assert load(str(path)).name == "bank"
