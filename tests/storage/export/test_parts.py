"""A part of an archive: nothing in it refers to what stays behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.archive import Archive
from storage.export.choosing import Chosen
from storage.export.warc import export_warc
from storage.reindex import reindex
from storage.segments.source import FileSource
from storage.warc_read import Parsed, inflate, read_member
from tests.storage.drafts import (
    SEEN,
    SITE,
    article,
    event,
    hour,
    stored,
    words,
    write_segment,
)
from tests.storage.verify.harming import problems

THREE = ("html", "text", "markdown")


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    """Return a mirror of edits, reverted words, a 304, an event and a private snapshot."""
    root = tmp_path / "m"

    def edition(slug: str, number: int, text: str, **more: Any) -> None:
        stored(root, article(slug, edition=text, seen=hour(number), updated=hour(number), **more))

    edition("a", 0, "", formats=THREE, coding="gzip")
    edition("a", 1, " 2", formats=THREE, coding="gzip", reason="edit")
    edition("a", 2, "", formats=THREE, coding="gzip", reason="reverted")
    edition("a", 3, "", formats=THREE, coding="gzip", reason="edit")
    edition("b", 0, "")
    edition("b", 1, " 2", not_modified=("html",), reason="edit")
    edition("c", 0, "", private=True)
    stored(root, event("gone", "b", seen=hour(2)), event("gone", "c", seen=hour(2)))
    return root


def exported(root: Path, to: Path, **wanted: Any) -> list[Parsed]:
    """Export with these wishes, and return the records that came out."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with Archive.open(root) as archive, to.open("wb") as out:
        count = export_warc(archive, out, Chosen(**{"every": True, **wanted}), now=SEEN)
    records = list(members(to))
    assert records[0].head.type == "warcinfo"
    manifests = [json.loads(r.body) for r in records if r.head.type == "metadata"]
    assert count == sum(one["kind"] == "snapshot" for one in manifests)
    return records


def members(path: Path) -> list[Parsed]:
    found = []
    at = 0
    with FileSource(path, path.name) as source:
        while at < source.size:
            length = inflate(source.chunks(at, source.size), keep=0).length
            found.append(read_member(source.read(at, length), verify=True))
            at += length
    return found


def bodies(root: Path) -> dict[tuple[str, int, str], bytes]:
    """Return every snapshot's every format, decoded."""
    found = {}
    with Archive.open(root) as archive:
        for row in archive.all_history():
            manifest = archive.manifest(row)
            for one in manifest.representations:
                body = archive.body(manifest, one.format).decoded
                found[row.slug, row.sequence, one.format] = body
    return found


def imported(root: Path, **wanted: Any) -> Path:
    """Make another mirror of what is exported, which verifies."""
    other = root.with_name("other")
    Archive.create(other).close()
    exported(root, other / "taken-out", **wanted)
    write_segment(other, f"{SITE}/taken-out.warc.gz", (other / "taken-out").read_bytes())
    reindex(other, SEEN)
    assert problems(other, deep=True) == []
    return other


@pytest.mark.parametrize(
    "wanted",
    [{"since": hour(1)}, {"since": hour(2)}, {"since": hour(3)}, {"at": hour(1)}, {"every": False}],
    ids=str,
)
def test_a_part_needs_nothing_that_stays_behind(mirror: Path, wanted: dict[str, Any]) -> None:
    every = bodies(mirror)
    taken = bodies(imported(mirror, **wanted))
    assert taken
    assert {key: every[key] for key in taken} == taken


def test_the_first_revisit_of_a_part_holds_the_bytes_and_later_ones_refer_to_it(
    mirror: Path, tmp_path: Path
) -> None:
    records = exported(mirror, tmp_path / "x.warc.gz", since=hour(2))
    page = [r for r in records if r.head.target_uri == f"https://{SITE}/news/a"]
    assert [r.head.type for r in page] == ["response", "revisit"]
    whole, again = page
    assert dict(whole.headers)["Content-Encoding"] == "gzip"
    assert again.head.refers_to == whole.head.id
    assert again.head.refers_to_date == whole.head.date == "2026-06-20T14:00:00Z"
    ids = [r.head.id for r in records]
    assert len(set(ids)) == len(ids)


def test_a_304_is_the_answer_that_it_stood_for(mirror: Path, tmp_path: Path) -> None:
    for since, kind in ((None, "revisit"), (hour(1), "response")):
        records = exported(mirror, tmp_path / f"{kind}.warc.gz", since=since)
        page = [r for r in records if r.head.target_uri == f"https://{SITE}/news/b"]
        (answer,) = [r for r in page if r.head.date == "2026-06-20T13:00:00Z"]
        assert (answer.head.type, answer.status, answer.reason) == (kind, 200, "OK")
        length = str(len(words("b", "html", "")))
        assert dict(answer.headers) == {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": length,
        }
        assert answer.body == (words("b", "html", "") if kind == "response" else b"")


def test_the_same_part_is_the_same_records_each_time(mirror: Path, tmp_path: Path) -> None:
    first = exported(mirror, tmp_path / "1.warc.gz", since=hour(2))
    second = exported(mirror, tmp_path / "2.warc.gz", since=hour(2))
    assert first[1:] == second[1:]
