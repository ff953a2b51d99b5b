"""URLs: one normal form, and what is asked of it."""

from __future__ import annotations

import re

import pytest
from ada_url import URL
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.urls import (
    MAX_URL,
    UrlError,
    host_key,
    in_scope,
    normalise,
    origin,
    page_key,
    same_page,
    site_name,
    strip_tracking,
    strip_tracking_in,
)
from storage.files import is_safe

TEXTS = st.text(max_size=60) | st.text("htps:/.%?#&=@[]{}aZ29é~\\ \t\n-_|^`'\"<>+", max_size=60)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.org", "https://example.org/"),
        ("HTTP://Example.ORG:80/a#b", "http://example.org/a"),
        ("https://example.org:443/", "https://example.org/"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        ("https://example.org/a/./b/../c", "https://example.org/a/c"),
        ("https://example.org/a/%2e%2e/%2E/b", "https://example.org/b"),
        ("https://example.org/%7euser/%c3%a9", "https://example.org/~user/%C3%A9"),
        ("https://example.org/é?q=ü", "https://example.org/%C3%A9?q=%C3%BC"),
        ("https://example.org/%2f%3f", "https://example.org/%2F%3F"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("https://[2001:DB8::0:1]/", "https://[2001:db8::1]/"),
        (" \thttps://exam\nple.org/a\r\n", "https://example.org/a"),
        ("https:\\\\example.org\\a", "https://example.org/a"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("https://example.org/?", "https://example.org/"),
        ("https://example.org/a//b", "https://example.org/a//b"),
    ],
)
def test_equal_urls_have_one_normal_form(url: str, expected: str) -> None:
    assert normalise(url) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("b.md", "https://example.org/news/b.md"),
        ("../c", "https://example.org/c"),
        ("/d", "https://example.org/d"),
        ("?p=2", "https://example.org/news/a?p=2"),
        ("//other.example/x", "https://other.example/x"),
        ("", "https://example.org/news/a"),
        ("#top", "https://example.org/news/a"),
    ],
)
def test_a_reference_is_resolved_against_its_base(url: str, expected: str) -> None:
    assert normalise(url, "https://example.org/news/a#x") == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org/a",
        "/a",
        "//example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "mailto:a@example.org",
        "data:text/html,x",
        "https://",
        "https://user@example.org/",
        "https://user:secret@example.org/",
        "https://:secret@example.org/",
        "https://exa mple.org/",
        "https://example.org:99999/",
        "https://[::1/",
        "https://1.2.3.4.5/",
        "https://example.org/\ud800",
        "https://example.org/" + "a" * MAX_URL,
        "https://example.org/" + "é" * (MAX_URL // 5),
        "https://example.org/#" + "a" * 10_000_000,
    ],
    ids=lambda url: ascii(url[:40]),
)
def test_what_cannot_be_fetched_is_no_url(url: str) -> None:
    assert normalise(url) is None


def test_a_base_that_is_no_url_gives_none() -> None:
    assert normalise("a", "nonsense") is None
    assert normalise("a", "mailto:x") is None


@example("http://a/%%37e")
@example("http://a/%2%35e")
@example("http://a/%252e%252e/")
@given(TEXTS.map(lambda text: "https://example.org/" + text) | TEXTS)
def test_the_normal_form_is_its_own(url: str) -> None:
    normal = normalise(url)
    if normal is not None:
        assert normalise(normal) == normal
        assert normal.isascii()
        assert "#" not in normal


@given(TEXTS, TEXTS)
def test_resolving_never_raises(url: str, base: str) -> None:
    found = normalise(url, "http://example.org/" + base)
    assert found is None or found.startswith(("http://", "https://"))


#: Text close to the border between what is in normal form and what only looks so.
NEARLY = st.builds(
    lambda scheme, host, rest: f"{scheme}://{host}{rest}",
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    st.sampled_from(
        [
            *("a.example", "A.example", "127.0.0.1", "127.1", "0x7f.1", "[::1]", "a..b", "xn--a"),
            *("a.example:80", "a.example:443", "a.example:8080", "a%2e.example", "u:p@a.example"),
            "",
        ]
    ),
    st.text("/.%2eE5fF7~aZ?&='\\#|^[]{}é \t", max_size=24),
)


