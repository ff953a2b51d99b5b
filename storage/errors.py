"""What can go wrong with an archive, each with a sentence and the command's exit code.

The exit codes are a contract that scripts rely on: 1 the store could not do it, 2 the user's input,
3 another run holds the mirror, 4 damage. Foreign exceptions (OSError, SQLite's) are turned
into these at the border where they arise, once.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar


class ArchiveError(Exception):
    """The base of all: its text is a sentence for a person, ``exit_code`` the command's."""

    exit_code: ClassVar[int] = 1


class NotAMirror(ArchiveError):
    """The folder holds no mirror (user's fault)."""

    exit_code = 2

    def __init__(self, root: Path, why: str) -> None:
        """``root``: the folder asked for; ``why``: the rest of the sentence."""
        super().__init__(f"{root} is no mirror: {why}")
        self.root = root


class InTheWay(ArchiveError):
    """Something stands where a file or folder of the mirror's belongs; nothing was done to it."""

    exit_code = 2

    def __init__(self, path: Path, wanted: str) -> None:
        """``path``: what stands there; ``wanted``: what should, as "a folder"."""
        super().__init__(f"{path} is not {wanted}, and no link is followed there: move it away")
        self.path = path


class NewerFormat(ArchiveError):
    """The mirror was written by a newer slugline than this one."""

    exit_code = 2

    def __init__(self, root: Path, found: int, known: int) -> None:
        """``found``: the mirror's format version; ``known``: the newest that this code reads."""
        super().__init__(
            f"{root} has format version {found}, and this slugline knows up to {known}: "
            "use a newer slugline"
        )
        self.found = found


class IndexUnusable(ArchiveError):
    """The index is missing, of another schema or broken: derived, so ``reindex`` mends it."""

    exit_code = 2

    def __init__(self, root: Path, why: str) -> None:
        """``why``: what is the matter with the index file, as the sentence's start."""
        super().__init__(f"{why}: run `slugline reindex --mirror {root}`")
        self.root = root


class IndexLies(ArchiveError):
    """A row of the index is no value of its table's: derived, so ``reindex`` mends it."""

    exit_code = 2

    def __init__(self, table: str, why: str) -> None:
        """``table``: whose row it is; ``why``: what is wrong with it."""
        super().__init__(
            f"the index holds what can't be in its {table} ({why}): run `slugline reindex`"
        )


class TextIndexUnusable(ArchiveError):
    """The full-text index is missing, another slugline's or broken: the next search makes it."""

    exit_code = 2

    def __init__(self, path: Path, why: str) -> None:
        """``path``: the file; ``why``: what is the matter with it."""
        super().__init__(
            f"the full-text index {path} can't be read, {why}: remove it, and run "
            "`slugline search` where it may be written"
        )
        self.path = path


class CatalogueUnusable(ArchiveError):
    """The catalogue is another slugline's or broken: whoever lists makes it again."""

    def __init__(self, path: Path, why: str) -> None:
        """``path``: the file; ``why``: what is the matter with it."""
        super().__init__(
            f"the catalogue {path} can't be read, {why}: remove it, `slugline serve` makes it again"
        )
        self.path = path


class NoSuchArticle(ArchiveError):
    """No article, snapshot or format of that name (user's fault)."""

    exit_code = 2


#: Sites that a message names before it only counts them.
SITES_NAMED = 10


class AmbiguousSlug(ArchiveError):
    """Several sites have the slug (user's fault): the sentence names them."""

    exit_code = 2

    def __init__(self, slug: str, sites: tuple[str, ...]) -> None:
        """``sites``: the sites that have an article called ``slug``."""
        named = ", ".join(sites[:SITES_NAMED])
        more = f" and {len(sites) - SITES_NAMED} more" if len(sites) > SITES_NAMED else ""
        super().__init__(
            f"{slug!r} is an article on several sites: {named}{more}. Choose one with --site"
        )
        self.sites = sites


class LockHeld(ArchiveError):
    """Another run writes this mirror; ``pid`` and ``started`` are what it left in the lock."""

    exit_code = 3

    def __init__(self, root: Path, pid: int | None, started: str) -> None:
        """``pid`` None and ``started`` empty: the holder has not written them yet."""
        who = f"process {pid}, since {started}" if pid is not None else "another process"
        super().__init__(f"{root} is being written by {who}: wait for it to end")
        self.pid = pid
        self.started = started


