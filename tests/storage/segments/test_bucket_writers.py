"""Several that write into one bucket: nothing twice, nothing lost, and who gives way."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.layout import with_schema
from storage.model import EntryState
from storage.notes import Notes
from storage.reindex import reindex
from tests.s3 import BUCKET
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    event,
    hour,
    open_store,
    stored,
    write_segment,
)
from tests.storage.indexes import lose
from tests.storage.segments.spools import (
    abandoned,
    bring_back,
    kept,
    noted,
    orphaned,
    safe,
    slugs,
)
from tests.storage.verify.harming import problems

pytestmark = pytest.mark.usefixtures("bucket")


def test_what_another_writer_noted_since_stands(tmp_path: Path) -> None:
    def noted_at(moment: datetime, value: str) -> Notes:
        url = f"https://{SITE}/a"
        entry = EntryState(site=SITE, url=url, verdict="article", checked_at=moment, run=value)
        other = structs.replace(entry, site="other.example")
        memory = tuple((site, "key", value) for site in (SITE, "other.example"))
        return Notes(
            at=moment, entries=(entry, other) if value == "old" else (entry,), memory=memory
        )

    store = open_store(tmp_path, files=False)
    store.commit([], noted_at(SEEN, "old"))
    before = kept(tmp_path, "spool")
    abandoned(store)
    shutil.rmtree(tmp_path / "spool")
    store = open_store(tmp_path, files=False)
    store.commit([], structs.replace(noted_at(hour(1), "new"), memory=((SITE, "key", "new"),)))
    store.close()
    bring_back(tmp_path, before)
    noted(tmp_path)
    with Archive.open(tmp_path) as archive:
        assert [entry.run for entry in archive.entries(SITE).values()] == ["new"]
        assert archive.memory(SITE) == {"key": "new"}
        assert archive.memory("other.example") == {"key": "old"}


def test_what_another_writer_went_on_with_is_not_stored_twice(tmp_path: Path) -> None:
    stored(tmp_path, article("old"))
    store = safe(tmp_path, "a", "b")
    store.commit([article("a", edition=" 2", seen=hour(1), reason="edit")], Notes(at=SEEN))
    before = kept(tmp_path, "spool")
    abandoned(store)
    shutil.rmtree(tmp_path / "spool")
    stored(tmp_path, article("a"), files=False)
    bring_back(tmp_path, before)
    assert "2 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a", "b", "old"]
    assert len(list((tmp_path / "lost").glob("*/*"))) == 2
    assert problems(tmp_path) == []


def test_an_edit_that_came_late_is_not_stored_again_by_who_had_read_it(tmp_path: Path) -> None:
    stored(tmp_path, article("a"))
    store = open_store(tmp_path, files=False)
    edit = article("a", edition=" 2", updated=hour(1), seen=hour(1), reason="edit")
    store.commit([edit], Notes(at=SEEN))
    abandoned(store)
    noted(tmp_path)
    store = open_store(tmp_path, files=False)
    late = structs.replace(edit, beside=1)
    (refused,) = store.commit([late], Notes(at=SEEN)).outcomes
    assert "another writer has stored" in str(refused)
    store.close()
    with Archive.open(tmp_path) as archive:
        assert [row.sequence for row in archive.history(SITE, "a")] == [1, 2]
    assert problems(tmp_path) == []


def test_what_was_put_and_overtaken_is_taken_back(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    before = kept(tmp_path, "spool")
    (spooled,) = (before / "spool").glob("*/*.warc.gz")
    name = f"{spooled.parent.name}/{spooled.name}"
    abandoned(store)
    shutil.rmtree(tmp_path / "spool")
    stored(tmp_path, article("a"), files=False)
    write_segment(tmp_path, name, spooled.read_bytes())
    bring_back(tmp_path, before)
    assert "1 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a"]
    reindex(tmp_path, SEEN)
    assert problems(tmp_path) == []


@pytest.mark.parametrize("index_is_lost", [False, True])
def test_of_two_groups_with_one_number_the_one_that_was_seen_counts(
    tmp_path: Path, *, index_is_lost: bool
) -> None:
    stored(tmp_path, article("a"), files=False)
    # Two numbers of one article, and one each of others, by a writer that died with its disk.
    drafts = [article("a", edition=f" lost {n}", seen=hour(n)) for n in (1, 2)]
    orphaned(tmp_path, *drafts, article("b", seen=hour(2)), article("c", seen=hour(2)))
    again = article("a", edition=" 2", seen=hour(3), reason="edit")
    stored(tmp_path, again, event("gone-seen", "c", seen=hour(3)), files=False, now=hour(-1))
    if index_is_lost:
        lose(tmp_path)
    report = reindex(tmp_path, SEEN)
    told = [line for line in report.sentences() if "another writer" in line]
    assert [line.partition(" of")[0] for line in told] == ["3 groups"]
    assert len(list((tmp_path / "lost" / SITE).iterdir())) == 3
    with Archive.open(tmp_path) as archive:
        _, second = archive.history(SITE, "a")
        assert (second.sequence, second.observed_at) == (2, hour(3))
        assert [row.slug for row in archive.newest_all()] == ["a", "b"]
        assert [row.event for row in archive.events(SITE, "c")] == ["gone-seen"]
    assert problems(tmp_path) == []
    assert reindex(tmp_path, SEEN).overtaken == ()


def test_two_machines_that_want_each_others_sites_both_get_them(
    tmp_path: Path, database: str
) -> None:
    sites = ["a.example", "b.example"]
    stores = []
    for name, site in zip(("one", "two"), sites, strict=True):
        place = f"s3://{BUCKET}/crossed-{tmp_path.name}"
        layout.make(tmp_path / name, index=with_schema(database, "shared"), segments=place)
        stores.append(open_store(tmp_path / name, files=False))
        stores[-1].commit([article("x", site=site)], Notes(at=SEEN))

    def go_on(number: int) -> None:
        draft = article("x", site=sites[1 - number], edition=" 2", seen=hour(1), reason="edit")
        stores[number].commit([draft], Notes(at=SEEN))
        stores[number].close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(go_on, range(2)))
    with Archive.open(tmp_path / "one") as archive:
        for site in sites:
            assert [row.sequence for row in archive.history(site, "x")] == [1, 2]
    assert problems(tmp_path / "one") == []


def test_two_machines_write_one_archive(tmp_path: Path, database: str) -> None:
    one, two = (tmp_path / name for name in ("one", "two"))
    for root in (one, two):
        place = f"s3://{BUCKET}/shared-{tmp_path.name}"
        layout.make(root, index=with_schema(database, "shared"), segments=place)
    first, second = safe(one, "a", "b"), open_store(two, files=False)
    second.commit([article("c", site="other.example")], Notes(at=SEEN))
    second.publish()
    assert slugs(one) == ["c"]
    abandoned(first)
    # The first one's site is taken over: what it had spooled nobody has seen.
    second.commit([article("a"), article("d")], Notes(at=SEEN))
    second.close()
    assert "1 groups" in " ".join(noted(one))
    for root in (one, two):
        assert slugs(root) == ["a", "b", "d", "c"]
        assert problems(root) == []
    reindex(two, SEEN)
    assert slugs(one) == ["a", "b", "d", "c"]
