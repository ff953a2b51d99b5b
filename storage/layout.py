"""Where things stand in a mirror's folder, and the file that says it is one.

FORMAT.md has the layout. ``mirror.json`` is written first of all, whole and durable, so
that a folder either is a mirror or is not. It also names the database and the bucket of a mirror
whose index or segments are not in the folder, without any secret.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import UNSET, Struct, UnsetType, structs

from storage.errors import InTheWay, NewerFormat, NotAMirror, UnusablePlace, os_errors
from storage.model import FORMAT_VERSION

SEGMENTS = "segments"
FILES = "files"
RUNS = "runs"
LOST = "lost"
SPOOL = "spool"
LOCK = ".lock"
MARK = "mirror.json"
INDEX = "index.sqlite"
FULLTEXT = "fulltext.sqlite"
CATALOGUE = "catalogue.sqlite"
_PART = ".mirror.json.part"
#: A segment's file below SEGMENTS, as storage.segments.names has it.
_SEGMENT = "*/*.warc.gz"
#: The version of a mirror: one more than its segments', since 2 was a mirror of the first version
#: of which something is elsewhere. Who knows less must not take it for an empty one.
_VERSION = FORMAT_VERSION + 1
_INDEX_SCHEMES = ("postgresql", "postgres")
#: What libpq takes for secrets in a URL's query.
_SECRETS = frozenset({"password", "sslpassword"})
_SEGMENT_SCHEMES = ("s3", "gs", "az", "file")
#: Bytes of mirror.json: it has a number and some words.
_MOST_MARK = 64 << 10
_FOLDERS = (SEGMENTS, FILES, RUNS, LOST, SPOOL)
#: A database's file, and what SQLite keeps beside it while it is open.
SQLITE_ENDS = ("", "-wal", "-shm", "-journal")
_PLAIN = (
    MARK,
    LOCK,
    *(base + end for base in (INDEX, FULLTEXT, CATALOGUE) for end in SQLITE_ENDS),
    _PART,
)


class Leftover(Struct, frozen=True, kw_only=True):
    """A place at which a move that is not over, or was killed, may have left copies.

    ``url`` is that of an index or of segments, as in Places; None: the mirror's folder.
    """

    what: Literal["index", "segments"]
    url: str | None = None


class Places(Struct, frozen=True, kw_only=True):
    """Where a mirror is: its folder, and the URLs of its index and segments, None: in the folder.

    ``index`` is ``postgresql://host/database?schema=name``, ``segments`` is ``s3://bucket/prefix``
    or another store's. Neither has a secret in it. ``folder`` tells this folder from others whose
    index is the same one.
    """

    root: Path
    index: str | None = None
    segments: str | None = None
    left: Leftover | None = None
    folder: str = ""

    @property
    def local(self) -> bool:
        """True where all of it is in the folder."""
        return self.index is None and self.segments is None


class Mark(Struct, frozen=True, kw_only=True):
    """What mirror.json holds: the version of everything beside it, and what is elsewhere.

    ``left`` and ``folder``: as in Places.
    """

    format: int
    made_by: str = "slugline"
    index: str | UnsetType = UNSET
    segments: str | UnsetType = UNSET
    left: Leftover | UnsetType = UNSET
    folder: str | UnsetType = UNSET


def check(root: Path) -> Places:
    """Make sure that ``root`` is a mirror that this code can read, and return where all of it is.

    Raises NotAMirror, InTheWay, UnusablePlace, and NewerFormat where a later slugline wrote it.
    """
    return _places(root, _mark(root))


def _mark(root: Path) -> Mark:
    """Read mirror.json. Raises as ``check``."""
    path = root / MARK
    if not root.is_dir():
        raise NotAMirror(root, "there is no such folder" if not root.exists() else "not a folder")
    if not path.is_file():
        raise NotAMirror(root, f"it has no {MARK}{_brings_back(root)}")
    check_kinds(root)
    with os_errors(f"reading {path}"), path.open("rb") as file:
        text = file.read(_MOST_MARK + 1)
    if len(text) > _MOST_MARK:
        raise NotAMirror(root, f"its {MARK} has more than {_MOST_MARK} bytes")
    try:
        mark = msgspec.json.decode(text, type=Mark)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAMirror(root, f"its {MARK} can't be read: {error}") from error
    if mark.format > _VERSION:
        raise NewerFormat(root, mark.format, _VERSION)
    if mark.format < 1:
        raise NotAMirror(root, f"its {MARK} says format {mark.format}, and there is none below 1")
    return mark


def _places(root: Path, mark: Mark) -> Places:
    """Return where all of a mirror is. Raises UnusablePlace."""
    places = Places(
        root=root,
        index=mark.index or None,
        segments=mark.segments or None,
        left=mark.left or None,
        folder=mark.folder or "",
    )
    check_urls(places)
    return places


def check_urls(places: Places) -> None:
    """Raise UnusablePlace where a URL of ``places`` is of no known kind, or has a secret in it."""
    if places.index is not None:
        _check_url("index", places.index, _INDEX_SCHEMES, "set PGPASSWORD or write ~/.pgpass")
    if places.segments is not None:
        instead = "the store's own environment variables hold them"
        _check_url("segments", places.segments, _SEGMENT_SCHEMES, instead)
    if places.left is not None:
        of_index = places.left.what == "index"
        index, segments = (places.left.url, None) if of_index else (None, places.left.url)
        check_urls(Places(root=places.root, index=index, segments=segments))


def _check_url(what: str, url: str, schemes: tuple[str, ...], instead: str) -> None:
    try:
        parts = urlsplit(url)
        # asked for, so that one out of range is told of here
        _ = parts.port
        secret = parts.password is not None or not _SECRETS.isdisjoint(parse_qs(parts.query))
    except ValueError as error:
        raise UnusablePlace(what, "this URL", str(error)) from error
    if secret or (what == "segments" and parts.username is not None):
        shown = f"{parts.scheme}://…@{parts.hostname}"
        raise UnusablePlace(what, shown, f"no password may stand in it: {instead}")
    if parts.scheme not in schemes:
        raise UnusablePlace(what, url, f"it has to begin with {' or '.join(schemes)}, and ://")


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


def make(root: Path, index: str | None = None, segments: str | None = None) -> Places:
    """Make ``root`` a mirror where it is new or empty; leave one that is there as it is.

    ``index`` and ``segments``: the URLs of what is to be elsewhere, as in Places; for a new mirror
    the environment's SLUGLINE_INDEX and SLUGLINE_SEGMENTS stand for what is not given. A database's
    URL that names no schema gets one of the mirror's own, and a bucket's that ends in a slash a
    folder of the mirror's own below it. Raises NotAMirror where something else is
    in the folder, UnusablePlace where the mirror has its parts elsewhere already, and what
    ``check`` raises.
    """
    if (root / MARK).is_file():
        mark = _mark(root)
        places = _places(root, mark)
        _check_same("index", index, places)
        _check_same("segments", segments, places)
        if mark.format < _VERSION:
            move(places)  # before anything of this version is in it
        return places
    may_make(root)
    wanted = Places(
        root=root,
        index=index or os.environ.get("SLUGLINE_INDEX") or None,
        segments=segments or os.environ.get("SLUGLINE_SEGMENTS") or None,
    )
    check_urls(wanted)
    if wanted.index is not None:
        own = with_schema(wanted.index, f"mirror_{token_hex(8)}")
        wanted = structs.replace(wanted, index=own, folder=token_hex(8))
    if wanted.segments is not None:
        wanted = structs.replace(wanted, segments=with_folder(wanted.segments))
    make_place(wanted)
    with os_errors(f"making the mirror {root}"):
        root.mkdir(parents=True, exist_ok=True)
        _write_mark(wanted)
        sync_folder(root.parent)
    return wanted


def make_place(places: Places) -> None:
    """Make the folder that segments are to go to, where they go to one. Nobody else makes it."""
    if places.segments is not None and places.segments.startswith("file:"):
        folder = Path(urlsplit(places.segments).path)
        with os_errors(f"making {folder}"):
            folder.mkdir(parents=True, exist_ok=True)


def _check_same(what: Literal["index", "segments"], url: str | None, places: Places) -> None:
    """Raise UnusablePlace where a mirror that is there has its index or segments elsewhere."""
    there = places.index if what == "index" else places.segments
    if url is None or there == url or (there and _own_part(there, url)):
        return
    why = f"{places.root} has it elsewhere: `slugline move --{what}` moves it"
    raise UnusablePlace(what, url, why)


def _own_part(there: str, url: str) -> bool:
    """Tell whether ``there`` is what ``make`` made of ``url``."""
    schema = parse_qs(urlsplit(there).query).get("schema", [""])[0]
    below = url.endswith("/") and there.startswith(url)
    return below or (bool(schema) and with_schema(url, schema) == there)


def move(places: Places) -> None:
    """Have mirror.json say where the mirror's parts are; the caller holds the lock and moved them.

    Raises UnusablePlace, ReadOnly, DiskFull, StoreFailed.
    """
    check_urls(places)
    with os_errors(f"writing {places.root / MARK}"):
        _write_mark(places)


def chosen(what: Literal["index", "segments"], url: str | None, places: Places) -> str | None:
    """Return the place that ``url`` names for a mirror's index or segments; None: its folder.

    A URL that means a place of the mirror's own leads to the one that was made of it before, where
    the mirror, or a move that was killed, has one there.
    """
    if url is None:
        return None
    there = [places.index if what == "index" else places.segments]
    there += [places.left.url] if places.left is not None and places.left.what == what else []
    for one in filter(None, there):
        if one == url or _own_part(one, url):
            return one
    return with_schema(url, f"mirror_{token_hex(8)}") if what == "index" else with_folder(url)


def with_folder(url: str) -> str:
    """Return a bucket's URL that names a mirror's folder: one of its own where it ends in "/"."""
    return f"{url}mirror-{token_hex(8)}" if url.endswith("/") else url


def with_schema(url: str, schema: str) -> str:
    """Return a database's URL that names its schema: its own where it names one."""
    parts = urlsplit(url)
    if "schema" in parse_qs(parts.query):
        return url
    query = "&".join(filter(None, (parts.query, f"schema={schema}")))
    # urlunsplit would take the slashes from a URL without a host
    return f"{url.partition('?')[0]}?{query}"


