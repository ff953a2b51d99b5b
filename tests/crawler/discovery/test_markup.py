"""Documents before a parser sees them: unpacked, decoded, cut and mended."""

from __future__ import annotations

import codecs
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discovery.markup import cut_behind, decoded, document, gunzipped, pieces, repaired
from crawler.facts import Malformed


def test_a_document_that_was_packed_twice_is_unpacked() -> None:
    assert gunzipped(gzip.compress(b"<feed/>"), 100) == b"<feed/>"
    assert gunzipped(b"<feed/>", 1) == b"<feed/>"


@pytest.mark.parametrize("harm", [lambda body: body[:-4], lambda body: body[:10] + b"x" * 20])
def test_gzip_that_is_cut_or_broken_is_malformed(harm: object) -> None:
    with pytest.raises(Malformed):
        gunzipped(harm(gzip.compress(b"<feed/>" * 99)), 10_000)  # type: ignore[operator]


def test_no_more_is_unpacked_than_is_allowed() -> None:
    with pytest.raises(Malformed):
        gunzipped(gzip.compress(bytes(10_000)), 9_999)


@pytest.mark.parametrize(
    "body",
    [
        "<a>é</a>".encode(),
        codecs.BOM_UTF8 + "<a>é</a>".encode(),
        "<a>é</a>".encode("utf-16"),
        "<a>é</a>".encode("utf-16-le"),
        "<a>é</a>".encode("utf-16-be"),
    ],
)
def test_an_encoding_is_known_by_its_mark_or_its_look(body: bytes) -> None:
    assert decoded(body).lstrip("\ufeff") == "<a>é</a>"


@pytest.mark.parametrize(
    ("name", "read"),
    [("ISO-8859-1", True), ("windows-1252", True), ("koi8-r", True), ("latin1", True),
     ("utf-7", False), ("idna", False), ("rot13", False), ("nothing", False)],
)  # fmt: skip
def test_only_encodings_that_publishers_use_are_believed(name: str, read: bool) -> None:
    head = f'<?xml version="1.0" encoding="{name}"?>'
    text = decoded(head.encode() + b"\xe9+AGE-")
    assert ("\ufffd" in text) is not read
    assert text.endswith("+AGE-")


@given(st.text(max_size=200), st.integers(1, 3))
def test_pieces_are_the_text_whatever_their_borders(text: str, times: int) -> None:
    body = (text.replace("<", "") * times * 1000).encode("utf-8", "replace")
    assert "".join(pieces(body)) == decoded(body)


@given(st.lists(st.text("ab>", max_size=9), max_size=9))
def test_what_is_cut_anew_ends_in_its_mark_and_is_all_there(texts: list[str]) -> None:
    *whole, rest = cut_behind(texts, "a>")
    assert "".join(whole) + rest == "".join(texts)
    assert all(each.endswith("a>") for each in whole)
    assert "a>" not in rest


def test_a_text_without_any_mark_is_cut_all_the_same() -> None:
    parts = list(cut_behind(("x" * 300_000 for _ in range(8)), "</url>"))
    assert "".join(parts) == "x" * 2_400_000
    assert max(map(len, parts)) < 1_500_000


@pytest.mark.parametrize(
    "before", ["", "\ufeff", " \n\t", "<b>Warning</b>: session_start() in a.php\n", "\ufeff \ufeff"]
)
def test_what_stands_before_a_document_is_dropped(before: str) -> None:
    for text in ("<?xml version='1.0'?><a/>", "<urlset></urlset>", "<s:urlset/>", "<rss/>"):
        assert document(before + text) == text


def test_only_ampersands_and_characters_that_xml_forbids_are_mended() -> None:
    assert repaired("a=1&b=2&amp;c&#38;&#x26;&nbsp;") == "a=1&amp;b=2&amp;c&#38;&#x26;&amp;nbsp;"
    assert repaired("a\x00b\x0bc\ufffed\te\n") == "abcd\te\n"