@given(NEARLY)
def test_what_is_in_normal_form_at_a_glance_is_what_a_parser_makes_of_it(text: str) -> None:
    url = normalise(text)
    for base in ("https://b.example/c", "http://a.example/"):
        assert url is None or normalise(text, base) == url
    if url is None:
        return
    parsed = URL(text)
    assert (parsed.protocol, parsed.host) == (URL(url).protocol, URL(url).host)
    assert URL(url).href == url
    assert origin(url) == f"{parsed.protocol}//{parsed.host}"
    assert page_key(url).endswith(URL(url).pathname + URL(url).search)
    assert in_scope(url, origin(url))


@given(st.text("/.%2e7Ea?&#\\: ", max_size=24), st.sampled_from(["https://b.example/c/d?e", "x"]))
def test_a_reference_is_resolved_as_a_parser_resolves_it(text: str, base: str) -> None:
    url = normalise(text, base)
    if url is not None:
        again = normalise(URL(text, base).href)
        assert url == again


def test_origin_and_host_name_their_port() -> None:
    assert origin("https://example.org/a?b") == "https://example.org"
    assert origin("http://127.0.0.1:8080/a") == "http://127.0.0.1:8080"
    assert host_key("https://example.org/a") == "example.org:443"
    assert host_key("http://example.org/a") == "example.org:80"
    assert host_key("http://[::1]:8080/") == "[::1]:8080"


@pytest.mark.parametrize("url", ["", "a", "mailto:a@b.c", "/a"])
def test_what_is_promised_a_url_says_so_when_it_gets_none(url: str) -> None:
    for question in (origin, host_key, page_key, site_name):
        with pytest.raises(UrlError):
            question(url)
    with pytest.raises(UrlError):
        in_scope("https://example.org/", url)


@pytest.mark.parametrize(
    ("url", "scope", "expected"),
    [
        ("https://e.org/", "https://e.org/", True),
        ("https://e.org/a/b", "https://e.org", True),
        ("https://e.org/news", "https://e.org/news", True),
        ("https://e.org/news", "https://e.org/news/", True),
        ("https://e.org/news/a", "https://e.org/news", True),
        ("https://e.org/news?page=2", "https://e.org/news/", True),
        ("https://e.org/newsroom", "https://e.org/news", False),
        ("https://e.org/", "https://e.org/news", False),
        ("http://e.org/news", "https://e.org/news", False),
        ("https://www.e.org/news", "https://e.org/news", False),
        ("https://e.org:8443/news", "https://e.org/news", False),
        ("https://e.org.evil.example/", "https://e.org", False),
        ("https://e.org/?p=1", "https://e.org/?p=1", True),
        ("https://e.org/?p=12", "https://e.org/?p=1", False),
        ("https://e.org/News", "https://e.org/news", False),
    ],
)
def test_scope_is_a_prefix_at_segment_borders(url: str, scope: str, *, expected: bool) -> None:
    assert in_scope(url, scope) is expected


def test_scheme_and_www_make_no_other_page() -> None:
    assert same_page("http://www.e.org/a?b=1", "https://e.org/a?b=1")
    assert not same_page("https://e.org/a", "https://e.org/a/")
    assert not same_page("https://e.org/a", "https://m.e.org/a")
    assert not same_page("https://e.org:8443/a", "https://e.org/a")
    assert page_key("https://www.e.org/a") == page_key("http://e.org/a")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://e.org/a", "https://e.org/a"),
        ("https://e.org/a?utm_source=x", "https://e.org/a"),
        ("https://e.org/a?UTM_Source=x&id=3&fbclid=y#part", "https://e.org/a?id=3#part"),
        ("/a?id=3&gclid=1&x=%26", "/a?id=3&x=%26"),
        ("/a?mc_cid=1&amp;b=2", "/a?b=2"),
        ("/a?ref=home&b", "/a?ref=home&b"),
        ("/a?", "/a?"),
        ("/a#?utm_source=x", "/a#?utm_source=x"),
    ],
)
def test_tracking_parameters_are_dropped_and_nothing_else(url: str, expected: str) -> None:
    assert strip_tracking(url) == expected


