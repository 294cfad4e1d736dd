"""Who is let in."""

import pytest

from esdash.web.gate import Gate, TokenError, checked_token, is_own, new_token

TOKEN = "correct-horse-battery"
GATE = Gate(TOKEN, ("Shop.Example.org",), 8023)


def test_a_token_is_made_that_nobody_guesses_or_chosen_within_bounds() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(checked_token(token) == token and len(token) >= 40 for token in made)
    assert checked_token(f" {TOKEN}\n") == TOKEN
    for wrong in ("", "short", "x" * 257, "two words are no token", "ünïcödé-is-no-token", "with\ttab-in-the-middle"):
        with pytest.raises(TokenError):
            checked_token(wrong)


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], f"{TOKEN}x", TOKEN.upper(), "ü", "\ud800", "\0" * 1000])
def test_only_the_token_lets_in(wrong: str) -> None:
    assert GATE.accepts(TOKEN)
    assert not GATE.accepts(wrong)
    assert not GATE.knows(wrong, None)
    assert not GATE.knows(None, f"Bearer {wrong}")


def test_a_browser_keeps_something_else_and_a_program_sends_the_token_itself() -> None:
    assert GATE.knows(GATE.pass_, None)
    assert TOKEN not in GATE.pass_
    assert GATE.pass_ == Gate(TOKEN, (), 1).pass_, "a token that stays the same is known after a restart"
    assert GATE.pass_ != Gate(f"{TOKEN}x", (), 8023).pass_
    assert GATE.cookie != Gate(TOKEN, (), 8024).cookie
    assert GATE.knows(None, f"Bearer {TOKEN}")
    assert GATE.knows(None, f"bearer  {TOKEN}")
    assert not GATE.knows(TOKEN, None)
    assert not GATE.knows(None, f"Basic {TOKEN}")
    assert not GATE.knows(GATE.pass_, "Bearer other"), "who sends a token means it"
    assert not GATE.knows(None, None)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:8023",
        "127.0.0.1:8023",
        "10.1.2.3",
        "[::1]:8023",
        "shop.example.org",
        "SHOP.example.ORG:1",
    ],
)
def test_the_page_goes_by_addresses_and_by_the_names_that_it_was_given(host: str) -> None:
    assert GATE.is_called(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "shop.example.org.",
        "[::1",
        "a@b",
        "0x7f.1",
        ":8023",
    ],
)
def test_another_name_is_refused_that_leads_here(host: str) -> None:
    assert not GATE.is_called(host)


def test_a_websocket_comes_from_the_page_itself() -> None:
    assert is_own("http://127.0.0.1:8023", "127.0.0.1:8023")
    assert is_own("https://Shop.example.org", "shop.example.org"), "TLS may end at a proxy"
    for origin in (
        None,
        "",
        "null",
        "http://127.0.0.1:8024",
        "http://evil.example",
        "file://",
        "http://[",
        "ws://127.0.0.1:8023",
    ):
        assert not is_own(origin, "127.0.0.1:8023")
    assert not is_own("http://", "")
