"""Declared formats: the union of what every declarer says, one URL a format."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.declared import (
    DECLARERS,
    MAX_FORMATS,
    Declared,
    bare_key,
    declared_formats,
    hinted_links,
    is_twin,
    page_urls,
    pages_of,
    probe_urls,
    twin_key,
    twins_of,
)
from crawler.facts import Link
from crawler.urls import origin

URL = "https://news.example/2026/bridge"
TYPES = {"markdown": "text/markdown", "text": "text/plain", "jsonld": "application/ld+json"}


def link(name: str, url: str, by: str = "html", rel: str = "alternate") -> Link:
    return Link(rel=rel, url=url, type=TYPES[name], declared_by=by)


class TestDeclaredFormats:
    def test_it_is_the_union_over_all_declarers(self) -> None:
        found = declared_formats(
            [link("markdown", f"{URL}.md"), link("jsonld", f"{URL}.jsonld", "header")]
        )
        assert list(found) == ["markdown", "jsonld"]
        assert found["jsonld"] == Declared(
            format="jsonld",
            url=f"{URL}.jsonld",
            type="application/ld+json",
            declared_by=("header",),
        )

    @pytest.mark.parametrize("number", range(len(DECLARERS) - 1))
    def test_where_two_differ_the_order_of_declarers_decides(self, number: int) -> None:
        good, bad = DECLARERS[number : number + 2]
        links = [link("markdown", f"{URL}/bad", bad), link("markdown", f"{URL}/good", good)]
        found = declared_formats(links)["markdown"]
        assert (found.url, found.declared_by) == (f"{URL}/good", (good,))

    def test_an_unknown_declarer_comes_last(self) -> None:
        links = [link("text", f"{URL}/x", "somebody"), link("text", f"{URL}/y", "probe")]
        assert declared_formats(links)["text"].url == f"{URL}/y"

    def test_all_who_name_the_taken_url_are_kept_once(self) -> None:
        links = [link("text", f"{URL}.txt", by) for by in ("header", "html", "header")]
        links.append(link("text", f"{URL}/other", "json"))
        assert declared_formats(links)["text"].declared_by == ("header", "html")

    def test_only_alternates_are_formats(self) -> None:
        assert declared_formats([link("markdown", URL, rel="canonical")]) == {}

    def test_feeds_and_other_languages_are_none(self) -> None:
        feed = Link(rel="alternate", url=URL, type="application/rss+xml", declared_by="html")
        german = Link(rel="alternate", url=URL, type="text/html", hreflang="de", declared_by="html")
        assert declared_formats([feed, german]) == {}

    def test_there_are_at_most_so_many(self) -> None:
        links = [
            Link(rel="alternate", url=f"{URL}/{n}", type=f"application/x-{n}", declared_by="html")
            for n in range(MAX_FORMATS + 5)
        ]
        assert len(declared_formats(links)) == MAX_FORMATS
        again = Link(rel="alternate", url=f"{URL}/0", type="application/x-0", declared_by="header")
        first = next(iter(declared_formats([*links, again]).values()))
        assert first.declared_by == ("html", "header")


class TestHintedLinks:
    def test_a_records_alternates_are_typed_links(self) -> None:
        given = {"html": URL, "markdown": f"{URL}.md", "json": f"{URL}.json"}
        links = hinted_links(given, "records-file")
        assert {each.type for each in links} == {"text/html", "text/markdown", "application/json"}
        found = declared_formats(links)
        assert {name: each.url for name, each in found.items()} == given
        assert {each.declared_by for each in found.values()} == {("records-file",)}

    def test_no_urls_and_unknown_names_are_left_out(self) -> None:
        given = {"markdown": "not a URL", "text": "ftp://news.example/a", "audio": f"{URL}.mp3"}
        assert hinted_links(given, "records-file") == ()


class TestProbes:
    @pytest.mark.parametrize("page", [URL, f"{URL}.html", f"{URL}.htm", f"{URL}?utm_source=x"])
    def test_suffixes_stand_where_the_pages_own_stood(self, page: str) -> None:
        assert probe_urls(page)[:3] == (
            ("markdown", f"{URL}.md"),
            ("text", f"{URL}.txt"),
            ("jsonld", f"{URL}.jsonld"),
        )

    def test_a_folder_is_asked_for_under_its_name_and_its_index(self) -> None:
        urls = [url for _, url in probe_urls(f"{URL}/")]
        assert urls[0] == f"{URL}.md"
        assert urls[3] == f"{URL}/index.md"

    @pytest.mark.parametrize(
        ("page", "twin"),
        [(f"{URL}.html", f"{URL}.html.md"), (f"{URL}/", f"{URL}/index.html.md")],
    )
    def test_llms_txts_own_way_comes_last(self, page: str, twin: str) -> None:
        assert probe_urls(page)[-1] == ("markdown", twin)
        assert twin_key(twin) == twin_key(page)
        assert page_urls(twin) == (("whole", page),)

    @pytest.mark.parametrize("root", ["https://news.example/", "https://news.example//"])
    def test_a_front_pages_suffix_never_falls_to_its_host(self, root: str) -> None:
        assert {origin(url) for _, url in probe_urls(root)} == {"https://news.example"}
        assert ("markdown", f"{root}index.md") in probe_urls(root)


class TestTwins:
    @pytest.mark.parametrize(
        "name",
        ["a/b", "a/b/", "a/b.md", "a/b.txt", "a/b.jsonld", "a/b.json", "a/b.html", "a/b.htm"],
    )
    def test_a_page_and_its_twins_share_a_key(self, name: str) -> None:
        home = "https://news.example/"
        assert twin_key(home + name) == twin_key(f"{home}a/b/index.md") == twin_key(f"{home}a/b")

    @pytest.mark.parametrize(
        ("twin", "pages"),
        [
            (f"{URL}.md", [URL, f"{URL}.html", f"{URL}/"]),
            (f"{URL}.txt?v=1", [URL, f"{URL}.html", f"{URL}/"]),
            (f"{URL}/index.md", [f"{URL}/", f"{URL}/index.html"]),
            (URL, []),
            (f"{URL}.html", []),
        ],
    )
    def test_a_twins_page_is_looked_for_at_its_name(self, twin: str, pages: list[str]) -> None:
        assert [url for _, url in page_urls(twin)] == pages
        assert {twin_key(page) for page in pages} <= {twin_key(twin.partition("?")[0])}

    def test_others_do_not(self) -> None:
        names = ["a", "b.md", "a/b.md", "a.md?page=2", "index/a", "amd", "a.pdf"]
        assert len({twin_key(f"https://news.example/{name}") for name in names}) == len(names)

    @pytest.mark.parametrize(
        ("name", "twin"),
        [
            ("a.md", True),
            ("a.txt", True),
            ("a.jsonld", True),
            ("a.md?x=1", True),
            ("a", False),
            ("a.html", False),
            ("a?file=b.md", False),
            ("amd", False),
        ],
    )
    def test_a_twin_is_known_by_its_paths_ending(self, name: str, twin: bool) -> None:
        assert is_twin(f"https://news.example/{name}") is twin


PATHS = st.lists(st.sampled_from(["a", "b.html", "index.html", "", "c.md"]), max_size=4).map(
    "/".join
)


@settings(deadline=None)
@given(PATHS)
def test_a_probe_stays_on_its_host_and_is_a_twin_of_its_page(path: str) -> None:
    page = f"https://news.example/{path}"
    for _, url in probe_urls(page):
        assert origin(url) == "https://news.example"
        assert is_twin(url)


@pytest.mark.parametrize("page", ["/a", "/a/", "/a.html", "/a.htm", "/a/index.html", "/a?b=1"])
def test_a_page_and_its_twins_lead_to_each_other(page: str) -> None:
    url = f"https://news.example{page}"
    twins = twins_of(url)
    assert all(is_twin(twin) and twin_key(twin) == twin_key(url) for twin in twins)
    assert all(url in pages_of(twin) and twin not in pages_of(twin) for twin in twins)


ENDINGS = st.lists(
    st.sampled_from(["/index", "/", ".html", ".htm", ".md", ".txt", ".json", ".jsonld", "/a"]),
    max_size=5,
).map("".join)


@settings(deadline=None)
@given(ENDINGS, st.sampled_from(["", "?b=1", "?f=c.md"]))
def test_a_page_and_its_twins_have_one_bare_key(path: str, query: str) -> None:
    page = f"https://news.example/a{path}{query}"
    assert {bare_key(twin) for twin in twins_of(page)} == {bare_key(page)}
