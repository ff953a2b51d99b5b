"""Export: a WACZ 1.1.1 package: a WARC file, its index and its pages in one zip.

What is packed already is stored, so that a replay tool reads a page out of the middle of the zip.
The parts are written once, in the order in which they come to be, and digests over them last: so
it goes into a pipe as well. The index is sorted in temporary files.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from tempfile import TemporaryFile
from typing import IO, BinaryIO

import msgspec

from storage.archive import Archive
from storage.export.cdx import Sorter, cdx_line, write_blocks
from storage.export.choosing import EVERYTHING, Chosen
from storage.export.parts import Member
from storage.export.warc import export_warc
from storage.index.rows import EventRow, SnapshotRow
from storage.model import Manifest, Representation
from storage.times import format_utc

WACZ_VERSION = "1.1.1"
_WARC, _CDX, _IDX = "data.warc.gz", "index.cdx.gz", "index.idx"
#: Bytes copied at once.
_COPY = 1 << 20


def export_wacz(
    archive: Archive, out: BinaryIO, chosen: Chosen = EVERYTHING, *, now: datetime
) -> int:
    """Write the snapshots chosen to ``out`` and return how many.

    Events too, as in export_warc. Raises DamageFound, and OSError as ``out`` does and as temporary
    files do.
    """
    with (
        zipfile.ZipFile(out, "w") as package,
        Sorter() as lines,
        TemporaryFile() as pages,
        TemporaryFile() as idx,
    ):
        parts = _Parts(package, now)
        pages.write(_json({"format": "json-pages-1.0", "id": "pages", "title": "All pages"}))

        def heard(
            row: SnapshotRow | EventRow, manifest: Manifest, member: Member, offset: int
        ) -> None:
            if member.answer is not None:
                length = len(member.data)
                lines.add(cdx_line(member.answer, offset=offset, length=length, filename=_WARC))
            elif isinstance(row, SnapshotRow) and (one := _page_of(manifest)):
                pages.write(_page(row, one))

        with parts.opened(f"archive/{_WARC}", packed=True) as file:
            count = export_warc(archive, file, chosen, now=now, name=_WARC, heard=heard)
        with parts.opened(f"indexes/{_CDX}", packed=True) as file:
            idx.writelines(write_blocks(lines.in_order(), file, _CDX))
        parts.copy(f"indexes/{_IDX}", idx)
        parts.copy("pages/pages.jsonl", pages)
        parts.describe(chosen.site)
        return count


class _Parts:
    """Writes the package's files. State: what each is called, how long it is, its digest."""

    def __init__(self, package: zipfile.ZipFile, now: datetime) -> None:
        self._package = package
        self._now = now
        self._resources: list[dict[str, object]] = []

    @contextmanager
    def opened(self, path: str, *, packed: bool) -> Iterator[BinaryIO]:
        """Give a stream for the file at ``path``; ``packed``: it is to be stored as it is."""
        entry = zipfile.ZipInfo(path, self._now.astimezone(UTC).timetuple()[:6])
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        # A plain file for everyone: zipfile would let nobody read it.
        entry.external_attr = 0o644 << 16
        with self._package.open(entry, "w", force_zip64=True) as file:
            digested = _Digested(file)
            yield digested  # type: ignore[misc]  # only written
        self._resources.append(
            {
                "name": path.rpartition("/")[2],
                "path": path,
                "hash": digested.digest,
                "bytes": digested.size,
            }
        )

    def copy(self, path: str, source: IO[bytes]) -> None:
        """Write the file at ``path`` from a temporary one."""
        source.seek(0)
        with self.opened(path, packed=False) as file:
            while piece := source.read(_COPY):
                file.write(piece)

    def describe(self, site: str | None) -> None:
        """Write datapackage.json, and the digest of it."""
        package = {
            "profile": "data-package",
            "wacz_version": WACZ_VERSION,
            "title": f"Articles of {site}" if site else "Articles of a mirror",
            "software": f"slugline {version('slugline')}",
            "created": format_utc(self._now.replace(microsecond=0)),
            "resources": list(self._resources),
        }
        with self.opened("datapackage.json", packed=False) as file:
            file.write(_json(package))
        told = {"path": "datapackage.json", "hash": self._resources[-1]["hash"]}
        with self.opened("datapackage-digest.json", packed=False) as file:
            file.write(_json(told))


class _Digested:
    """A stream that is only written, and knows the length and digest of what was."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self.size = 0

    @property
    def digest(self) -> str:
        return f"sha256:{self._sha256.hexdigest()}"

    def write(self, data: bytes) -> int:
        self._sha256.update(data)
        self.size += len(data)
        return self._file.write(data)


def _page_of(manifest: Manifest) -> Representation | None:
    """Return what a person opens of a snapshot: its HTML, or else whatever there is."""
    stored = [one for one in manifest.representations if one.record_id]
    return next((one for one in stored if one.format == "html"), stored[0] if stored else None)


def _page(row: SnapshotRow, one: Representation) -> bytes:
    seen = one.fetched_at.replace(microsecond=0)
    return _json(
        {
            "id": row.id.rpartition(":")[2],
            "url": one.final_url,
            "ts": format_utc(seen),
            "title": row.title or row.slug,
        }
    )


def _json(value: object) -> bytes:
    return msgspec.json.encode(value) + b"\n"
