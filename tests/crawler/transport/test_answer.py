"""An answer's header fields as text, and its body without content coding."""

from __future__ import annotations

import gzip

import pytest

from crawler.transport.answer import Answer, FetchSettings, Headers, readable
from storage.codings import CodingError
from tests.crawler.fetching import NOW


def answered(headers: Headers = (), body: bytes = b"") -> Answer:
    url = "https://news.example/a"
    return Answer(
        url=url, final_url=url, status=200, reason="OK", headers=headers, body=body, fetched_at=NOW
    )


def test_fields_are_found_in_any_case_and_keep_their_order() -> None:
    answer = answered((("Link", "<a>"), ("ETag", '"1"'), ("link", "<b>")))
    assert answer.values("LINK") == ("<a>", "<b>")
    assert answer.header("link") == "<a>"
    assert answer.header("x-none") is None
    assert answer.values("x-none") == ()


@pytest.mark.parametrize(
    ("received", "text"),
    [
        (b"plain", "plain"),
        ("café".encode(), "café"),
        ("café".encode("latin-1"), "café"),
        (b"\x80\xff", "\x80ÿ"),
    ],
)
def test_fields_are_text_without_surrogates_whatever_their_bytes(
    received: bytes, text: str
) -> None:
    kept = received.decode("utf-8", "surrogateescape")
    assert readable(kept) == text
    assert answered((("X", kept),)).header("x") == text
    assert kept.encode("utf-8", "surrogateescape") == received


def test_codings_are_joined_in_the_order_they_were_applied() -> None:
    stacked = answered((("Content-Encoding", "gzip"), ("content-encoding", "br")))
    assert stacked.coding == "gzip, br"
    assert answered().coding == ""


def test_a_body_is_decoded_within_the_limit() -> None:
    coded = answered((("Content-Encoding", "gzip"),), gzip.compress(b"words" * 10))
    assert coded.decoded(50) == b"words" * 10
    with pytest.raises(CodingError, match="gzip"):
        coded.decoded(49)


def test_settings_show_no_secret() -> None:
    made = FetchSettings(
        agent="a",
        proxy="http://u:hush@proxy.example",
        headers={"news.example:443": (("Authorization", "hush"),)},
    )
    assert "hush" not in f"{made!r}{made.__rich_repr__()}"
