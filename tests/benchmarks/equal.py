"""What a client has kept, as SHA-256: read back after the clock has stopped, whatever the names."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fastwarc.warc import ArchiveIterator, WarcRecordType

from storage.archive import Archive
from storage.codings import CodingError, decode

#: Folders of a client's own, where it keeps copies that nobody would call the mirror.
CACHES = frozenset({".cache", "hts-cache"})
#: Decoded bytes of a body that are looked at: none of this site's is near that.
MOST = 1 << 26


def kept(out: Path) -> set[str]:
    """Return the digest of every body that a client left in ``out``.

    A mirror of slugline's is read through its archive; where it has plain files, only what both
    hold counts. Of other WARC files the answers count.
    """
    mirror = out / "m"
    if not (mirror / "mirror.json").exists():
        answers = {digest for file in out.glob("*.warc.gz") for digest in _answers(file)}
        return answers | set(_files(out))
    archived = set(_archived(mirror))
    tree = mirror / "files"
    return archived & set(_files(tree)) if tree.exists() else archived


def _archived(mirror: Path) -> Iterator[str]:
    with Archive.open(mirror) as archive:
        for row in archive.newest_all():
            manifest = archive.manifest(row)
            for one in manifest.representations:
                if one.record_id:
                    yield hashlib.sha256(archive.body(manifest, one.format).decoded).hexdigest()


def _answers(file: Path) -> Iterator[str]:
    with file.open("rb") as stream:
        for record in ArchiveIterator(stream, record_types=WarcRecordType.response):
            coding = record.http_headers.get("Content-Encoding") or ""
            with suppress(CodingError):
                plain = decode(record.reader.read(), coding, MOST)
                yield hashlib.sha256(plain).hexdigest()


def disk(out: Path) -> int:
    """Return the bytes of all files that a client left in ``out``."""
    return sum(file.stat().st_size for file in out.rglob("*") if file.is_file())


def _files(root: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in CACHES]
        for name in names:
            with Path(folder, name).open("rb") as file:
                yield hashlib.file_digest(file, "sha256").hexdigest()
