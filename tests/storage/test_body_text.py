"""A text that a format's own bytes have is written once, and read as ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage.archive import Archive
from storage.body_text import put_back, taken_out
from storage.errors import DamageFound
from storage.model import BodyIn, Draft, Manifest, Record
from storage.segments.opening import open_segments
from storage.upkeep.salvage import without
from tests.storage.drafts import SITE, article, hour, keep, open_store, segments_of, stored, words
from tests.storage.verify.harming import problems

TEXT = "a line of news\n" * 5


def told(text: str | None = TEXT, slug: str = "story", **changes: object) -> Draft:
    """Return the draft of an article whose record has this text."""
    draft = article(slug, **changes)  # type: ignore[arg-type]  # as they are
    assert draft.manifest.record is not None
    record = structs.replace(draft.manifest.record, body_md=text)
    return structs.replace(draft, manifest=structs.replace(draft.manifest, record=record))


def written(root: Path, slug: str = "story") -> Manifest:
    """Return the newest manifest of an article as it stands in its segment."""
    with Archive.open(root) as archive:
        row = archive.history(SITE, slug)[-1]
    return open_segments(root).manifest(row.segment, row.offset).manifest


def read(root: Path, slug: str = "story") -> str | None:
    """Return the text that a reader is given."""
    with Archive.open(root) as archive:
        manifest = archive.newest(SITE, slug)
    assert manifest is not None
    assert manifest.record is not None
    assert manifest.body_in is None
    return manifest.record.body_md


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_text_that_markdown_holds_is_not_written_again(coding: str, tmp_path: Path) -> None:
    stored(tmp_path, told(coding=coding))
    manifest = written(tmp_path)
    assert manifest.record is not None
    assert manifest.record.body_md is None
    start = len(words("story", "markdown", "")) - len(TEXT)
    assert manifest.body_in == BodyIn(format="markdown", start=start, length=len(TEXT))
    assert read(tmp_path) == TEXT


@pytest.mark.parametrize("text", ["nobody's words", "", None])
def test_a_text_that_no_body_holds_is_written(text: str | None, tmp_path: Path) -> None:
    stored(tmp_path, told(text))
    manifest = written(tmp_path)
    assert manifest.body_in is None
    assert read(tmp_path) == text


def test_a_text_whose_body_stands_in_an_earlier_group_is_written(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    keep(store, told())
    later = told(seen=hour(1), updated=hour(1), reason="edit", not_modified=["markdown"])
    keep(store, later)
    store.close()
    assert written(tmp_path).body_in is None
    assert read(tmp_path) == TEXT


def test_a_body_that_lost_its_record_takes_the_text_with_it(tmp_path: Path) -> None:
    stored(tmp_path, told())
    manifest = written(tmp_path)
    lost = {one.record_id for one in manifest.representations if one.format == "markdown"}
    assert without(manifest, lost).body_in is None
    others = {one.record_id for one in manifest.representations if one.format == "html"}
    assert without(manifest, others).body_in == manifest.body_in


def test_an_archive_of_the_first_version_is_read_and_written_on(tmp_path: Path) -> None:
    old = told(slug="old")
    stored(tmp_path, structs.replace(old, manifest=structs.replace(old.manifest, format=1)))
    (tmp_path / "mirror.json").write_text(
        (tmp_path / "mirror.json").read_text().replace('"format":3', '"format":1')
    )
    assert read(tmp_path, "old") == TEXT
    stored(tmp_path, told(slug="new"), now=hour(1))
    assert '"format":3' in (tmp_path / "mirror.json").read_text()
    assert (read(tmp_path, "old"), read(tmp_path, "new")) == (TEXT, TEXT)
    assert not problems(tmp_path)


@pytest.mark.parametrize(
    "place",
    [
        BodyIn(format="markdown", start=0, length=100_000),
        BodyIn(format="text", start=0, length=1),
    ],
)
def test_a_text_that_is_not_where_it_should_be_is_damage(place: BodyIn, tmp_path: Path) -> None:
    draft = article()
    stored(
        tmp_path, structs.replace(draft, manifest=structs.replace(draft.manifest, body_in=place))
    )
    with Archive.open(tmp_path) as archive:
        (row,) = archive.history(SITE, "story")
        with pytest.raises(DamageFound, match="text"):
            archive.manifest(row)
    (problem,) = problems(tmp_path)
    assert "text is in a body that it has not" in problem.why


def test_damage_to_the_bytes_of_a_text_hides_nothing_else(tmp_path: Path) -> None:
    stored(tmp_path, told(formats=("html", "markdown")))
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[-40] ^= 1  # in the Markdown, which stands last
    segment.write_bytes(data)
    with Archive.open(tmp_path) as archive:
        (row,) = archive.history(SITE, "story")
        with pytest.raises(DamageFound):
            archive.manifest(row)
        assert archive.body(archive.manifest(row, text=False), "html").decoded
        newest = archive.newest(SITE, "story")
    assert newest is not None
    assert newest.record is not None
    assert (newest.record.title, newest.record.body_md, newest.body_in) == (
        "The story",
        None,
        None,
    )


def test_a_text_that_is_no_utf_8_is_never_taken_out() -> None:
    text = "\ud800 stray"
    manifest = structs.replace(
        article().manifest, record=Record(slug="story", url="https://news.example/", body_md=text)
    )
    assert taken_out(manifest, [("markdown", text.encode("utf-8", "surrogatepass"))]) is manifest


@given(before=st.text(), text=st.text(min_size=1), after=st.text())
def test_what_is_taken_out_is_put_back(before: str, text: str, after: str) -> None:
    manifest = structs.replace(
        article().manifest, record=Record(slug="story", url="https://news.example/", body_md=text)
    )
    body = (before + text + after).encode()
    short = taken_out(manifest, [("markdown", body)])
    assert short.record is not None
    assert short.record.body_md is None
    assert put_back(short, body) == manifest
