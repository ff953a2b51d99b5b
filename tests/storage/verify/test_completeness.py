"""What is short and no damage: partial articles, and those not lately compared with their site."""

from __future__ import annotations

from pathlib import Path

from storage.model import EntryState
from storage.notes import Notes
from storage.verify.found import Report, Short
from storage.verify.whole import Asked, verify
from tests.storage.drafts import SEEN, SITE, article, event, hour, keep, open_store


def checked(slug: str, at: int | None) -> EntryState:
    return EntryState(
        site=SITE,
        url=f"https://{SITE}/news/{slug}",
        verdict="article",
        slug=slug,
        checked_at=SEEN,
        run="a-run",
        verified_at=None if at is None else hour(at),
    )


def short_of(root: Path, since: int) -> set[tuple[str, str]]:
    *found, report = verify(root, Asked(since=hour(since)))
    assert isinstance(report, Report)
    assert report.sound
    short = [each for each in found if isinstance(each, Short)]
    assert report.partial + report.unverified == len(short)
    return {(each.kind, each.slug) for each in short}


def test_partial_and_unverified_articles_are_told_and_are_no_damage(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    missing = {"text": "HTTP 503"}
    keep(store, article("partial", state="partial", missing=missing), article("old"))
    keep(store, article("fresh"), article("never"), article("gone"))
    keep(store, event("gone", "gone", seen=hour(9)))
    entries = (
        checked("partial", 5),
        checked("old", 1),
        checked("fresh", 3),
        checked("never", None),
    )
    store.commit([], Notes(at=SEEN, entries=entries))
    store.close()
    wanted = {("partial", "partial"), ("unverified", "old"), ("unverified", "never")}
    assert short_of(tmp_path, 2) == wanted
    assert short_of(tmp_path, 6) == wanted | {("unverified", "fresh"), ("unverified", "partial")}


def test_captured_originals_are_not_counted(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    keep(store, article("origin", site="other.example", implicit=True))
    store.close()
    assert short_of(tmp_path, 2) == set()
