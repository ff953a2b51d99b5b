"""Questions to the index: each has one answer, whatever order things arrived in."""

from __future__ import annotations

from pathlib import Path

from storage.index.queries import (
    all_history,
    all_sites,
    article_events,
    at_urls,
    history,
    lately,
    named,
    newest_all,
    record_place,
    site_aliases,
    site_slugs,
    site_status,
)
from storage.model import Lately
from tests.storage.drafts import (
    SEEN,
    SITE,
    UPDATED,
    article,
    event,
    hour,
    keep,
    open_store,
    segments_of,
    stored,
)
from tests.storage.index.made import asking

OTHER = "other.example"
URL = f"https://{SITE}/news/story"


def test_newest_is_the_highest_sequence_though_its_moment_is_older(tmp_path: Path) -> None:
    stored(tmp_path, article(seen=hour(5)))
    stored(tmp_path, article(edition=" again", seen=hour(1), reason="edit"))
    with asking(tmp_path) as index:
        (row,) = newest_all(index, None, canonicals=False, at=None, since=None)
        assert (row.sequence, row.observed_at) == (2, hour(1))
        assert [one.sequence for one in history(index, SITE, "story")] == [1, 2]


def test_newest_at_a_moment_is_the_last_one_seen_by_then_inclusive(tmp_path: Path) -> None:
    stored(tmp_path, article(seen=hour(1)))
    stored(tmp_path, article(edition=" again", seen=hour(3), reason="edit"))
    with asking(tmp_path) as index:
        found = {
            at: [r.sequence for r in newest_all(index, None, canonicals=False, at=at, since=None)]
            for at in (hour(0), hour(1), hour(2), hour(3))
        }
    assert found == {hour(0): [], hour(1): [1], hour(2): [1], hour(3): [2]}


def test_an_article_is_not_gone_any_more_once_it_was_seen_again(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("gone", seen=hour(1)))
    with asking(tmp_path) as index:
        (row,) = newest_all(index, None, canonicals=False, at=None, since=None)
        assert row.gone_at == hour(1)
        (before,) = newest_all(index, None, canonicals=False, at=hour(0), since=None)
        assert before.gone_at is None
    stored(tmp_path, article(edition=" back", seen=hour(2), reason="edit"))
    with asking(tmp_path) as index:
        (row,) = newest_all(index, None, canonicals=False, at=None, since=None)
        assert row.gone_at is None


def test_captured_originals_are_shown_where_they_are_asked_for(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("original", site=OTHER, implicit=True))
    with asking(tmp_path) as index:
        for canonicals, slugs in ((False, ["story"]), (True, ["story", "original"])):
            found = newest_all(index, None, canonicals=canonicals, at=None, since=None)
            assert [row.slug for row in found] == slugs
            rows = all_history(index, None, canonicals=canonicals)
            assert [row.slug for row in rows] == slugs
        assert [site.implicit for site in all_sites(index)] == [False, True]


def test_events_stand_beside_snapshots_in_one_sequence(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("gone-seen"), event("returned"))
    with asking(tmp_path) as index:
        rows = article_events(index, SITE, "story")
        assert [(row.sequence, row.event) for row in rows] == [(2, "gone-seen"), (3, "returned")]


def test_a_slug_is_looked_for_on_every_site_or_on_one(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(site=OTHER), article("another"))
    with asking(tmp_path) as index:
        assert named(index, "story", None) == {(SITE, "story"), (OTHER, "story")}
        assert named(index, "story", OTHER) == {(OTHER, "story")}
        assert named(index, "nothing", None) == set()


def test_a_url_is_the_articles_its_aliases_or_a_formats(tmp_path: Path) -> None:
    alias = f"https://{SITE}/old"
    stored(tmp_path, article(aliases=(alias,)))
    with asking(tmp_path) as index:
        for url in (URL, alias, f"{URL}.md"):
            assert at_urls(index, [url], None) == {(SITE, "story")}
        assert at_urls(index, [URL], OTHER) == set()
        assert at_urls(index, [f"{URL}.pdf"], None) == set()
        assert site_aliases(index, SITE)[alias] == "story"


def test_a_record_is_found_by_its_id(tmp_path: Path) -> None:
    (manifest,) = stored(tmp_path, article())
    shown = manifest.representation("markdown")
    assert shown is not None
    with asking(tmp_path) as index:
        place = record_place(index, shown.record_id)
        assert place is not None
        assert place[2] == manifest.records[1].length
        assert record_place(index, "urn:uuid:none") is None


def test_a_slugs_url_is_that_of_its_newest_snapshot_events_only_where_there_is_none(
    tmp_path: Path,
) -> None:
    moved = f"https://{SITE}/news/moved"
    stored(tmp_path, article(), article(edition=" b", reason="edit", url=moved))
    stored(tmp_path, event("gone"), event("slug-assigned", "bare"))
    with asking(tmp_path) as index:
        assert site_slugs(index, SITE) == {"story": moved, "bare": f"https://{SITE}/news/bare"}
        assert site_slugs(index, OTHER) == {}


def test_a_sites_numbers_count_articles_as_they_stand(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    partial = article("b", state="partial", missing={"text": "404"})
    keep(store, article("a"), partial, event("gone", "b"))
    keep(store, article("a", edition=" again", seen=hour(4), reason="edit"))
    store.close()
    with asking(tmp_path) as index:
        (site,) = all_sites(index)
        numbers = site_status(index, site)
    assert (numbers.articles, numbers.snapshots, numbers.partial, numbers.gone) == (2, 3, 1, 1)
    assert numbers.newest_observed_at == hour(4)
    sizes = [len(segment.read_bytes()) for segment in segments_of(tmp_path)]
    assert (numbers.segments, numbers.bytes) == (len(sizes), sum(sizes))


def test_of_each_article_the_last_few_changes_are_told_by_the_publishers_clock_where_it_says(
    tmp_path: Path,
) -> None:
    stored(tmp_path, article(), article("other", updated=hour(20)), event("gone", seen=hour(1)))
    stored(tmp_path, article(edition=" 2", seen=hour(3), reason="silent-edit"))
    stored(tmp_path, article(seen=hour(4), formats=("html",), reason="format-removed"))
    with asking(tmp_path) as index:
        assert lately(index, SITE) == {
            "story": Lately(changes=2, oldest=UPDATED, newest=hour(3)),
            "other": Lately(changes=1, oldest=SEEN, newest=SEEN),
        }
        assert lately(index, OTHER) == {}
    for number in range(5, 15):
        edited = article(edition=f" {number}", seen=hour(number), reason="silent-edit")
        stored(tmp_path, edited)
    with asking(tmp_path) as index:
        assert lately(index, SITE)["story"] == Lately(changes=8, oldest=hour(7), newest=hour(14))
