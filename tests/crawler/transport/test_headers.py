"""What a request asks with, and what is kept of an answer's fields."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.transport.answer import readable
from crawler.transport.faults import FetchError
from crawler.transport.headers import conditions, joined, received, wishes, without_echo, written
from storage.model import Validator

URL = "https://example.org/a"


def test_wishes_are_only_what_differs() -> None:
    assert wishes(None, None, fresh=False) == {}
    assert wishes("text/markdown", "identity", fresh=True) == {
        "Accept": "text/markdown",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
    }


def test_of_fields_with_one_name_the_last_counts() -> None:
    assert joined({"Accept": "a", "X": "1"}, {"accept": "b"}) == {"accept": "b", "X": "1"}


def test_fields_are_lines() -> None:
    assert written({"Accept": "a", "X": "é"}) == "Accept: a\r\nX: é\r\n"
    assert written({}) == ""


@pytest.mark.parametrize("bad", ["a\r\nX: y", "a\nb", "a\rb", "a\0b"])
def test_a_field_that_would_be_more_than_a_line_is_refused(bad: str) -> None:
    for fields in ({"Accept": bad}, {bad: "1"}):
        with pytest.raises(ValueError, match="line end"):
            written(fields)


def test_validators_become_preconditions() -> None:
    date = "Fri, 19 Jun 2026 08:09:44 GMT"
    validator = Validator(url=URL, etag='W/"x"', last_modified=date, digest="")
    assert conditions(validator) == {"If-None-Match": 'W/"x"', "If-Modified-Since": date}


@pytest.mark.parametrize("etag", ['"é"', '"a\r\nX: y"', '"\x00"', "", None])
def test_an_etag_that_can_not_go_back_as_it_came_is_not_sent(etag: str | None) -> None:
    validator = Validator(url=URL, etag=etag, last_modified="yesterday\r\nX: y", digest="")
    assert conditions(validator) == {}


def test_cookies_and_credentials_are_cut_and_named() -> None:
    raw = [(b"set-cookie", b"a=1"), (b"X-A", b"1"), (b"set-cookie", b"b=2")]
    raw.append((b"Authentication-Info", b"nextnonce=x"))
    fields, redacted = received(URL, raw, 1000)
    assert fields == (("X-A", "1"),)
    assert redacted == ("set-cookie", "Authentication-Info")


def test_every_other_byte_is_kept() -> None:
    fields, _ = received(URL, [(b"x-TITLE", "café".encode()), (b"X-Old", b"caf\xe9")], 1000)
    assert [v.encode("utf-8", "surrogateescape") for _, v in fields] == [b"caf\xc3\xa9", b"caf\xe9"]
    assert [readable(v) for _, v in fields] == ["café", "café"]
    assert fields[0][0] == "x-TITLE"


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=70), st.binary(max_size=9)), max_size=70))
def test_each_field_is_read_by_itself(raw: list[tuple[bytes, bytes]]) -> None:
    raw = [(b"x-" + name, value) for name, value in raw]
    fields, redacted = received(URL, raw, 10_000)
    assert redacted == ()
    assert [
        tuple(part.encode("utf-8", "surrogateescape") for part in pair) for pair in fields
    ] == raw


@pytest.mark.parametrize("count", [1, 2, 300])
def test_the_bound_counts_names_and_values(count: int) -> None:
    raw = [(b"X-N", b"1234567")] * count
    assert len(received(URL, raw, 10 * count)[0]) == count
    with pytest.raises(FetchError, match="bytes"):
        received(URL, raw, 10 * count - 1)


def test_fields_over_the_bound_are_refused() -> None:
    with pytest.raises(FetchError, match="over 1,000 bytes"):
        received(URL, [(b"X", b"y" * 600), (b"Z", b"y" * 600)], 1000)


def test_a_private_value_that_comes_back_is_cut() -> None:
    fields = (("X-Debug", "got Bearer abcdef"), ("Date", "on"))
    secrets = (("Authorization", "Bearer abcdef"), ("X-Mode", "on"))
    assert without_echo(fields, ("Set-Cookie",), secrets) == (
        (("Date", "on"),),
        ("Set-Cookie", "X-Debug"),
    )
