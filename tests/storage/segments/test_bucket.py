"""Segments in a bucket: safe in the spool, seen when indexed, and every fault between the two."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from secrets import token_hex

import pytest
from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.codings import BytesLike
from storage.errors import BadPlace, SegmentsAway
from storage.layout import with_schema
from storage.model import Draft, EntryState
from storage.notes import Notes
from storage.reindex import reindex
from storage.segments.blocks import Blocks
from storage.segments.bucket import BucketSegments, ObjectSource
from storage.segments.objects import Objects
from storage.store import Store
from storage.upkeep.compact import compact
from storage.upkeep.forget import forget
from storage.verify.found import Passed
from storage.verify.whole import Asked, verify
from storage.writer import Writer
from tests.proxy import Fault, Proxy
from tests.s3 import BUCKET, SECRET, S3Server
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    event,
    hour,
    keep,
    open_store,
    segments_of,
    stored,
    words,
    write_segment,
)
from tests.storage.indexes import lose
from tests.storage.test_writer import killed_after
from tests.storage.upkeep.test_forget import bytes_of
from tests.storage.verify.harming import problems


@pytest.fixture(autouse=True)
def in_bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every mirror of these tests in a bucket."""
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"s3://{BUCKET}/")


@pytest.fixture
def proxy(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    proxy = Proxy(s3.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def away(s3: S3Server) -> Iterator[S3Server]:
    """Give a server that a test may stop: it serves again after it."""
    yield s3
    s3.stop()
    s3.start()


def slugs(root: Path) -> list[str]:
    with Archive.open(root) as archive:
        return [row.slug for row in archive.all_history()]


def spooled(root: Path) -> list[str]:
    return [path.name for path in (root / "spool").glob("*/*.warc.gz")]


def safe(root: Path, *slugs: str) -> Store:
    """Return a store that has stored articles, none of them published."""
    store = open_store(root, files=False)
    for slug in slugs:
        store.commit([article(slug)], Notes(at=SEEN))
    return store


def abandoned(store: Store) -> None:
    """Leave a store as a killed process does: nothing is published."""
    store._index.close()  # noqa: SLF001  - what the system does for the dead
    store._lock.release()  # noqa: SLF001


def test_a_batch_is_safe_in_the_spool_and_seen_when_published(tmp_path: Path) -> None:
    store = safe(tmp_path, "a", "b")
    assert len(spooled(tmp_path)) == 1
    assert slugs(tmp_path) == []
    assert segments_of(tmp_path) == []
    store.publish()
    assert slugs(tmp_path) == ["a", "b"]
    assert len(segments_of(tmp_path)) == 1
    assert spooled(tmp_path) == []
    store.close()
    assert problems(tmp_path) == []


def test_batches_build_on_what_is_not_seen_yet(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    again = article("a", edition=" 2", seen=hour(1), reason="silent-edit")
    store.commit([again, article("A")], Notes(at=SEEN))
    store.commit([article("a", seen=hour(2), reason="reverted")], Notes(at=SEEN))
    store.commit([event("gone", "a", seen=hour(3))], Notes(at=SEEN))
    store.close()
    with Archive.open(tmp_path) as archive:
        rows = archive.history(SITE, "a")
        assert [(row.sequence, row.revision) for row in rows] == [(1, 0), (2, 1), (3, 2)]
        manifest = archive.manifest(rows[2])
        assert {ref.type for ref in manifest.records} == {"revisit"}
        files = {one.file for row in rows for one in archive.manifest(row).representations}
        (capital,) = archive.history(SITE, "A")
        assert files.isdisjoint(one.file for one in archive.manifest(capital).representations)
        assert archive.body(manifest, "html").decoded == words("a", "html", "")
    assert problems(tmp_path) == []


def test_notes_are_seen_with_their_batch_and_not_before(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE, url="https://news.example/a", verdict="article", checked_at=SEEN, run="a-run"
    )
    store = open_store(tmp_path, files=False)
    store.commit([article("a")], Notes(at=SEEN, entries=(entry,)))
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {}
    store.publish()
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {entry.url: entry}
    store.close()


# after a kill


def test_what_was_spooled_is_drained_by_the_next_run(tmp_path: Path) -> None:
    abandoned(safe(tmp_path, "a", "b"))
    assert "2 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a", "b"]
    assert spooled(tmp_path) == []
    assert noted(tmp_path) == ()
    assert problems(tmp_path) == []


def noted(root: Path) -> tuple[str, ...]:
    store = open_store(root, files=False)
    store.close()
    return store.notes


@pytest.mark.index_file("its file is set back")
def test_what_was_put_and_not_indexed_is_put_once(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    before = kept(tmp_path, "spool", "index.sqlite")
    store.close()
    bring_back(tmp_path, before)
    assert "1 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a"]
    assert len(segments_of(tmp_path)) == 1
    assert spooled(tmp_path) == []


def test_what_was_indexed_and_left_in_the_spool_is_removed(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    before = kept(tmp_path, "spool")
    store.close()
    bring_back(tmp_path, before)
    assert noted(tmp_path) == ()
    assert slugs(tmp_path) == ["a"]
    assert spooled(tmp_path) == []


def test_notes_of_what_was_spooled_are_not_lost(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE, url="https://news.example/a", verdict="article", checked_at=SEEN, run="a-run"
    )
    store = open_store(tmp_path, files=False)
    store.commit([article("a")], Notes(at=SEEN, entries=(entry,)))
    store.commit([], Notes(at=SEEN, memory=((SITE, "key", "[1]"),)))
    store.commit([], Notes(at=SEEN, memory=((SITE, "key", "[2]"),)))
    abandoned(store)
    with (tmp_path / "spool" / "notes").open("r+b") as file:
        file.truncate((tmp_path / "spool" / "notes").stat().st_size - 1)
    noted(tmp_path)
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {entry.url: entry}
        assert archive.memory(SITE) == {"key": "[1]"}
    assert not (tmp_path / "spool" / "notes").exists()


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


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    promised: list[str] = []
    random = Random(7)
    for number in range(3):
        promised += killed_after(tmp_path, number * 100_000, random.randrange(1, 300), every=40)
    noted(tmp_path)
    found = slugs(tmp_path)
    assert len(set(found)) == len(found)
    assert set(promised) - {"open"} <= set(found)
    assert spooled(tmp_path) == []
    assert problems(tmp_path) == []
    reindex(tmp_path, SEEN)
    assert slugs(tmp_path) == found


def kept(root: Path, *names: str) -> Path:
    before = root.parent / f"{root.name}-before"
    for name in names:
        if (root / name).is_dir():
            shutil.copytree(root / name, before / name)
        else:
            before.mkdir(exist_ok=True)
            for path in root.glob(f"{name}*"):
                shutil.copy(path, before / path.name)
    return before


def bring_back(root: Path, before: Path) -> None:
    for path in before.iterdir():
        for old in root.glob(f"{path.name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(before, root, dirs_exist_ok=True)


def test_a_torn_spool_is_cut_and_the_rest_is_drained(tmp_path: Path) -> None:
    abandoned(safe(tmp_path, "a"))
    (path,) = (tmp_path / "spool").glob("*/*.warc.gz")
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    assert "unfinished write" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a"]
    assert [lost.stat().st_size for lost in (tmp_path / "lost").glob("*/*")] == [100]


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


def test_what_was_put_and_whose_spool_is_lost_is_indexed_again(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), files=False)
    orphaned(tmp_path, article("a", edition=" 2", seen=hour(1)), article("b"))
    assert slugs(tmp_path) == ["a"]
    reindex(tmp_path, SEEN)
    assert slugs(tmp_path) == ["a", "a", "b"]
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


def test_what_is_forgotten_does_not_come_back_from_a_spool_or_an_orphan(
    tmp_path: Path, database: str
) -> None:
    one, two = (tmp_path / name for name in ("one", "two"))
    for root in (one, two):
        place = f"s3://{BUCKET}/forgetting-{tmp_path.name}"
        layout.make(root, index=with_schema(database, "shared"), segments=place)
    stored(two, article("a"), article("b"), files=False)
    again = [article(slug, edition=" 2", seen=hour(1), reason="edit") for slug in ("a", "b")]
    # One writer died and its disk with it, another one's disk is still there.
    orphaned(one, *again)
    first = open_store(one, files=False)
    first.commit([article("a", edition=" 3", seen=hour(2), reason="edit")], Notes(at=SEEN))
    abandoned(first)
    assert forget(two, "a", reason="a court asked", now=hour(3)).groups == 2
    noted(one)
    assert slugs(two) == ["b"]
    reindex(two, SEEN)
    assert slugs(two) == ["b", "b"]
    for root in (one, two):
        assert problems(root) == []
        assert [name for name, data in bytes_of(root) if b"a as " in data] == []


def orphaned(root: Path, *drafts: Draft) -> None:
    """Put an object as a writer does that dies before it is indexed, and its disk with it."""
    store = open_store(root, files=False)
    store.commit(drafts, Notes(at=SEEN))
    store._appender.seal()  # type: ignore[union-attr]  # noqa: SLF001  - what publishing begins with
    waiting = store._publisher._gathering.pending  # noqa: SLF001
    store._segments.publish(waiting.segments())  # noqa: SLF001
    abandoned(store)
    shutil.rmtree(root / "spool")


# when the bucket is away


def test_a_run_goes_on_while_the_bucket_is_away(tmp_path: Path, away: S3Server) -> None:
    store = safe(tmp_path, "a")
    away.stop()
    assert tried(store) == {}
    store.commit([article("b")], Notes(at=SEEN))
    assert store.waits
    away.start()
    store.close()
    assert slugs(tmp_path) == ["a", "b"]
    assert problems(tmp_path) == []


def test_a_run_that_ends_meanwhile_says_so_and_the_next_one_drains(
    tmp_path: Path, away: S3Server
) -> None:
    store = safe(tmp_path, "a", "b")
    away.stop()
    with pytest.raises(SegmentsAway) as told:
        store.close()
    assert f"s3://{BUCKET}/" in str(told.value)
    assert str(tmp_path / "spool") in str(told.value)
    assert SECRET not in str(told.value)
    with pytest.raises(SegmentsAway):
        open_store(tmp_path)
    away.start()
    noted(tmp_path)
    assert slugs(tmp_path) == ["a", "b"]


async def test_the_end_of_a_run_waits_for_a_bucket_that_is_away_while_others_store_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, bucket = tmp_path / "mirror", tmp_path / "objects"
    bucket.mkdir()
    monkeypatch.setenv("SLUGLINE_SEGMENTS", bucket.as_uri())
    async with Writer(root, files=False) as writer:
        bucket.rmdir()
        bucket.touch()
        await writer.commit(article("a"))
        end = asyncio.create_task(writer.flush())
        while not writer._opened.away:  # noqa: ASYNC110, SLF001  - nobody is told of a try in vain
            await asyncio.sleep(0)
        await writer.commit(article("b"))
        assert not end.done()
        bucket.unlink()
        bucket.mkdir()
        await end
        assert slugs(root) == ["a"]
        await writer.flush()
        assert slugs(root) == ["a", "b"]
        bucket.rename(tmp_path / "elsewhere")
        bucket.touch()
        await writer.commit(article("c"))
        with pytest.raises(SegmentsAway):
            await writer.flush(patient=False)
        bucket.unlink()
        (tmp_path / "elsewhere").rename(bucket)
    assert slugs(root) == ["a", "b", "c"]


def tried(store: Store) -> dict[str, BytesLike]:
    """Try to publish, and return what is visible when what was sent has arrived or not."""
    bodies = store.try_to_publish()
    assert store.upload is not None
    store.upload.exception()
    return bodies | store.land()


def test_more_is_stored_while_a_slow_bucket_takes_what_was(tmp_path: Path, proxy: Proxy) -> None:
    store = safe(tmp_path, "a")
    proxy.faults.append("slow")
    assert store.try_to_publish() == {}
    upload = store.upload
    assert upload is not None
    store.commit([article("a", edition=" 2", seen=hour(1), reason="edit")], Notes(at=SEEN))
    store.commit([article("b")], Notes(at=SEEN))
    assert not upload.done()
    assert slugs(tmp_path) == []
    upload.result()
    assert store.land()
    assert slugs(tmp_path) == ["a"]
    store.close()
    with Archive.open(tmp_path) as archive:
        assert [row.sequence for row in archive.history(SITE, "a")] == [1, 2]
    assert slugs(tmp_path) == ["a", "a", "b"]
    assert problems(tmp_path) == []


async def test_what_was_uploaded_is_seen_as_soon_as_it_has_arrived(tmp_path: Path) -> None:
    async with Writer(tmp_path, files=False) as writer:
        await writer.commit(article("a", edition=token_hex(9 << 20), formats=("html",)))
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(slugs, tmp_path):
                pass
    assert slugs(tmp_path) == ["a"]


def test_killed_while_one_lot_is_on_its_way_and_another_gathers(
    tmp_path: Path, away: S3Server
) -> None:
    entries = [
        EntryState(
            site=SITE, url=f"https://{SITE}/{name}", verdict="article", checked_at=SEEN, run="r"
        )
        for name in ("a", "b")
    ]
    store = open_store(tmp_path, files=False)
    away.stop()
    for entry, slug in zip(entries, "ab", strict=True):
        store.commit([article(slug)], Notes(at=SEEN, entries=(entry,)))
        store.try_to_publish()
    assert store.upload is not None
    store.upload.exception()
    abandoned(store)
    away.start()
    noted(tmp_path)
    with Archive.open(tmp_path) as archive:
        assert len(archive.entries(SITE)) == 2
    assert slugs(tmp_path) == ["a", "b"]
    assert list((tmp_path / "spool").glob("notes*")) == []


def test_after_so_many_tries_the_run_ends(tmp_path: Path, away: S3Server) -> None:
    store = safe(tmp_path, "a")
    store._publisher.away = store.wait.tries  # noqa: SLF001  - a quarter of an hour later
    away.stop()
    with pytest.raises(SegmentsAway):
        tried(store)
    with pytest.raises(SegmentsAway):
        store.commit([article("b")], Notes(at=SEEN))
    away.start()
    store.close()
    noted(tmp_path)
    assert slugs(tmp_path) == ["a"]


def test_a_bucket_that_is_away_is_no_damage(tmp_path: Path, away: S3Server) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(5)), files=False)
    stored(tmp_path, article("b"), files=False)
    found = verify(tmp_path, Asked(since=SEEN))
    assert isinstance(next(found), Passed)
    away.stop()
    with pytest.raises(SegmentsAway):
        list(found)
    with Archive.open(tmp_path) as archive:
        (row,) = archive.history(SITE, "b")
        with pytest.raises(SegmentsAway):
            archive.manifest(row)


@pytest.mark.parametrize(
    "faults",
    [["cut"], ["no answer"], ["500", "500"], ["slow"], ["no answer", "500", "cut", "slow"]],
)
def test_a_line_that_breaks_neither_loses_nor_doubles(
    tmp_path: Path, proxy: Proxy, faults: list[Fault]
) -> None:
    store = safe(tmp_path, *(f"a{n}" for n in range(20)))
    proxy.faults.extend(faults)
    store.close()
    assert proxy.done == faults
    assert len(slugs(tmp_path)) == 20
    assert len(segments_of(tmp_path)) == 1
    assert problems(tmp_path) == []


def test_other_bytes_under_the_name_are_an_error_and_stay(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    segments = BucketSegments(tmp_path, layout.check(tmp_path).segments or "")
    other = tmp_path / "other"
    other.write_bytes(b"somebody else's")
    (name,) = spooled(tmp_path)
    segments.objects.create(f"{SITE}/{name}", other)
    with pytest.raises(SegmentsAway, match="with other bytes"):
        store.publish()
    abandoned(store)
    assert [one.read_bytes() for one in segments_of(tmp_path)] == [b"somebody else's"]


# reading


def test_an_export_gets_each_block_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(50)))
    stored(tmp_path, *(article(f"b{n}") for n in range(50)))
    caplog.set_level(logging.INFO, "werkzeug")
    caplog.clear()
    with Archive.open(tmp_path) as archive:
        for row in reversed(list(archive.all_history())):
            archive.body(archive.manifest(row), "html")
    assert len([line for line in caplog.messages if " HTTP/1.1" in line]) == 2


