"""Where things stand in a mirror's folder, and the file that says it is one.

FORMAT.md has the layout. ``mirror.json`` is written first of all, whole and durable, so
that a folder either is a mirror or is not.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from storage.errors import InTheWay, NewerFormat, NotAMirror, os_errors
from storage.model import FORMAT_VERSION

SEGMENTS = "segments"
FILES = "files"
RUNS = "runs"
LOST = "lost"
LOCK = ".lock"
MARK = "mirror.json"
INDEX = "index.sqlite"
FULLTEXT = "fulltext.sqlite"
CATALOGUE = "catalogue.sqlite"
_PART = ".mirror.json.part"
#: Bytes of mirror.json: it has a number and a word.
_MOST_MARK = 64 << 10
_FOLDERS = (SEGMENTS, FILES, RUNS, LOST)
_PLAIN = (
    MARK,
    LOCK,
    *(
        base + end
        for base in (INDEX, FULLTEXT, CATALOGUE)
        for end in ("", "-wal", "-shm", "-journal")
    ),
    _PART,
)


class Mark(Struct, frozen=True, kw_only=True):
    """What mirror.json holds: the version of everything beside it."""

    format: int
    made_by: str = "slugline"


def check(root: Path) -> None:
    """Make sure that ``root`` is a mirror that this code can read, and that all of it is in there.

    Raises NotAMirror, InTheWay, and NewerFormat where a later slugline wrote it.
    """
    path = root / MARK
    if not root.is_dir():
        raise NotAMirror(root, "there is no such folder" if not root.exists() else "not a folder")
    if not path.is_file():
        raise NotAMirror(root, f"it has no {MARK}")
    check_kinds(root)
    with os_errors(f"reading {path}"), path.open("rb") as file:
        text = file.read(_MOST_MARK + 1)
    if len(text) > _MOST_MARK:
        raise NotAMirror(root, f"its {MARK} has more than {_MOST_MARK} bytes")
    try:
        mark = msgspec.json.decode(text, type=Mark)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAMirror(root, f"its {MARK} can't be read: {error}") from error
    if mark.format > FORMAT_VERSION:
        raise NewerFormat(root, mark.format, FORMAT_VERSION)
    if mark.format < 1:
        raise NotAMirror(root, f"its {MARK} says format {mark.format}, and there is none below 1")


def check_kinds(root: Path) -> None:
    """Raise InTheWay where a link, or another kind of thing, has the name of a part of the mirror.

    A mirror that somebody gave us must not lead reads or writes out of its folder.
    """
    for name in _FOLDERS:
        _check_kind(root / name, stat.S_ISDIR, "a folder")
    for name in _PLAIN:
        _check_kind(root / name, stat.S_ISREG, "a file")


def _check_kind(path: Path, right: Callable[[int], bool], wanted: str) -> None:
    with os_errors(f"looking at {path}"):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            return
    if not right(mode):
        raise InTheWay(path, wanted)


def make(root: Path) -> None:
    """Make ``root`` a mirror where it is new or empty; leave one that is there as it is.

    Raises NotAMirror where something else is in the folder, and what ``check`` raises.
    """
    if (root / MARK).is_file():
        check(root)
        return
    may_make(root)
    with os_errors(f"making the mirror {root}"):
        root.mkdir(parents=True, exist_ok=True)
        write_durably(root / MARK, root / _PART, msgspec.json.encode(Mark(format=FORMAT_VERSION)))
        sync_folder(root.parent)


def may_make(root: Path) -> None:
    """Raise NotAMirror unless ``root`` is a mirror, is not there yet, or is an empty folder."""
    if (root / MARK).is_file():
        # Before the lock is taken: taking it writes.
        check_kinds(root)
        return
    if not root.exists():
        return
    if not root.is_dir():
        raise NotAMirror(root, "not a folder")
    with os_errors(f"reading {root}"):
        # What a run that was killed before its first durable file left behind is nothing.
        others = {entry.name for entry in root.iterdir()} - {LOCK, _PART}
    if others:
        raise NotAMirror(root, f"it has no {MARK}, and other files are in it: choose a new folder")


def write_durably(path: Path, part: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a power cut leaves the old or the new, whole.

    ``part`` is the temporary name beside it. Raises OSError.
    """
    with part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable (POSIX keeps them apart from the files)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