def _write_mark(places: Places) -> None:
    """Write mirror.json. Raises OSError."""
    mark = Mark(
        format=_VERSION,
        index=places.index or UNSET,
        segments=places.segments or UNSET,
        left=places.left or UNSET,
        folder=places.folder or UNSET,
    )
    write_durably(places.root / MARK, places.root / _PART, msgspec.json.encode(mark))


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
        what_to_do = _brings_back(root) or ", and other files are in it: choose a new folder"
        raise NotAMirror(root, f"it has no {MARK}{what_to_do}")


def lost_mark(root: Path) -> bool:
    """Tell whether ``root`` is a mirror with segments of its own but for mirror.json.

    Raises InTheWay, ReadOnly, StoreFailed.
    """
    if (root / MARK).is_file() or not has_segments(root / SEGMENTS):
        return False
    check_kinds(root)
    return True


def mark_again(root: Path) -> None:
    """Write mirror.json where ``lost_mark`` told so: all is in the folder; the caller locks it."""
    move(Places(root=root))


def _brings_back(root: Path) -> str:
    """Return the rest of a sentence: what brings mirror.json back, where all else may be there."""
    if has_segments(root / SEGMENTS):
        return (
            ", beside segments: bring it back from a backup, or run "
            f"`slugline reindex --mirror {root}`, which writes one anew"
        )
    if (root / INDEX).exists():
        return ", beside an index: bring it and the segments back from a backup"
    return ""


def has_segments(folder: Path) -> bool:
    """Tell whether any segment file is below ``folder``. Raises ReadOnly, StoreFailed."""
    with os_errors(f"looking into {folder}"):
        return any(True for _ in folder.glob(_SEGMENT))


def write_durably(path: Path, part: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a power cut leaves the old or the new, whole.

    ``part`` is the temporary name beside it. Raises OSError.
    """
    with durably(part) as file:
        file.write(data)
    part.replace(path)
    sync_folder(path.parent)


@contextmanager
def durably(part: Path) -> Iterator[BinaryIO]:
    """Open a new file whose bytes are safe once the block has ended well. Raises OSError.

    The one way in which a file that an archive can't make again is written whole; segments grow by
    appending.py's, notes and reports by their own logs.
    """
    with part.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable (POSIX keeps them apart from the files)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
