"""Pages that say "not here" with status 200, told by their words."""

from __future__ import annotations

from crawler.article.soft_404 import SAME_BODIES, Shams, fingerprint, is_dated, made_up, shown
from tests.crawler.readings import T0, says

URL = "https://news.example/not-a-page-at-all"


def test_one_text_is_a_sham_from_the_fifth_entry_on_and_queries_count_once() -> None:
    shams: Shams[int] = Shams()
    for number in range(20):
        assert not shams.count("w", f"https://news.example/a?page={number}")
    turned = [shams.count("w", f"https://news.example/{n}") for n in range(SAME_BODIES)]
    assert turned == [False] * (SAME_BODIES - 2) + [True, False]
    assert shams.is_sham("w")
    assert not shams.is_sham("")


def test_what_is_held_comes_back_once_and_the_lonely_first_where_there_is_no_room() -> None:
    shams: Shams[int] = Shams(room=3)
    assert [shams.hold(w, n) for n, w in enumerate("aab")] == [[], [], []]
    assert shams.hold("c", 3) == [2]
    assert shams.take("a") == [0, 1]
    assert shams.take("a") == []
    assert shams.rest() == [3]
    assert shams.rest() == []


def test_a_page_that_repeats_the_url_asked_for_says_the_same_as_any_other() -> None:
    def page(url: str) -> str:
        name = url.rpartition("/")[2]
        return fingerprint(says("html", body=f"Nothing at {url}. No  {name} here."), url)

    assert page(URL) == page("https://news.example/2026/some-other-name")
    assert page(URL) != fingerprint(says("html", body="Nothing."), URL)
    assert fingerprint(says("html", body=None, title=None), URL) == ""


def test_a_date_is_what_error_pages_lack() -> None:
    assert is_dated([says("html"), says("markdown", T0)])
    assert not is_dated([says("html")])


def test_people_see_the_page() -> None:
    html, text = says("html"), says("text")
    assert shown({"text": text, "html": html}) is html
    assert shown({"text": text}) is text
    assert shown({}) is None


def test_a_made_up_url_is_under_the_scope_and_the_same_all_run() -> None:
    scope = "https://news.example/section"
    assert made_up(scope, "r").startswith(f"{scope}/")
    assert made_up(scope, "r") == made_up(scope, "r") != made_up(scope, "s")
