"""What a path says of a site, an article and a snapshot, and what is answered to wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from storage.web.lists import known_article, known_site, known_snapshot
from storage.web.reading import RecentAnswers, ThreadArchive
from storage.web.request import Refusal, Request
from tests.storage.drafts import SEEN, SITE, UPDATED, article, hour, stored


def asked(**parts: str) -> Request:
    return Request(parts=parts, query={}, base="http://127.0.0.1", now=SEEN)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    stored(
        tmp_path, article("story", updated=UPDATED), article("..", updated=UPDATED),
        article("hidden", updated=UPDATED, private=True),
        article("story", updated=hour(1), seen=hour(1), edition=" 2", reason="edit"),
    )  # fmt: skip
    return tmp_path


def reading(root: Path, *, private: bool = False) -> ThreadArchive:
    return ThreadArchive(
        root, lambda: root, lambda: None, RecentAnswers(9), RecentAnswers(9), private=private
    )


@pytest.fixture
def archive(root: Path) -> Iterator[ThreadArchive]:
    with closing(reading(root)) as opened:
        yield opened


def test_a_site_is_known_by_its_name(archive: ThreadArchive) -> None:
    assert known_site(archive, asked(site=SITE)) == SITE
    with pytest.raises(Refusal, match=r"no site 'other\.example'"):
        known_site(archive, asked(site=SITE), "other.example")


def test_an_article_is_named_by_the_path_or_the_parameters(archive: ThreadArchive) -> None:
    query = Request(
        parts={}, query={"site": SITE, "slug": "story"}, base="http://127.0.0.1", now=SEEN
    )
    assert known_article(archive, query) == (SITE, "story")
    assert known_article(archive, asked(site=SITE, slug="story")) == (SITE, "story")


@pytest.mark.parametrize("slug", ["", "tale"])
def test_an_article_that_is_not_there_is_refused(archive: ThreadArchive, slug: str) -> None:
    with pytest.raises(Refusal, match="no article") as refused:
        known_article(archive, asked(site=SITE, slug=slug))
    assert refused.value.status == 404


def test_dots_that_a_client_would_fold_come_doubly_encoded(archive: ThreadArchive) -> None:
    assert known_article(archive, asked(site=SITE, slug="%2E%2E")) == (SITE, "..")


def test_a_snapshot_is_meant_by_its_key_or_by_its_number(archive: ThreadArchive) -> None:
    first = known_snapshot(archive, asked(), SITE, "story", "1")
    key = f"{first.updated_at:%Y-%m-%dT%H:%M:%SZ}.r{first.revision}"
    assert known_snapshot(archive, asked(), SITE, "story", key).sequence == first.sequence


@pytest.mark.parametrize(("spec", "status"), [("long ago", 400), ("99", 404)])
def test_a_snapshot_that_is_none_is_refused(archive: ThreadArchive, spec: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        known_snapshot(archive, asked(), SITE, "story", spec)
    assert refused.value.status == status


def test_a_private_snapshot_is_refused_as_one_that_is_not_shown(archive: ThreadArchive) -> None:
    with pytest.raises(Refusal, match="shows no snapshot"):
        known_snapshot(archive, asked(), SITE, "hidden", "1")


def test_who_may_see_private_snapshots_finds_them(root: Path) -> None:
    with closing(reading(root, private=True)) as opened:
        assert known_snapshot(opened, asked(), SITE, "hidden", "1").private
