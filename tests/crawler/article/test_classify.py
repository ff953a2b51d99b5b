"""Article or page of links: which evidence decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.article.classify import (
    ARTICLE_TYPES,
    ENOUGH_TEXT,
    PAGE_TYPES,
    Verdict,
    classify,
    is_root,
    needs_record,
)
from crawler.facts import Evidence, Facts

URL = "https://news.example/2026/bridge"
ROOT = "https://news.example/"
LONG: dict[str, Any] = {"text_length": 2 * ENOUGH_TEXT, "has_heading": True}


def page(**evidence: Any) -> Facts:
    return Facts(source="html", extractor="html/1", evidence=Evidence(**evidence))


def verdict(html: Facts, *formats: str, url: str = URL, **said: Any) -> Verdict:
    return classify(url, html, text_formats=frozenset(formats), **said)


@pytest.mark.parametrize("name", ["newsarticle", "blogposting", "article", "techarticle", "post"])
def test_what_its_publisher_calls_an_article_is_one(name: str) -> None:
    assert verdict(page(type=name, type_source="JSON-LD")).article


@pytest.mark.parametrize("name", ["website", "collectionpage", "profilepage", "page", "category"])
def test_what_its_publisher_calls_a_page_is_none_whatever_else_it_has(name: str) -> None:
    assert not verdict(page(type=name, **LONG), "markdown").article


def test_no_name_is_both() -> None:
    assert not ARTICLE_TYPES & PAGE_TYPES


def test_names_are_in_the_case_they_are_compared_in() -> None:
    assert all(name == name.lower() for name in ARTICLE_TYPES | PAGE_TYPES)


def test_the_verdict_says_who_called_it_what() -> None:
    said = verdict(page(type="newsarticle", type_source="its JSON-LD"))
    assert said.why == "its JSON-LD calls it newsarticle"


def test_the_front_page_is_no_article_whatever_it_calls_itself() -> None:
    assert not verdict(page(type="newsarticle", **LONG), "markdown", url=ROOT).article
    assert not verdict(page(**LONG), url=f"{ROOT}?page=2").article


def test_a_post_addressed_by_query_alone_is_an_article_where_its_own_record_says_so() -> None:
    post, url = page(type="post", type_source="its page", **LONG), f"{ROOT}?p=8"
    assert needs_record(url, post, frozenset({"json"}))
    assert verdict(post, url=url, json_type="post", json_url=url).article
    assert not verdict(post, url=url, json_type="post", json_url=f"{ROOT}?p=9").article
    assert not verdict(post, url=url, json_type="page", json_url=url).article


@pytest.mark.parametrize(
    ("kind", "needed"), [("category", False), ("page", False), ("website", True), ("", True)]
)
def test_no_record_is_asked_for_where_the_page_names_its_kind(kind: str, *, needed: bool) -> None:
    assert needs_record(URL, page(type=kind), frozenset({"json"})) is needed


def test_the_record_tells_a_post_under_many_cards_from_a_list() -> None:
    post = page(type="post", article_elements=5)
    assert needs_record(URL, post, frozenset({"json"}))
    assert verdict(post, json_type="post", json_url=URL).article


def test_a_records_list_vouches_for_everything_it_names() -> None:
    assert verdict(page(type="website"), url=ROOT, named=True).article
    assert verdict(
        Facts(source="markdown", extractor="markdown/1", title="A title"), named=True
    ).article


def test_a_text_format_without_a_page_is_an_article() -> None:
    assert verdict(Facts(source="markdown", extractor="markdown/1", title="A title")).article


def test_the_json_record_tells_a_post_from_an_archive() -> None:
    assert verdict(page(paginated=True), json_type="post").article
    assert not verdict(page(**LONG), "markdown", json_type="category").article
    assert not verdict(page(type="newsarticle"), json_type="page").article


def test_a_kind_of_the_sites_own_making_leaves_it_to_the_page() -> None:
    assert verdict(page(**LONG), json_type="longread").article
    assert not verdict(page(), json_type="longread").article


@pytest.mark.parametrize("more", ["/2", "/page/2/", "/page-2", "?page=2", "/comment-page-1/"])
def test_a_further_page_of_an_article_is_none_of_its_own(more: str) -> None:
    said = verdict(page(type="article", **LONG), url=URL + more, json_type="post", json_url=URL)
    assert (said.article, said.why) == (False, f"it is a further page of {URL}")


@pytest.mark.parametrize("other", ["", "/", "/harbour", "s/2", "?id=2", "/2/comments"])
def test_another_url_than_the_records_is_no_further_page(other: str) -> None:
    assert verdict(page(), url=URL + other, json_type="post", json_url=URL).article


def test_a_text_alternate_of_its_own_makes_an_article() -> None:
    said = verdict(page(), "text", "markdown")
    assert said == Verdict(article=True, why="it has an own markdown, text alternate")


@pytest.mark.parametrize(
    "listing", [{"own_feed": True}, {"paginated": True}, {"article_elements": 2}]
)
def test_a_listing_is_none_though_it_has_text_formats(listing: dict[str, Any]) -> None:
    assert not verdict(page(**listing, **LONG), "markdown").article


def test_an_article_that_has_a_comment_feed_or_teasers_is_still_one() -> None:
    assert verdict(page(type="article", own_feed=True, article_elements=1)).article
    assert verdict(page(type="article", paginated=True)).article


def test_a_template_that_calls_its_listings_articles_is_not_believed() -> None:
    assert not verdict(page(type="article", article_elements=10)).article


def test_enough_text_under_a_heading_is_an_article() -> None:
    assert verdict(page(text_length=ENOUGH_TEXT, has_heading=True)).article


@pytest.mark.parametrize(
    "lack",
    [{"text_length": ENOUGH_TEXT - 1}, {"has_heading": False}, {"link_text_length": ENOUGH_TEXT}],
)
def test_text_that_is_short_linked_or_without_heading_is_none(lack: dict[str, Any]) -> None:
    assert not verdict(page(**(LONG | lack))).article


@pytest.mark.parametrize(
    ("url", "root"),
    [
        (ROOT, True),
        ("https://news.example", True),
        (f"{ROOT}?p=12", True),
        ("https://news.example:8080/", True),
        (URL, False),
        (f"{ROOT}index.html", False),
    ],
)
def test_the_root_is_the_empty_path(url: str, root: bool) -> None:
    assert is_root(url) is root


def test_the_record_is_needed_only_where_the_page_names_no_article() -> None:
    assert needs_record(URL, page(), frozenset({"json"}))
    assert needs_record(URL, page(type="website"), frozenset({"json", "markdown"}))
    assert not needs_record(URL, page(type="newsarticle"), frozenset({"json"}))
    assert not needs_record(URL, page(type="collectionpage"), frozenset({"json"}))
    assert not needs_record(URL, page(), frozenset({"markdown"}))


def test_the_record_is_needed_where_an_article_may_be_a_further_page() -> None:
    assert needs_record(f"{URL}/2", page(type="newsarticle"), frozenset({"json"}))
    assert not needs_record(f"{URL}/2", page(type="newsarticle"), frozenset({"text"}))
    assert not needs_record(f"{URL}/2", page(type="collectionpage"), frozenset({"json"}))


@settings(deadline=None)
@given(
    st.builds(
        Evidence,
        type=st.sampled_from(["", "post", "website", "product"]),
        text_length=st.integers(0, 2000),
        link_text_length=st.integers(0, 2000),
        article_elements=st.integers(0, 3),
        has_heading=st.booleans(),
        paginated=st.booleans(),
        own_feed=st.booleans(),
    ),
    st.frozensets(st.sampled_from(["markdown", "text", "jsonld"])),
)
def test_every_verdict_gives_its_reason(evidence: Evidence, formats: frozenset[str]) -> None:
    html = Facts(source="html", extractor="html/1", evidence=evidence)
    assert classify(URL, html, text_formats=formats).why


def test_a_picture_under_a_link_is_no_article() -> None:
    picture = Facts(source="other", extractor="other/1")
    assert not verdict(picture).article
    assert verdict(picture, named=True).article


def test_a_json_answer_without_title_or_words_is_no_article() -> None:
    assert not verdict(Facts(source="json", extractor="json/1")).article
