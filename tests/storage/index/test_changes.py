"""What changed over all articles: in the order of observation, each once."""

from __future__ import annotations

from pathlib import Path

import msgspec

from storage.archive import Archive, Asked, Change
from storage.reindex import reindex
from tests.storage.drafts import SEEN, SITE, article, event, hour, stored
from tests.storage.indexes import lose

OTHER = "other.example"


def told(root: Path, asked: Asked | None = None) -> list[tuple[str, str]]:
    with Archive.open(root) as archive:
        return [(each.what, each.row.slug) for each in archive.changes(asked or Asked())]


def test_snapshots_and_events_come_in_the_order_of_observation(tmp_path: Path) -> None:
    stored(tmp_path, article("b", seen=hour(1)), event("gone", "b", seen=hour(3)))
    stored(tmp_path, article("c", seen=hour(0)), article("a", seen=hour(2)))
    assert told(tmp_path) == [("first", "c"), ("first", "b"), ("first", "a"), ("gone", "b")]


def test_they_are_bounded_by_moments_that_belong_to_them(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"s{number}", seen=hour(number)) for number in range(4)))
    found = told(tmp_path, Asked(since=hour(1), until=hour(2)))
    assert found == [("first", "s1"), ("first", "s2")]


def test_mere_steps_are_told_only_when_everything_is_asked_for(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article(),
        event("gone-seen", seen=hour(1)),
        event("gone", seen=hour(2)),
        event("alias", seen=hour(3)),
    )
    assert told(tmp_path) == [("first", "story"), ("gone", "story")]
    assert [what for what, _ in told(tmp_path, Asked(everything=True))] == [
        "first", "gone-seen", "gone", "alias",
    ]  # fmt: skip


def test_a_site_and_captured_originals_are_told_apart(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(site=OTHER), article("source", site="x.y", implicit=True))
    assert told(tmp_path) == [("first", "story")] * 2
    assert len(told(tmp_path, Asked(canonicals=True))) == 3
    with Archive.open(tmp_path) as archive:
        (change,) = archive.changes(Asked(site=OTHER))
        assert change.row.site == OTHER


def test_the_last_ones_are_the_newest_of_both_kinds(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"s{number}", seen=hour(number)) for number in range(3)))
    stored(tmp_path, event("gone", "s0", seen=hour(1)))
    assert told(tmp_path, Asked(last=2)) == [("first", "s1"), ("first", "s2")]
    assert told(tmp_path, Asked(last=3)) == [("gone", "s0"), ("first", "s1"), ("first", "s2")]
    assert told(tmp_path, Asked(last=0)) == []
    assert len(told(tmp_path, Asked(last=99))) == 4


def test_an_event_has_the_title_that_its_article_had(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True), event("gone", seen=hour(1)))
    stored(tmp_path, event("gone", "nobody", seen=hour(2)))
    with Archive.open(tmp_path) as archive:
        _, gone, unheard_of = archive.changes()
        assert (gone.title, gone.private) == ("The story", True)
        assert (unheard_of.title, unheard_of.private) == (None, False)


def test_a_line_begins_with_its_kind(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("moved", seen=hour(1), detail={"from": "a", "to": "b"}))
    with Archive.open(tmp_path) as archive:
        first, moved = (change.as_log() for change in archive.changes())
    assert list(first)[:4] == ["kind", "site", "slug", "url"]
    assert first["reason"] == "first"
    assert moved == {
        "kind": "event", "site": SITE, "slug": "story", "url": f"https://{SITE}/news/story",
        "event": "moved", "observed_at": "2026-06-20T13:00:00Z",
        "detail": {"from": "a", "to": "b"}, "title": "The story",
    }  # fmt: skip


def test_an_index_made_again_tells_the_same(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"), event("gone", "a"), event("returned", "a"))

    def all_of_them() -> list[Change]:
        with Archive.open(tmp_path) as archive:
            return list(archive.changes())

    before = msgspec.json.encode(all_of_them())
    lose(tmp_path)
    reindex(tmp_path, SEEN)
    assert msgspec.json.encode(all_of_them()) == before


def test_the_first_snapshot_gives_the_archive_its_name(tmp_path: Path) -> None:
    stored(tmp_path, article("b", seen=hour(1)))
    with Archive.open(tmp_path) as archive:
        first = archive.first_id()
        assert first is not None
        assert first.startswith("urn:uuid:")
    stored(tmp_path, article("a", seen=hour(2)))
    with Archive.open(tmp_path) as archive:
        assert archive.first_id() == first