def test_tracking_parameters_are_dropped_inside_text() -> None:
    text = 'See [a](/a?utm_source=x&id=3), <a href="/b?id=1&amp;fbclid=y">b</a>. Why? utm_source=z'
    cut = 'See [a](/a?id=3), <a href="/b?id=1">b</a>. Why? utm_source=z'
    assert strip_tracking_in(text) == cut
    assert strip_tracking_in(cut) == cut


@given(TEXTS)
def test_text_without_a_question_mark_is_kept(text: str) -> None:
    plain = text.replace("?", "")
    assert strip_tracking_in(plain) == plain


@given(st.lists(st.sampled_from(["?", "a", "=", "&", "utm_x=1", " ", "\u2003", "#", ")", "é"])))
def test_a_query_in_text_follows_a_character(pieces: list[str]) -> None:
    text = "".join(pieces)
    slow = re.sub(r"(?<=[^\s?])\?[^\s#<>\"')\]]+", lambda found: strip_tracking(found[0]), text)
    assert strip_tracking_in(text) == slow


@pytest.mark.parametrize("hostile", ["a?" * 200_000, "a?" + "&" * 400_000, "?" * 400_000])
def test_a_megabyte_of_question_marks_is_read_once(hostile: str) -> None:
    assert strip_tracking_in(hostile) == hostile


@pytest.mark.parametrize(
    ("scope", "name"),
    [
        ("https://wpnews.pro/", "wpnews.pro"),
        ("http://127.0.0.1:8080/", "127.0.0.1+8080"),
        ("http://[::1]:8080/", "[--1]+8080"),
        ("https://example.org/news/", "example.org~news"),
        ("https://example.org/news/eu", "example.org~news~eu"),
        ("https://example.org/a~b", "example.org~a%7Eb"),
        ("https://example.org/%C3%A9", "example.org~%C3%A9"),
    ],
)
def test_a_site_is_named_after_its_scope(scope: str, name: str) -> None:
    assert site_name(scope) == name


def test_sites_that_a_file_system_would_mix_up_have_two_names() -> None:
    scopes = [
        "https://e.org/news",
        "https://e.org/News",
        "https://e.org/" + "n" * 300,
        "https://e.org/" + "n" * 301,
        "https://con/",
        "https://nul.example/a",
        "https://nul.example/A",
        "https://.hidden.example/",
        "https://-rf.example/",
        "https://../",
    ]
    names = [site_name(scope) for scope in scopes]
    assert len({name.lower() for name in names}) == len(scopes)
    assert all(is_safe(name) for name in names)
    assert site_name(scopes[0], distinct=True) != site_name(scopes[0])


@given(TEXTS)
def test_every_site_name_is_one_safe_directory(text: str) -> None:
    scope = normalise("https://example.org/" + text) or normalise("https://" + text + ".example/")
    if scope is not None:
        name = site_name(scope)
        assert "/" not in name
        assert is_safe(name)
        assert len(name) < 200
        assert name.isascii()


@pytest.mark.parametrize("rest", ["../x", "%2e%2E/x", "a/..//../../x", "..\\x", ".\t./x"])
def test_what_only_begins_as_the_scope_does_is_not_in_it(rest: str) -> None:
    assert not in_scope(f"https://example.org/news/{rest}", "https://example.org/news/")


@pytest.mark.parametrize("url", ["ftp://example.org/", "news://[::1]/", "a://example.org/x"])
def test_what_is_no_web_url_has_no_origin(url: str) -> None:
    with pytest.raises(UrlError):
        origin(url)
