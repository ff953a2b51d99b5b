"""What another process is told of a snapshot: where its formats are, and no more."""

from __future__ import annotations

from msgspec import structs

from crawler.readers.remote import slim
from storage.model import Finding
from tests.storage.drafts import article


def test_what_says_nothing_of_the_formats_stays_behind() -> None:
    told = structs.replace(
        article("a").manifest, said={"title": "html"}, findings=(Finding(kind="x", detail="y"),)
    )
    slimmed = slim(told)
    assert slimmed is not None
    assert slimmed.representations == told.representations
    assert (slimmed.site, slimmed.slug, slimmed.key) == (told.site, told.slug, told.key)
    assert (slimmed.record, slimmed.said, slimmed.findings) == (None, {}, ())


def test_an_article_without_a_snapshot_has_nothing_to_tell() -> None:
    assert slim(None) is None
