"""What a request asks with, and what is kept of an answer's fields."""

from __future__ import annotations

import pytest

from crawler.answer import readable
from crawler.faults import FetchError
from crawler.headers import conditions, received, wishes, without_echo
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