class DamageFound(ArchiveError):
    """Stored bytes are not what was written: nothing was cut or changed."""

    exit_code = 4
    #: What to do about it.
    advice: ClassVar[str] = "bring back a copy of it, or run `slugline verify --repair`"

    def __init__(self, where: str, why: str) -> None:
        """``where``: the segment and offset; ``why``: what is wrong there."""
        super().__init__(f"damage in {where}: {why}. Nothing was changed; {self.advice}")
        self.where = where
        self.why = why


class SegmentsGone(ArchiveError):
    """Segments that the index knows are not there: a new index would say nothing of them."""

    exit_code = 4

    def __init__(self, place: str, index: str, gone: Sequence[str], known: int) -> None:
        """``place``: where segments are; ``gone``: those missing, of the ``known`` many."""
        super().__init__(
            f"{place} lacks {len(gone)} of the {known} segments that {index} knows, as {gone[0]}: "
            "is its disk there? Nothing was changed. Bring them back from a backup; else "
            "`slugline verify --repair` asks the sites for what they held"
        )
        self.gone = tuple(gone)


class ReadOnly(ArchiveError):
    """The mirror can't be written (rights, or a read-only file system)."""

    exit_code = 2


class DiskFull(ArchiveError):
    """No room (or quota) left: what was committed before stands, this batch does not."""


class StoreFailed(ArchiveError):
    """The disk or the database refused for another reason: nothing of the batch stands."""


class SiteHeld(StoreFailed):
    """Another writer numbers what is of a site now."""

    def __init__(self) -> None:
        super().__init__("another writer has the site")


class IndexAway(StoreFailed):
    """The database of a mirror's index can't be reached now; later it may be."""


class TakesNoWrites(IndexAway, ReadOnly):
    """It can be read alone: a standby that may take over, or so ordered for now."""


class SegmentsAway(StoreFailed):
    """A mirror's segments are in a place that can't be reached, or that refuses."""

    def __init__(self, url: str, why: str) -> None:
        """``url``: the place, which has no credentials; ``why``: the rest of the sentence."""
        super().__init__(f"the segments in {url} can't be had: {why}")
        self.url = url
        self.why = why


class SegmentsRefused(SegmentsAway):
    """Their place answers, and says no: there is no such bucket, or these keys may not use it."""


class MissingExtra(ArchiveError):
    """Something that is installed only where it is asked for is not (user's fault)."""

    exit_code = 2

    def __init__(self, wanted_by: str, package: str, extra: str) -> None:
        """``wanted_by``: what needs the ``package``; ``extra``: what brings it along."""
        super().__init__(f"{wanted_by} needs {package}: pip install 'slugline[{extra}]'")


class UnusablePlace(ArchiveError):
    """The URL of a mirror's index or segments is none that can be used (user's fault)."""

    exit_code = 2

    def __init__(self, what: str, url: str, why: str) -> None:
        """Say ``why`` the ``url``, given without secrets, is no place of ``what``."""
        super().__init__(f"{url} can't be a mirror's {what}: {why}")


class BadPlace(ArchiveError):
    """The place that was asked for is none, in a bucket or on a disk (user's fault)."""

    exit_code = 2

    def __init__(self, url: str, why: str) -> None:
        """``url``: the place, a path or without credentials; ``why``: the rest of the sentence."""
        super().__init__(f"{url} can't be written: {why}")


class BucketFailed(ArchiveError):
    """A bucket did not take what was written: nothing of it is to be seen there."""

    def __init__(self, url: str, why: str) -> None:
        """``url``: the object or its folder; ``why``: the rest of the sentence."""
        super().__init__(f"{url} could not be written: {why}")


class BadDraft(ArchiveError):
    """A draft that can't be stored as it is: a bug in the caller, said for one article only."""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def from_os_error(error: OSError, doing: str) -> ArchiveError:
    """Return an OSError as one of ours; ``doing`` is what was tried, as "writing the segment"."""
    if error.errno in _FULL:
        return DiskFull(f"no room left on the disk while {doing}: {error.strerror}")
    if error.errno in _REFUSED:
        return ReadOnly(f"no permission while {doing}: {error.strerror}: {error.filename}")
    return StoreFailed(f"failed while {doing}: {error}")


@contextmanager
def os_errors(doing: str) -> Iterator[None]:
    """Translate every OSError inside into an ArchiveError that says what was being done."""
    try:
        yield
    except OSError as error:
        raise from_os_error(error, doing) from error


@contextmanager
def making(folder: Path) -> Iterator[None]:
    """Raise BadPlace where no folder can be made at what a user names; other errors pass."""
    try:
        yield
    except (FileNotFoundError, FileExistsError, NotADirectoryError) as error:
        there = folder.exists() and not folder.is_dir()
        why = "it is not a folder" if there else "no folder can be made there"
        raise BadPlace(str(folder), why) from error
