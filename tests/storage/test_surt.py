"""URLs as web archives sort them: the same keys as the surt package gives."""

from __future__ import annotations

import warnings
from importlib import import_module
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from storage.surt import surt

with warnings.catch_warnings():
    # Compiled for the first time, its regular expressions are warned of.
    warnings.simplefilter("ignore")
    theirs = import_module("surt")

SEGMENTS = st.text(st.sampled_from("abcXYZ019-_.~!'()*:@,;+ é%/"), min_size=1, max_size=8)
NAMES = st.text(st.sampled_from("abcQ"), min_size=1, max_size=3)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.example.org/News/A%20b.md?b=2&a=1", "org,example)/news/a%20b.md?a=1&b=2"),
        ("http://example.org:8080/x/", "org,example:8080)/x"),
        ("https://example.org", "org,example)/"),
        ("https://example.org:443/a%2Fb%7e", "org,example)/a/b~"),
        ("http://127.0.0.1:8090/news/a", "1,0,0,127:8090)/news/a"),
        ("http://[::1]:80/a", "::1)/a"),
        ("https://example.org/a//b/?", "org,example)/a/b"),
        ("https://example.org/%C3%A9?q=%C3%9C&Q=a", "org,example)/%c3%a9?q=%c3%9c&q=a"),
    ],
)
def test_a_url_becomes_the_key_that_other_tools_look_for(url: str, key: str) -> None:
    assert surt(url) == key == theirs.surt(url)


@given(
    st.lists(SEGMENTS, max_size=4),
    st.dictionaries(NAMES, st.text(st.sampled_from("abc0 é%&="), max_size=4), max_size=3),
)
def test_any_url_has_their_key(path: list[str], query: dict[str, str]) -> None:
    # A normalised URL has no dot segments (RFC 3986 section 6.2.2.3).
    assume({".", ".."}.isdisjoint("/".join(path).split("/")))
    url = f"https://news.example/x{''.join('/' + quote(each) for each in path)}"
    url += f"?{urlencode(query)}" if query else ""
    assert surt(url) == theirs.surt(url)


@pytest.mark.parametrize("text", ["urn:slugline:a/b", "", "https://", "http://[bad", "mailto:a@b"])
def test_what_is_no_web_address_is_its_own_key(text: str) -> None:
    assert surt(text) == text
