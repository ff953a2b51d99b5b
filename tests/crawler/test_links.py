"""Link header fields as RFC 8288 has them, and which links are feeds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Link
from crawler.links import (
    MAX_HEADER,
    MAX_LINKS,
    is_comment_feed,
    is_feed,
    media_type,
    parse_link_header,
)

BASE = "https://example.org/news/a"


def alternate(url: str = "https://example.org/x", **fields: str) -> Link:
    return Link(rel=fields.pop("rel", "alternate"), url=url, declared_by="html", **fields)


def urls(*values: str) -> list[str]:
    return [link.url for link in parse_link_header(values, BASE)]


def test_reads_wordpress_links() -> None:
    post = '<https://example.org/wp-json/wp/v2/posts/1>; rel="alternate"; title="JSON"'
    links = parse_link_header(
        [
            '<https://example.org/wp-json/>; rel="https://api.w.org/"',
            post + '; type="application/json", <https://example.org/?p=1>; rel=shortlink',
        ],
        BASE,
    )
    assert [(link.rel, link.url) for link in links] == [
        ("https://api.w.org/", "https://example.org/wp-json/"),
        ("alternate", "https://example.org/wp-json/wp/v2/posts/1"),
        ("shortlink", "https://example.org/?p=1"),
    ]
    assert (links[1].type, links[1].title, links[1].declared_by) == (
        "application/json",
        "JSON",
        "header",
    )


def test_resolves_targets_against_the_response() -> None:
    assert urls("<a.md>; rel=alternate, </b>; rel=x") == [
        "https://example.org/news/a.md",
        "https://example.org/b",
    ]


def test_several_relations_make_several_links() -> None:
    links = parse_link_header(['<b>; rel="NEXT  last"'], BASE)
    assert [link.rel for link in links] == ["next", "last"]


def test_quoted_values_may_hold_anything() -> None:
    links = parse_link_header(['<b>; title="a, <c>; rel=\\"x\\""; rel=next, <d>; rel=prev'], BASE)
    assert [(link.rel, link.title) for link in links] == [
        ("next", 'a, <c>; rel="x"'),
        ("prev", ""),
    ]


def test_commas_and_semicolons_in_targets_belong_to_them() -> None:
    assert urls("<b,c;d>; rel=next") == ["https://example.org/news/b,c;d"]


def test_a_quoted_value_keeps_what_is_escaped_and_a_valueless_one_is_empty() -> None:
    (link,) = parse_link_header(['< b >; rel=next; title="a \\"b\\" \\\\ c"; type'], BASE)
    assert (link.url, link.title, link.type) == ("https://example.org/news/b", 'a "b" \\ c', "")


def test_garbage_in_quotes_is_passed_over_whole() -> None:
    assert urls('<b> "; rel=prev, <c>"; rel=next') == ["https://example.org/news/b"]


def test_the_first_of_a_repeated_parameter_wins() -> None:
    links = parse_link_header(["<b>; rel=next; rel=prev; type=a/b; type=c/d"], BASE)
    assert [(link.rel, link.type) for link in links] == [("next", "a/b")]


def test_extended_titles_win_over_plain_ones() -> None:
    links = parse_link_header(
        ["<b>; rel=next; title=plain; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"], BASE
    )
    assert links[0].title == "nächstes Kapitel"


@pytest.mark.parametrize("value", ["utf-8''%ff", "no-charset", "ebcdic''x", "utf-8'"])
def test_broken_extended_titles_leave_the_plain_one(value: str) -> None:
    links = parse_link_header([f"<b>; rel=next; title=plain; title*={value}"], BASE)
    assert links[0].title == "plain"


def test_an_extended_title_with_bytes_that_are_no_utf_8_is_broken() -> None:
    value = b"<b>; rel=next; title=plain; title*=UTF-8''%e2\xfa".decode(errors="surrogateescape")
    assert [link.title for link in parse_link_header([value], BASE)] == ["plain"]
    assert parse_link_header(["<b>; rel=next; title*=UTF-8''\ud800"], BASE)[0].title == ""


def test_links_of_another_context_are_not_ours() -> None:
    assert urls('<b>; rel=next; anchor="/other"') == []
    assert urls('<b>; rel=next; anchor="#part"') == ["https://example.org/news/b"]
    assert urls('<b>; rel=next; anchor=""') == ["https://example.org/news/b"]


@pytest.mark.parametrize(
    "value",
    [
        ", ,<b>; rel=next,, <c>; rel=prev",
        "<b>; rel=next garbage, <c>; rel=prev",
        "<b>;; rel=next;, <c>; =x; rel=prev",
        "rubbish <b> rel; rel=next , <c>; rel = prev",
        '<b>; rel=next "a, <x>" , <c>; rel=prev',
    ],
)
def test_broken_parts_are_skipped(value: str) -> None:
    assert [url[-1] for url in urls(value)] == ["b", "c"]


def test_links_without_relation_or_web_target_are_left_out() -> None:
    assert urls("<b>", "<mailto:a@b>; rel=author", "<http://[>; rel=next", "<b; rel=next") == []


def test_the_number_of_links_is_bounded() -> None:
    assert len(urls(", ".join(["<b>; rel=next"] * (MAX_LINKS + 5)))) == MAX_LINKS


def test_what_is_read_of_all_fields_together_is_bounded() -> None:
    full = "<https://example.org/a>; rel=next" + " " * (MAX_HEADER - 100)
    after = ["<https://example.org/b>; rel=next", " " * 200, "<https://example.org/c>; rel=next"]
    assert urls(full, *after) == ["https://example.org/a", "https://example.org/b"]


def test_as_many_links_as_are_kept_end_the_reading() -> None:
    assert len(urls(", ".join(["<a>; rel=next"] * MAX_LINKS), "<b>; rel=next")) == MAX_LINKS


def test_hostile_headers_take_linear_time() -> None:
    for piece in ('"', "<", "<a>;", "<a>;x=", '<a>;x="\\', " ", "<a>;x=\"'"):
        parse_link_header([piece * 100_000], BASE)


@settings(max_examples=200)
@given(st.text(alphabet="<>;,=\"\\ arel*'%\t", max_size=60))
def test_never_raises(value: str) -> None:
    for link in parse_link_header([value], BASE):
        assert link.url.startswith("https://")


_WRITTEN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


def written(link: Link) -> str:
    """Write a link as RFC 8288 section 3 says, every value a quoted string."""
    values = {name: getattr(link, name) for name in ("rel", "type", "hreflang", "media", "title")}
    quoted = {name: re.sub(r'(["\\\\])', r"\\\1", value) for name, value in values.items()}
    return f"<{link.url}>" + "".join(f'; {name}="{value}"' for name, value in quoted.items())


@given(
    st.lists(
        st.builds(
            Link,
            rel=st.sampled_from(["alternate", "canonical", "https://api.w.org/"]),
            url=st.sampled_from(["https://example.org/a,b;c", "https://other.example/?q=%3E"]),
            type=_WRITTEN.map(str.strip),
            hreflang=st.sampled_from(["", "de", "en-GB"]),
            media=_WRITTEN,
            title=_WRITTEN,
            declared_by=st.just("header"),
        ),
        max_size=8,
    ),
    st.booleans(),
)
def test_what_is_written_comes_back(links: list[Link], in_one: bool) -> None:
    fields = [written(link) for link in links]
    assert parse_link_header([", ".join(fields)] if in_one else fields, BASE) == tuple(links)


@pytest.mark.parametrize("filler", ["", " " * 200])
def test_a_media_type_is_read_without_case_and_parameters(filler: str) -> None:
    assert media_type(f"{filler}Text/Markdown ; charset=utf-8; a=b/c") == "text/markdown"
    assert media_type(f"{filler}markdown") == ""


def test_alternate_stylesheets_are_no_alternates() -> None:
    links = parse_link_header(['<b>; rel="alternate stylesheet"'], BASE)
    assert [link.rel for link in links] == ["stylesheet"]


@pytest.mark.parametrize(
    ("url", "title", "readers"),
    [
        ("https://a.example/comments/feed/", "", True),
        ("https://a.example/one/feed/", "One Comments Feed", True),
        ("https://a.example/feed/", "News", False),
        ("https://a.example/commentary/feed/", "", False),
    ],
)
def test_feeds_of_readers_comments(url: str, title: str, *, readers: bool) -> None:
    link = Link(rel="alternate", url=url, title=title, declared_by="html")
    assert is_comment_feed(link) is readers


def test_feeds_by_type_and_by_path() -> None:
    assert is_feed(alternate(type="application/atom+xml"))
    assert is_feed(alternate("https://example.org/feed/", type="application/xml"))
    assert is_feed(alternate("https://example.org/feed/", rel="feed"))
    assert not is_feed(alternate("https://example.org/data.xml", type="application/xml"))
    assert not is_feed(alternate(type="text/html"))
    assert not is_feed(alternate("https://example.org/feed/"))
    assert not is_feed(alternate("https://example.org/feed/", rel="feed", type="text/html"))
    assert not is_feed(alternate(rel="next", type="application/atom+xml"))