def test_one_format_is_read_with_one_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(50)))
    caplog.set_level(logging.INFO, "werkzeug")
    caplog.clear()
    with Archive.open(tmp_path) as archive:
        manifest = archive.newest(SITE, "a7")
        assert manifest is not None
        assert archive.body(manifest, "markdown").decoded == words("a7", "markdown", "")
    asked = [line for line in caplog.messages if " HTTP/1.1" in line]
    assert len(asked) == 1
    assert "GET /" in asked[0]


def test_a_source_reads_as_a_file_does(tmp_path: Path) -> None:
    objects = Objects(f"s3://{BUCKET}/source")
    data = bytes(range(256)) * 20_000
    file = tmp_path / "data"
    file.write_bytes(data)
    objects.create("x/1.warc.gz", file)
    objects.requests = 0
    source = ObjectSource(Blocks(objects), "x/1.warc.gz")
    assert source.read(1_000, 5_000) == data[1_000:6_000]
    assert source.size == len(data)
    assert b"".join(source.chunks(0, len(data) * 2)) == data
    assert list(source.chunks(len(data), 10)) == []
    # one block, then four, then sixteen: not one request a chunk
    assert objects.requests == 3
    assert source.read(len(data) - 10, 10) == data[-10:]
    assert objects.requests == 3
    objects.delete("x/1.warc.gz")


