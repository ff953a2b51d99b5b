"""The names of a site's articles: what leads where, from earlier runs and from this one."""

from __future__ import annotations

from crawler.article.names import SiteNames

BASE = "https://site.example"


def test_an_article_of_an_earlier_run_is_found_by_its_url_and_its_aliases() -> None:
    names = SiteNames({"a": f"{BASE}/a"}, {f"{BASE}/old": "a"})
    assert [names.known_at(f"{BASE}/{name}") for name in ("a", "old", "b")] == ["a", "a", ""]
    assert [names.article_at(f"{BASE}/{name}") for name in ("a", "old")] == ["a", ""]
    assert names.leads_to(f"{BASE}/old", "a")
    assert not names.leads_to(f"{BASE}/b", "")


def test_one_found_in_this_run_leads_to_its_slug_and_is_not_known() -> None:
    names = SiteNames()
    names.give("a", {f"{BASE}/a", f"{BASE}/p"})
    assert [names.slug_at(f"{BASE}/{name}") for name in ("a", "p", "b")] == ["a", "a", ""]
    assert f"{BASE}/p" in names
    assert not names.has_known
    assert names.known_at(f"{BASE}/a") == ""


def test_what_leads_to_an_article_goes_on_leading_there() -> None:
    names = SiteNames({"a": f"{BASE}/a"})
    names.give("b", {f"{BASE}/a"})
    assert names.slug_at(f"{BASE}/a") == "a"
    names.lead(f"{BASE}/a", "b")
    assert names.slug_at(f"{BASE}/a") == "b"


def test_one_that_moved_is_at_its_new_place_alone() -> None:
    names = SiteNames({"/a": f"{BASE}/a"})
    names.move("/a", f"{BASE}/b")
    names.lead(f"{BASE}/b", "/a")
    assert names.place("/a") == f"{BASE}/b"
    assert [names.article_at(f"{BASE}/{name}") for name in ("a", "b")] == ["", "/a"]
    assert names.place("/b") == ""
