"""What is exported as WARC, read back: record by record, or into another mirror."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from storage.archive import Archive
from storage.export.choosing import Chosen
from storage.export.warc import export_warc
from storage.reindex import reindex
from storage.segments.source import FileSource
from storage.warc_read import Parsed, inflate, read_member
from tests.storage.drafts import SEEN, SITE, article, event, hour, stored, write_segment
from tests.storage.verify.harming import problems

THREE = ("html", "text", "markdown")


def filled(root: Path) -> Path:
    """Make a mirror of edits, reverted words, a 304, an event and a private snapshot."""

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