def test_a_reader_finds_what_was_joined_meanwhile(tmp_path: Path) -> None:
    for number in range(4):
        stored(tmp_path, article(f"a{number}"), files=False, now=hour(number))
    with Archive.open(tmp_path) as archive:
        before = [archive.manifest(row) for row in archive.all_history()]
        compact(tmp_path, hour(9))
        assert [archive.manifest(row) for row in archive.all_history()] == before


def test_compacting_joins_small_objects(tmp_path: Path) -> None:
    for number in range(5):
        stored(tmp_path, article(f"a{number}"), files=False, now=hour(number))
    assert len(segments_of(tmp_path)) == 5
    compact(tmp_path, hour(9))
    assert len(segments_of(tmp_path)) == 2
    assert spooled(tmp_path) == []
    assert not list((tmp_path / "spool").glob("*/*"))
    assert len(slugs(tmp_path)) == 5
    assert problems(tmp_path) == []


@pytest.mark.parametrize("url", [f"s3://{BUCKET}/x?token={SECRET}", "s3:///x"])
def test_a_place_that_is_none_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadPlace) as told:
        BucketSegments(tmp_path, url)
    assert SECRET not in str(told.value)


def test_a_folder_of_files_is_a_bucket_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"file://{tmp_path}/objects")
    root = tmp_path / "m"
    stored(root, article("a"), article("b"))
    assert len(list((tmp_path / "objects").glob("*/*.warc.gz"))) == 1
    assert slugs(root) == ["a", "b"]
    assert problems(root) == []
    keep_two(root)


def test_a_folder_of_files_that_is_not_there_is_no_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"file://{tmp_path}/objects")
    root = tmp_path / "m"
    stored(root, article("a"))
    shutil.move(tmp_path / "objects", tmp_path / "away")
    for look in (partial(reindex, now=SEEN), Archive.open, open_store):
        with pytest.raises(SegmentsAway, match="/objects can't be had: there is no such folder"):
            look(root)
    assert not (tmp_path / "objects").exists()
    shutil.move(tmp_path / "away", tmp_path / "objects")
    assert slugs(root) == ["a"]


def test_a_file_in_the_way_is_said_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    objects = Objects(f"file://{tmp_path}")
    with pytest.raises(SegmentsAway, match="the folder said: "):
        objects.replace("x/1.warc.gz", tmp_path / "x")


def keep_two(root: Path) -> None:
    store = open_store(root)
    keep(store, article("c"))
    store.close()
    assert slugs(root) == ["a", "b", "c"]


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
