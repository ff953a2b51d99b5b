"""A snapshot as one flat row: the seed's fields first, then what the archive knows besides."""

from __future__ import annotations

from pathlib import Path

from storage.archive import Archive
from storage.export.choosing import Chosen, Taken, taken
from storage.export.table import SEED, further_fields, seed_fields
from storage.model import ContentDigest, Finding
from tests.storage.drafts import SEEN, SITE, UPDATED, article, event, hour, stored
from tests.storage.export.test_choosing import about


def rows(root: Path) -> list[Taken]:
    with Archive.open(root) as archive:
        return list(taken(archive, Chosen(every=True)))


def test_the_seeds_fields_come_in_the_seeds_order(tmp_path: Path) -> None:
    stored(tmp_path, about(article(), topics=("ai",), lang="en"))
    (one,) = rows(tmp_path)
    fields = seed_fields(one)
    assert tuple(fields) == SEED
    assert (fields["slug"], fields["topics"], fields["lang"]) == ("story", ("ai",), "en")


def test_a_snapshot_without_a_record_has_its_slug_and_url(tmp_path: Path) -> None:
    stored(tmp_path, article(record=None))
    (one,) = rows(tmp_path)
    fields = seed_fields(one)
    assert tuple(fields) == SEED
    assert {name: value for name, value in fields.items() if value} == {
        "slug": "story", "url": f"https://{SITE}/news/story",
    }  # fmt: skip


def test_what_the_archive_knows_besides_follows(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article(
            state="partial", missing={"text": "404"}, usage={"html: tdm-reservation": "1"},
            findings=(Finding(kind="date-only", detail="no edit", formats=("html",)),),
            content={"html": ContentDigest(digest="ab" * 32, extractor="t/1")},
        ),
        event("gone", seen=hour(3)),
    )  # fmt: skip
    (one,) = rows(tmp_path)
    further = further_fields(one)
    assert not set(further) & set(SEED)
    assert (further["site"], further["sequence"], further["revision"]) == (SITE, 1, 0)
    assert (further["key_updated_at"], further["fetched_at"]) == (UPDATED, SEEN)
    assert (further["state"], further["missing"]) == ("partial", {"text": "404"})
    assert further["gone_at"] == hour(3)
    assert further["content"] == [{"source": "html", "digest": "ab" * 32, "extractor": "t/1"}]
    assert further["findings"] == [{"kind": "date-only", "detail": "no edit", "formats": ["html"]}]
    assert further["reserved"]
    assert [each["format"] for each in further["formats"]] == ["html", "markdown"]
    assert all(each["stored"] for each in further["formats"])
