"""Canonical links: an attribute and an edge, which has to prove itself to be an identity."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.article.identity import Likeness, conflicts, likeness, proves, read_canonical
from crawler.facts import Facts, Link
from tests.crawler.readings import SourceName, says

URL = "https://news.example/2026/bridge"
OTHER = "https://news.example/2026/bridges"
ROOT = "https://news.example/"
FOREIGN = "https://origin.example/bridge"


def claims(source: SourceName, canonical: str | None, **changes: Any) -> dict[str, Facts]:
    return {source: says(source, canonical=canonical, **changes)}


def header(url: str) -> Link:
    return Link(rel="canonical", url=url, declared_by="header")


def like(url: str = OTHER, **changes: Any) -> Likeness:
    values: dict[str, Any] = {"canonical": url, "title": "The bridge", "words": "It is closed."}
    return Likeness(url=url, **(values | changes))


class TestReadCanonical:
    def test_one_on_the_same_site_is_its_own(self) -> None:
        found = read_canonical(claims("html", OTHER), URL)
        assert (found.own, found.source, found.claims) == (OTHER, None, {"html": OTHER})

    @pytest.mark.parametrize("more", ["/comment-page-3/", "/2/", "?page=2"])
    def test_an_articles_further_page_is_never_its_canonical(self, more: str) -> None:
        found = read_canonical(claims("html", URL + more), URL)
        assert (found.own, found.claims) == (None, {"html": URL + more})
        assert conflicts(found, URL) == ("html",)

    def test_one_on_another_host_is_an_edge_and_never_the_identity(self) -> None:
        found = read_canonical(claims("html", FOREIGN), URL)
        assert (found.own, found.source, found.claims) == (None, FOREIGN, {"html": FOREIGN})

    @pytest.mark.parametrize(
        "same", ["http://news.example/a", "https://www.news.example/a", "http://www.news.example/a"]
    )
    def test_scheme_and_www_make_no_other_site(self, same: str) -> None:
        assert read_canonical(claims("html", same), URL).own == same

    @pytest.mark.parametrize(
        "foreign",
        [
            "https://news.example:8443/a",
            "https://cdn.news.example/a",
            "https://news.example.org/a",
            "https://wwwnews.example/a",
        ],
    )
    def test_another_port_or_name_is_another_host(self, foreign: str) -> None:
        found = read_canonical(claims("html", foreign), URL)
        assert (found.own, found.source) == (None, foreign)

    def test_nobody_says_anything(self) -> None:
        found = read_canonical({"html": says("html")}, URL)
        assert (found.own, found.source, found.claims) == (None, None, {})

    def test_every_declarer_is_kept_with_what_it_said(self) -> None:
        facts = claims("html", OTHER, links=(header(ROOT),)) | claims("jsonld", URL)
        found = read_canonical(facts, URL)
        assert found.claims == {"html": OTHER, "header": ROOT, "jsonld": URL}

    def test_the_page_is_believed_before_the_header_and_the_record(self) -> None:
        facts = claims("json", URL) | claims("html", OTHER, links=(header(ROOT),))
        assert read_canonical(facts, URL).own == OTHER
        assert read_canonical(claims("json", URL, links=(header(ROOT),)), URL).own == ROOT

    def test_other_links_claim_nothing(self) -> None:
        other = Link(rel="alternate", url=OTHER, declared_by="header")
        assert read_canonical({"html": says("html", links=(other,))}, URL).claims == {}

    def test_a_declarer_that_contradicts_itself_is_taken_by_its_first_word(self) -> None:
        facts = {"html": says("html", links=(header(OTHER), header(ROOT)))}
        assert read_canonical(facts, URL).claims == {"header": OTHER}

    def test_an_own_and_a_foreign_one_stand_side_by_side(self) -> None:
        found = read_canonical(claims("html", URL) | claims("jsonld", FOREIGN), URL)
        assert (found.own, found.source) == (URL, FOREIGN)

    def test_a_stated_original_is_the_edge(self) -> None:
        found = read_canonical({"json": says("json", canonical_source=FOREIGN)}, URL)
        assert (found.own, found.source, found.claims) == (None, FOREIGN, {})

    def test_the_record_names_the_original_before_the_page_does(self) -> None:
        third = "https://third.example/x"
        facts = {
            "html": says("html", canonical=third, canonical_source=third),
            "json": says("json", canonical_source=FOREIGN),
        }
        assert read_canonical(facts, URL).source == FOREIGN

    def test_an_original_on_the_same_site_is_none_and_hides_none(self) -> None:
        facts = {
            "json": says("json", canonical_source=OTHER),
            "html": says("html", canonical_source=FOREIGN),
        }
        assert read_canonical(facts, URL).source == FOREIGN
        assert read_canonical({"json": says("json", canonical_source=OTHER)}, URL).source is None

    def test_an_original_that_is_no_url_is_passed_over(self) -> None:
        found = read_canonical(claims("html", FOREIGN, canonical_source="Reuters"), URL)
        assert found.source == FOREIGN


class TestConflicts:
    def test_those_that_name_another_own_url_are_named(self) -> None:
        facts = claims("html", URL, links=(header(ROOT),)) | claims("jsonld", OTHER)
        assert conflicts(read_canonical(facts, URL), URL) == ("header", "jsonld")

    def test_the_one_that_was_taken_is_no_conflict_wherever_it_was_found(self) -> None:
        facts = claims("html", OTHER) | claims("json", URL)
        assert conflicts(read_canonical(facts, URL), URL) == ("json",)

    def test_one_that_all_agree_on_is_none(self) -> None:
        facts = claims("html", URL) | claims("json", URL)
        assert conflicts(read_canonical(facts, URL), URL) == ()

    def test_scheme_www_and_foreign_edges_are_no_conflict(self) -> None:
        facts = claims("html", URL) | claims("json", "http://www.news.example/2026/bridge")
        facts |= claims("jsonld", FOREIGN)
        assert conflicts(read_canonical(facts, URL), URL) == ()


class TestProves:
    def test_the_same_title_proves_it(self) -> None:
        assert proves(like(URL, canonical=OTHER), like(words="Other words"))

    def test_the_same_words_prove_it(self) -> None:
        assert proves(like(URL, canonical=OTHER), like(title="Other title"))

    def test_another_article_does_not(self) -> None:
        assert not proves(like(URL), like(title="Other title", words="Other words"))

    def test_nothing_said_matches_nothing(self) -> None:
        assert not proves(like(URL, title="", words=""), like(title="", words=""))

    def test_a_target_that_names_yet_another_url_does_not(self) -> None:
        assert not proves(like(URL), like(canonical=ROOT))

    def test_a_target_that_names_nothing_or_itself_in_other_words_does(self) -> None:
        assert proves(like(URL), like(canonical=None))
        assert proves(like(URL), like(canonical=OTHER.replace("https://", "http://www.")))

    def test_a_template_that_makes_every_canonical_the_front_page_proves_nothing(self) -> None:
        front = like(ROOT, title="News", words="Bridge. Harbour. Weather.")
        assert not proves(like(URL, canonical=ROOT), front)

    def test_not_even_where_it_gives_every_page_one_title(self) -> None:
        front = like(ROOT, words="Bridge. Harbour. Weather.")
        assert not proves(like(URL, canonical=ROOT), front)

    def test_the_front_page_under_another_name_is_proven_by_its_words(self) -> None:
        assert proves(like(f"{ROOT}index.html", canonical=ROOT), like(ROOT))

    def test_likeness_is_of_title_and_main_text_but_for_white_space_and_form(self) -> None:
        here = likeness(URL, says("html", body="Caf\u00e9  shut\n", title=" The\nbridge "), OTHER)
        there = likeness(OTHER, says("html", body="Cafe\u0301 shut", title="The bridge"), None)
        assert (here.url, here.canonical) == (URL, OTHER)
        assert (here.title, here.words) == (there.title, there.words) == ("The bridge", "Café shut")


@settings(deadline=None)
@given(st.text(max_size=20), st.text(max_size=20))
def test_a_page_always_proves_itself_if_it_says_anything(title: str, words: str) -> None:
    page = likeness(URL, says("html", body=words, title=title), URL)
    assert proves(page, page) is bool(page.title or page.words)
