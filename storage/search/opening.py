"""The mirror's full-text index, wherever it is: opened, brought up, searched, words taken out.

It is a file beside the index in the folder, or a schema beside the one in PostgreSQL; whoever asks
here need not know which.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from storage import layout
from storage.errors import ArchiveError, ReadOnly
from storage.index.beside import remove
from storage.index.opening import places_of
from storage.layout import Places
from storage.search.filling import Filler, FulltextFiller
from storage.search.fulltext import Fulltext, Hit, Question, Texts

if TYPE_CHECKING:
    from storage.archive import Archive

#: Snapshots and events to be read of which a person is told beforehand: that takes seconds.
WORTH_TELLING = 5_000


def search(
    archive: Archive,
    asked: Question,
    said: Callable[[str], None] = lambda _: None,
    *,
    worth_telling: int = WORTH_TELLING,
) -> tuple[Hit, ...]:
    """Return the articles that have the words asked for, the best first.

    The text index is made or brought up first where it may be written; ``said`` is told, in a
    sentence, where that takes long (more changes than ``worth_telling``) or can't be done. Raises
    ArchiveError.
    """
    if asked.empty or archive.index.ask_one("SELECT 1 FROM snapshots") is None:
        return ()
    with _ready(archive, said, worth_telling) as index:
        return index.search(asked).hits


def catch_up(archive: Archive) -> None:
    """Bring the mirror's text index up, if it has one in a file. Raises ArchiveError."""
    path = archive.root / layout.FULLTEXT
    if path.exists():
        with FulltextFiller.open(path) as filling:
            while filling.step(archive):
                pass


def _ready(archive: Archive, said: Callable[[str], None], worth_telling: int) -> Texts:
    path = archive.root / layout.FULLTEXT
    try:
        filling = opened(archive.root)
    except ReadOnly:
        return _as_it_is(archive, path, said)
    behind = filling.behind(archive.index)
    try:
        if behind > worth_telling:
            said(f"reading {behind} changes into the full-text index, once")
        while filling.step(archive):
            pass
    except ReadOnly:
        if places_of(archive.root).index is not None:
            said(f"the full-text index can't be written: {behind} changes are not searched")
            return filling
        filling.close()
        return _as_it_is(archive, path, said)
    except BaseException:
        filling.close()
        raise
    return filling


def to_ask(where: Path | Places) -> Texts:
    """Open the text index in a file, or beside an index in PostgreSQL, to be asked."""
    return Fulltext.to_read(where) if isinstance(where, Path) else _beside(where)


def opened(root: Path) -> Filler:
    """Open the text index of a mirror, where its index is, for writing."""
    places = places_of(root)
    return FulltextFiller.open(root / layout.FULLTEXT) if places.index is None else _beside(places)


def _beside(places: Places) -> Filler:
    from storage.search.postgres import PostgresTexts  # noqa: PLC0415  - psycopg

    return PostgresTexts.open(places)


def _as_it_is(archive: Archive, path: Path, said: Callable[[str], None]) -> Fulltext:
    """Return the text index of a mirror that can't be written, however old it is."""
    if not path.exists():
        raise ReadOnly(
            f"{archive.root} has no full-text index yet and can't be written: run "
            "`slugline search` once where it can be, and give that mirror"
        )
    index = Fulltext.to_read(path)
    behind = index.behind(archive.index)
    if behind:
        said(f"{archive.root} can't be written: its {behind} newest changes are not searched")
    return index


def forget(root: Path, site: str, slug: str) -> None:
    """Take an article's words out of the mirror's text index, if it has one: no byte is left.

    Where that can't be done (it is broken, or a reader holds it) the file itself is removed: the
    next search makes it again. The caller holds the writer's lock. Raises ArchiveError.
    """
    if places_of(root).index is not None:
        with opened(root) as texts:
            texts.forget(site, slug)
    path = root / layout.FULLTEXT
    if not path.exists():
        remove(path)
        return
    try:
        index = FulltextFiller.open(path)
        try:
            index.forget(site, slug)
        finally:
            index.close()
    except (ReadOnly, OSError):
        raise
    except ArchiveError:
        remove(path)
