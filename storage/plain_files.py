"""The tree of plain files: every format's newest bytes, decoded, under ``files/``.

Derived and never fsynced, but each file is whole at any instant: written aside, given the time at
which it was fetched, then renamed. All temporary files stand in one folder, which is emptied at
open and gone after close. The index keeps a watermark, so that a run that was killed leaves
its successor to write what is still owed.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from storage import layout
from storage.codings import BytesLike, CodingError, decode
from storage.errors import DamageFound, InTheWay, making, os_errors
from storage.files import is_file_name, is_safe
from storage.index.index import Index
from storage.index.naming import AS_ITS_URL, file_of
from storage.index.packing import mark_of, unpacked
from storage.index.rows import Row, from_micros, to_micros, values_of
from storage.segments.names import place_of
from storage.warc import most_of

#: The folder of temporary files inside the tree.
PART = ".part"
#: The watermark's key in the table ``meta``: the last representation whose file is written. Of a
#: folder that shares its index, what names the folder follows.
WATERMARK = "files"
#: Representations taken from the index at once.
_PAGE = 500
#: Folders remembered as folders: a site's million articles may each have one of its own.
_MOST_FOLDERS = 10_000

#: Each with whether a later one under the same name has bytes too.
_OWED = """
    SELECT owed.*, snapshots.segment AS segment, NOT EXISTS (
        SELECT 1 FROM representations AS later
        WHERE later.article = owed.article AND later.format = owed.format
          AND later.sequence > owed.sequence AND later.record_id != ''
          AND later.file = owed.file AND (owed.file != :as_its_url OR later.url = owed.url)
    ) AS newest
    FROM representations AS owed
      JOIN articles ON articles.n = owed.article
      JOIN snapshots ON snapshots.site = articles.site AND snapshots.slug = articles.slug
       AND snapshots.sequence = owed.sequence
    WHERE owed.n > :done AND owed.file != '' AND owed.record_id != ''
    ORDER BY owed.n LIMIT :page
"""
#: Whether another article's representation at the URL has bytes that were fetched later.
_ELSEWHERE = """
    SELECT 1 FROM urls JOIN representations AS other ON other.article = urls.article
    WHERE urls.mark = :mark AND urls.format = :format AND urls.article != :article
      AND other.format = urls.format AND other.url = :url AND other.file = :file
      AND other.fetched_at > :fetched_at AND other.record_id != ''
"""

#: From a record's id to its stored body, as received.
BodyOf = Callable[[str], BytesLike]


class Tree:
    """A folder of plain files. State: ``written``, how many were, and folders known to be folders.

    Inside the folder no link is followed: it may lead out of the mirror. A file that has its bytes
    already is not written.
    """

    def __init__(self, root: Path, part: str = PART, mark: str = WATERMARK) -> None:
        """``root`` is the tree's folder, ``part`` the one in it that is ours to empty.

        Under ``mark`` the index notes how far it is written: see ``mark_of_folder``.
        """
        self.root = root
        self.mark = mark
        self._part = root / part
        self.written = 0
        self._folders: set[Path] = {root}

    def open(self) -> None:
        """Make the folder, and clear what a killed run left in ``.part``.

        Raises BadPlace where it is none and can't be made, ReadOnly, DiskFull, StoreFailed.
        """
        with os_errors(f"opening {self.root}"):
            if self._part.exists():
                shutil.rmtree(self._part)
            with making(self.root):
                self._part.mkdir(parents=True)

    def close(self) -> None:
        """Take the folder of temporary files away."""
        with os_errors(f"closing {self.root}"):
            shutil.rmtree(self._part)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def look_again(self) -> None:
        """Take no folder for one any more: others may have removed it."""
        self._folders = {self.root}

    def write(self, name: str, body: bytes, fetched_at: datetime) -> None:
        """Put ``body`` at ``name`` in one step, its modification time the moment of the fetch.

        Raises ValueError for a name that leaves the tree, and DiskFull, ReadOnly, StoreFailed;
        InTheWay where a link or a file stands in a folder's place.
        """
        if not is_safe(name):
            raise ValueError(f"{name!r} is no name for a file in {self.root}")
        path = self.root / name
        moment = to_micros(fetched_at) * 1_000
        part = self._part / str(self.written)
        with os_errors(f"writing {path}"):
            self._make_folder(path.parent)
            if not _holds(path, body):
                part.write_bytes(body)
                os.utime(part, ns=(moment, moment))
                part.replace(path)
                self.written += 1
            elif path.stat().st_mtime_ns != moment:
                os.utime(path, ns=(moment, moment))

    def _make_folder(self, folder: Path) -> None:
        """Make a folder of the tree, and those above it; each is one itself, and no link to one."""
        if folder in self._folders:
            return
        self._make_folder(folder.parent)
        try:
            folder.mkdir(exist_ok=True)
            real = stat.S_ISDIR(folder.lstat().st_mode)
        except FileExistsError:
            real = False
        if not real:
            raise InTheWay(folder, "a folder")
        if len(self._folders) >= _MOST_FOLDERS:
            self._folders = {self.root}
        self._folders.add(folder)


def _holds(path: Path, body: bytes) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(found.st_mode) or found.st_size != len(body):
        return False
    with path.open("rb") as file:
        return sha256(file.read()).digest() == sha256(body).digest()


def mark_of_folder(root: Path) -> str:
    """Return the watermark's key for the mirror folder ``root``: others may share its index."""
    folder = layout.check(root).folder
    return f"{WATERMARK} {folder}" if folder else WATERMARK


def watermark(index: Index, mark: str = WATERMARK) -> int:
    """Return the number of the last representation whose file is known to be written."""
    with values_of("meta"):
        return int(index.note(mark) or 0)


def write_owed(index: Index, tree: Tree, body_of: BodyOf) -> int:
    """Write every file that the index owes the tree; return how many were not there as they are.

    After a reindex it owes them all, and nearly all are there.
    ``body_of`` is asked for stored bodies by the id of the response that holds them. Raises
    DamageFound where one does not decode to what its manifest says.
    """
    before = tree.written
    done = watermark(index, tree.mark)
    while page := index.ask(_OWED, done=done, page=_PAGE, as_its_url=AS_ITS_URL):
        for row in page:
            with values_of("representations"):
                name = file_of(row)
            if row["newest"] and is_file_name(name) and not _is_elsewhere(index, row):
                tree.write(name, decoded(row, body_of), from_micros(row["fetched_at"]))
        done = page[-1]["n"]
        index.set_note(tree.mark, str(done))
    return tree.written - before


def _is_elsewhere(index: Index, row: Row) -> bool:
    shown = {name: row[name] for name in ("article", "format", "url", "file", "fetched_at")}
    return index.ask_one(_ELSEWHERE, mark=mark_of(row["url"]), **shown) is not None


def decoded(row: Row, body_of: BodyOf) -> bytes:
    """Return a representation's bytes without their content coding, checked against its row.

    Raises DamageFound where they are others.
    """
    with values_of("representations"):
        stored = body_of(unpacked(row["target_id"] or row["record_id"]))
    where = place_of(row["segment"], row["offset"])
    try:
        most = min(row["size"], most_of(len(stored)))
        body = decode(stored, row["content_encoding"], most) if stored else b""
    except CodingError as error:
        raise DamageFound(where, f"{row['url']} does not decode: {error}") from error
    if len(body) != row["size"]:
        raise DamageFound(where, f"{row['url']} has {len(body)} bytes, not {row['size']}")
    if sha256(body).hexdigest() != unpacked(row["digest"]):
        raise DamageFound(where, f"the bytes of {row['url']} are not those of its digest")
    return body
