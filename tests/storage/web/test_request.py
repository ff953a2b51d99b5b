"""What clients ask for: read, bounded, and refused in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from storage.web.request import MOST_CHARACTERS, Refusal, Request

NOW = datetime(2026, 6, 20, tzinfo=UTC)


def asked(url: str = "", **query: str) -> Request:
    return Request(parts={}, query=query, base="http://here", now=NOW, url=url)


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("https://a.example/x?y=1&z", "https://a.example/x?y=1&z"),
        ("https:/a.example/x", "https://a.example/x"),
        ("HTTPS://a.example/X", "https://a.example/X"),
        ("http%3A%2F%2Fa.example%2F%3Fq%3D1", "http://a.example/?q=1"),
        ("http://a.example/b%2Fc", "http://a.example/b%2Fc"),
        ("http://a.example/#part", "http://a.example/"),
    ],
)
def test_a_url_in_the_path_is_taken_as_it_was_meant(url: str, meant: str) -> None:
    assert asked(url).original() == meant


@pytest.mark.parametrize("url", ["a.example", "ftp://a.example/", "", "javascript:alert(1)", "/x"])
def test_what_is_no_url_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(url).original()
    assert refused.value.status == 400


def test_numbers_and_moments_are_read() -> None:
    request = asked(before="12", since="2026-06-19")
    assert request.number("before") == 12
    assert request.number("other") is None
    assert request.moment("since", start=True) == datetime(2026, 6, 19, tzinfo=UTC)
    assert request.moment("other") is None


@pytest.mark.parametrize("text", ["-1", "1.5", "x", "9" * 17, "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(Refusal, match="whole number"):
        asked(n=text).number("n")


@pytest.mark.parametrize(
    ("text", "status"), [("x" * (MOST_CHARACTERS + 1), 400), ("a\0b", 400), ("a\ud800", 400)]
)
def test_words_are_bounded_and_without_control_characters(text: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        asked(q=text).text("q")
    assert refused.value.status == status
