"""What the archive has of an article, as a new reading of it is judged by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from crawler.article.format_set import Known
from crawler.article.kept import (
    by_title,
    earlier_contents,
    extracted_otherwise,
    known_article,
    redigested,
)
from crawler.article.reading import Reading
from crawler.article.snapshot import Candidate, Context, consider
from crawler.digest import content_digest
from storage.archive import Archive
from storage.model import Manifest, Site
from tests.crawler.desk import desk
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page, SmallSite, article

WORDS = ("Some words. ", "Other words. ", "Words once more. ")


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite({"/a": written(0)}) as small:
        yield small


def written(edition: int) -> Page:
    return structs.replace(
        article("The bridge", words=WORDS[edition] * 40), headers={"ETag": f'"{edition}"'}
    )


async def keep(site: SmallSite, root: Path, edition: int) -> Reading:
    """Keep the article as it is in ``edition``; returns what was read."""
    site.pages["/a"] = written(edition)
    async with desk(site, root) as made:
        reading = await made.read("/a")
        await made.keep(reading)
    return reading


def judged(reading: Reading, newest: Manifest) -> Candidate:
    where = Site(name="site", scope="https://news.example/")
    return consider(reading, "a", newest, Context(site=where, run="r", now=NOW))


async def test_a_known_article_is_its_newest_snapshot_and_its_formats_validators(
    site: SmallSite, tmp_path: Path
) -> None:
    for edition in (0, 1):
        await keep(site, tmp_path, edition)
    with Archive.open(tmp_path) as archive:
        known = known_article(archive, "site", "a")
        assert known.newest == archive.newest("site", "a")
        assert {each.etag for each in known.stored().values()} == {'"1"'}
        assert known_article(archive, "site", "b") == Known()
        assert known_article(archive, "other", "a") == Known()


async def test_articles_are_found_by_their_titles_with_white_space_folded(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/b": article("The\u00a0 bridge"), "/c": article("The ferry")}
    async with desk(site, tmp_path) as made:
        for path in ("/a", "/b", "/c"):
            await made.keep(await made.read(path))
    with Archive.open(tmp_path) as archive:
        assert by_title(archive, "site") == {"The bridge": ["a", "b"], "The ferry": ["c"]}
        assert by_title(archive, "other") == {}


async def test_earlier_contents_are_those_with_the_same_words_before_the_newest(
    site: SmallSite, tmp_path: Path
) -> None:
    for edition in (0, 1, 2):
        reading = await keep(site, tmp_path, edition)
    digest = content_digest(reading.copies["html"].facts)
    assert digest is not None
    with Archive.open(tmp_path) as archive:
        first, _, newest = (archive.manifest(row) for row in archive.history("site", "a"))
        words = first.content
        assert earlier_contents(archive, newest, words) == [words]
        assert earlier_contents(archive, newest, newest.content) == []
        assert earlier_contents(archive, newest, {"html": digest}) == []


async def test_digests_of_an_older_extractor_are_made_again_from_the_stored_bytes(
    site: SmallSite, tmp_path: Path
) -> None:
    reading = await keep(site, tmp_path, 0)
    with Archive.open(tmp_path) as archive:
        newest = archive.newest("site", "a")
        assert newest is not None
        older = {
            source: structs.replace(each, extractor=f"{source}/0", digest="of other rules")
            for source, each in newest.content.items()
        }
        before = structs.replace(newest, content=older)
        assert not extracted_otherwise(newest, judged(reading, newest))
        assert extracted_otherwise(before, judged(reading, before))
        assert redigested(archive, before, reading) == newest


async def test_a_body_that_can_not_be_read_any_more_gives_no_digest(
    site: SmallSite, tmp_path: Path
) -> None:
    reading = await keep(site, tmp_path, 0)
    with Archive.open(tmp_path) as archive:
        newest = archive.newest("site", "a")
        assert newest is not None
        away = tuple(structs.replace(each, record_id="") for each in newest.representations)
        lost = structs.replace(newest, representations=away)
        assert redigested(archive, lost, reading).content == {}
