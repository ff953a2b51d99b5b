"""A bucket that is slow, away, or behind a line that breaks: runs go on as long as they can."""

from __future__ import annotations

import asyncio
from pathlib import Path
from secrets import token_hex

import pytest

from storage.archive import Archive
from storage.codings import BytesLike
from storage.errors import SegmentsAway
from storage.model import EntryState
from storage.notes import Notes
from storage.store import Store
from storage.verify.found import Passed
from storage.verify.whole import Asked, verify
from storage.writer import Writer
from tests.proxy import Fault, Proxy
from tests.s3 import BUCKET, SECRET, S3Server
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    hour,
    open_store,
    segments_of,
    stored,
)
from tests.storage.segments.spools import (
    abandoned,
    noted,
    safe,
    slugs,
)
from tests.storage.verify.harming import problems

pytestmark = pytest.mark.usefixtures("bucket")


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
        while not writer._opened.pause:  # noqa: ASYNC110, SLF001  - nobody is told of a try in vain
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


async def test_told_to_stop_it_tries_once_more_and_closing_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, bucket, stop = tmp_path / "mirror", tmp_path / "objects", asyncio.Event()
    bucket.mkdir()
    monkeypatch.setenv("SLUGLINE_SEGMENTS", bucket.as_uri())

    async def stopped() -> None:
        async with Writer(root, files=False) as writer:
            bucket.rmdir()
            bucket.touch()
            await writer.commit(article("a"))
            stop.set()
            try:
                await writer.flush_until(stop)
            finally:
                bucket.unlink()
                bucket.mkdir()

    with pytest.raises(SegmentsAway):
        await stopped()
    assert slugs(root) == []
    noted(root)
    assert slugs(root) == ["a"]


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
