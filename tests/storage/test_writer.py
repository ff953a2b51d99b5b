"""The async shell: batches, futures, cancelling, reading beside writing, and kill -9."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.archive import Archive
from storage.errors import BadDraft, LockHeld, NotAMirror, StoreFailed
from storage.model import EntryState, Validator
from storage.reindex import reindex
from storage.writer import BATCH_DRAFTS, Writer
from tests.storage.drafts import SEEN, SITE, article, event, hour, segments_of, tree, words
from tests.storage.indexes import lose


def seen() -> datetime:
    return SEEN


async def test_what_a_site_remembers_is_there_for_its_next_run(tmp_path: Path) -> None:
    async with Writer(tmp_path / "m") as writer:
        writer.remember("news.example", "documents", "[1]")
        writer.remember("news.example", "documents", "[2]")
        await writer.flush()
        assert await writer.read(Archive.memory, "news.example") == {"documents": "[2]"}
        assert await writer.read(Archive.memory, "other.example") == {}


async def test_a_commit_gives_the_manifest_as_it_is_stored(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        made = await writer.commit(article())
        await writer.flush()
        assert (made.sequence, made.revision) == (1, 0)
        assert all(one.record_id for one in made.representations)
        assert await writer.read(Archive.newest, SITE, "story") == made


async def test_a_full_batch_does_not_wait_for_the_timer(tmp_path: Path) -> None:
    async with Writer(tmp_path, files=False, clock=seen) as writer:
        futures = [writer.submit(article(f"s{n}")) for n in range(2 * BATCH_DRAFTS)]
        done = await asyncio.gather(*futures)
        assert [made.slug for made in done] == [f"s{n}" for n in range(2 * BATCH_DRAFTS)]


async def test_a_batch_that_is_closed_is_stored_apart_from_what_comes_after_it(
    tmp_path: Path,
) -> None:
    async with Writer(tmp_path, files=False, clock=seen) as writer:
        first = writer.submit(article("first"))
        writer.close_batch()
        second = writer.submit(article("second"))
        assert (await first).slug == "first"
        assert (await second).slug == "second"


async def test_leaving_stores_what_is_still_open(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        future = writer.submit(article())
        writer.remember(SITE, "key", "value")
    assert future.result().sequence == 1
    with Archive.open(tmp_path) as archive:
        assert [row.slug for row in archive.all_history()] == ["story"]
        assert archive.remembered(SITE, "key") == "value"
    assert tree(tmp_path)["news.example/news/story.html"] == words("story", "html", "")


async def test_an_error_inside_still_stores_what_was_submitted(tmp_path: Path) -> None:
    async def run() -> None:
        async with Writer(tmp_path, clock=seen) as writer:
            writer.submit(article())
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await run()
    with Archive.open(tmp_path) as archive:
        assert len(archive.history(SITE, "story")) == 1


async def test_a_cancelled_commit_is_stored_all_the_same(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await writer.commit(article())

        task = asyncio.create_task(work())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    with Archive.open(tmp_path) as archive:
        assert len(archive.history(SITE, "story")) == 1


async def test_a_bad_draft_fails_its_own_future_only(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        bad, good = writer.submit(article("bad", key=None)), writer.submit(article("good"))
        with pytest.raises(BadDraft, match="no key"):
            await bad
        assert (await good).slug == "good"


async def test_notes_alone_make_a_batch(tmp_path: Path) -> None:
    entry = EntryState(site=SITE, url="https://x/", verdict="page", checked_at=SEEN, run="a-run")
    async with Writer(tmp_path, clock=seen) as writer:
        writer.note_entry(entry)
        writer.note_validators([Validator(url="https://x/", etag='"1"', digest="0")])
        await writer.flush()
        assert await writer.read(Archive.entries, SITE) == {"https://x/": entry}
        found = await writer.read(Archive.validators, ["https://x/"])
        assert found["https://x/"].etag == '"1"'
    assert segments_of(tmp_path) == []


async def test_a_run_is_noted_with_its_end(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        first = await writer.begin_run("mirror", ("https://news.example/",), hour(0))
        assert first.continues_since is None
        await writer.finish_run({"snapshots": 0}, finished=False)
    async with Writer(tmp_path, clock=seen) as writer:
        second = await writer.begin_run("mirror", ("https://news.example/",), hour(1))
        assert second.continues_since == hour(0)
        await writer.finish_run({"snapshots": 0}, finished=True)
        assert [run.finished for run in await writer.read(Archive.runs)] == [True, False]


async def test_a_second_writer_is_refused_at_once(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen):
        with pytest.raises(LockHeld, match="process"):
            async with Writer(tmp_path, clock=seen):
                pass


async def test_a_writer_that_can_not_open_leaves_no_thread_behind(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    writer = Writer(tmp_path, clock=seen)
    with pytest.raises(NotAMirror):
        await writer.__aenter__()
    with pytest.raises(StoreFailed, match="not open"):
        await writer.begin_run("mirror", (), SEEN)


async def test_reading_goes_on_while_a_run_writes(tmp_path: Path) -> None:
    async with Writer(tmp_path, clock=seen) as writer:
        await writer.commit(article("a"))
        await writer.flush()
        with Archive.open(tmp_path) as archive:
            assert [row.slug for row in archive.newest_all()] == ["a"]
            await writer.commit(article("b"))
            await writer.flush()
            assert [row.slug for row in archive.newest_all()] == ["a", "b"]
            manifest = archive.newest(SITE, "b")
            assert manifest is not None
            assert archive.body(manifest, "html").decoded == words("b", "html", "")


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b"]),
            st.sampled_from(["", " 2", " 3"]),
            st.integers(0, 2),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_history_reads_the_same_after_a_reindex(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int, bool]]
) -> None:
    root = tmp_path_factory.mktemp("mirror")

    async def run() -> None:
        async with Writer(root, clock=seen) as writer:
            for number, (slug, edition, key, is_event) in enumerate(steps):
                if is_event:
                    draft = event("gone" if key else "returned", slug, seen=hour(number))
                else:
                    draft = article(slug, edition=edition, updated=hour(key), seen=hour(number))
                writer.submit(draft)

    asyncio.run(run())
    before, files = listed(root), tree(root)
    lose(root)
    reindex(root, SEEN)
    assert listed(root) == before
    asyncio.run(open_and_close(root))
    assert tree(root) == files


def listed(root: Path) -> list[dict[str, object]]:
    with Archive.open(root) as archive:
        rows = [*archive.all_history(), *archive.newest_all()]
        told = [row.as_log() for row in rows]
        return told + [change.as_log() for change in archive.changes()]


async def open_and_close(root: Path) -> None:
    async with Writer(root, clock=seen):
        pass


def killed_after(root: Path, start: int, count: int, every: int = 0) -> list[str]:
    """Run a writer, kill it as soon as it has said ``count`` lines, and give all it said.

    ``every``: after how many articles it publishes them each time.
    """
    given = [str(root), str(start), str(every)]
    command = [sys.executable, "-m", "tests.storage.killed_writer", *given]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        said = list(_lines(process, count))
        process.kill()
        assert process.stdout is not None
        said += process.stdout.read().split("\n")[:-1]
    return said


def _lines(process: subprocess.Popen[str], count: int) -> Iterator[str]:
    assert process.stdout is not None
    for _ in range(count):
        yield process.stdout.readline().strip()


def test_kill_9_loses_nothing_doubles_nothing_and_leaves_no_stray_file(tmp_path: Path) -> None:
    promised: list[str] = []
    for number, count in enumerate((1, 40, 150)):
        said = killed_after(tmp_path, number * 100_000, count)
        assert said[0] == "open"
        promised += said[1:]
    asyncio.run(open_and_close(tmp_path))
    with Archive.open(tmp_path) as archive:
        rows = list(archive.all_history())
        slugs = [row.slug for row in rows]
        assert len(set(slugs)) == len(slugs)
        assert set(promised) <= set(slugs)
        for row in rows:
            manifest = archive.manifest(row)
            assert archive.body(manifest, "html").decoded == words(row.slug, "html", "")
    assert set(tree(tmp_path)) == {
        f"news.example/news/{slug}{end}" for slug in slugs for end in (".html", ".md")
    }
    assert not (tmp_path / "files" / ".part").exists()
    before = listed(tmp_path)
    reindex(tmp_path, SEEN)
    assert listed(tmp_path) == before
