"""Where a redirect leads, and when it is not followed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.transport.redirects import BadRedirect, check, target

HERE = "https://example.org/news/a"


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/b", "https://example.org/b"),
        ("b", "https://example.org/news/b"),
        ("//other.example/b", "https://other.example/b"),
        ("http://example.org:80/b#part", "http://example.org/b"),
        ("?page=2", "https://example.org/news/a?page=2"),
        (" /b ", "https://example.org/b"),
        ("/café", "https://example.org/caf%C3%A9"),
    ],
)
def test_locations_are_resolved(location: str, url: str) -> None:
    assert target(location, HERE) == url


@pytest.mark.parametrize(
    "location",
    [
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.org/b"),
        *("http://", "https://[::1"),
    ],
)
def test_what_is_no_web_address_is_refused_in_words(location: str) -> None:
    with pytest.raises(BadRedirect, match="no http or https URL") as caught:
        target(location, HERE)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://user:hush@example.org/", "a name or password in it"),
        ("//hush@example.org/", "a name or password in it"),
        ("https://" + "x" * 20_000, "20,008 characters"),
    ],
)
def test_credentials_and_endless_urls_are_refused_and_not_quoted(location: str, words: str) -> None:
    with pytest.raises(BadRedirect, match=words) as caught:
        target(location, HERE)
    assert "hush" not in str(caught.value)


@given(st.text(max_size=60))
def test_any_location_is_a_url_or_refused(location: str) -> None:
    try:
        found = target(location, HERE)
    except BadRedirect:
        return
    assert found.startswith(("http://", "https://"))


def test_circles_and_long_chains_are_refused() -> None:
    seen = [f"https://example.org/{n}" for n in range(6)]
    check("https://example.org/6", seen[:5], 5)
    with pytest.raises(BadRedirect, match="more than 5 times"):
        check("https://example.org/6", seen, 5)
    with pytest.raises(BadRedirect, match="in a circle"):
        check("https://example.org/2", seen[:3], 5)
