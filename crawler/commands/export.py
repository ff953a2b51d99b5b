"""export: takes articles out of an archive, into a file, a folder, a pipe or a bucket."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, cast
from urllib.parse import unquote, urlsplit

import typer

from crawler.commands.failures import UsageError, complain, guarded
from crawler.commands.options import (
    DEFAULT_MIRROR,
    Canonicals,
    Lang,
    MirrorDir,
    Since,
    SiteName,
    Topics,
    When,
)
from crawler.commands.read import known_site, moment
from crawler.progress.wording import count, size
from crawler.replacing import replacing

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.export.choosing import Chosen
    from storage.export.files import ExportedFiles

_STDOUT = "-"
Kind = Literal["jsonl", "parquet", "files", "warc", "wacz", "feed"]
#: From an archive, a stream and what is chosen to how many were written.
Writer = Callable[["Archive", BinaryIO, "Chosen"], int]
#: What can be told to hold each snapshot or only the newest; a feed has every change, files none.
_EITHER: dict[Kind, bool] = {"jsonl": False, "parquet": False, "warc": True, "wacz": True}
_NOUNS: dict[Kind, tuple[str, str]] = {
    "jsonl": ("record", "records"),
    "parquet": ("row", "rows"),
    "warc": ("snapshot", "snapshots"),
    "wacz": ("snapshot", "snapshots"),
    "feed": ("change", "changes"),
}


KindName = Annotated[
    Kind,
    typer.Argument(
        metavar="KIND",
        help="jsonl: records, one a line. parquet: rows. files: every format, as plain files. "
        "warc, wacz: for web archive tools. feed: what changed, as Atom.",
    ),
]
Out = Annotated[
    str | None,
    typer.Argument(
        metavar="OUT",
        help="File or folder to write, s3://, gs:// or az://BUCKET/NAME; - is stdout.",
    ),
]
Every = Annotated[
    bool | None,
    typer.Option(
        "--every/--newest", help="Every snapshot (warc, wacz), or the newest (jsonl, parquet)."
    ),
]
Full = Annotated[
    bool, typer.Option("--full", help="jsonl: all that parquet has, after the record's keys.")
]
WithoutReserved = Annotated[
    bool,
    typer.Option("--without-reserved", help="Leave out what its publisher reserved: see above."),
]
Private = Annotated[
    bool, typer.Option("--private", help="What was fetched with a private header too.")
]


@guarded
def export(
    kind: KindName,
    out: Out = None,
    *,
    at: When = None,
    since: Since = None,
    topic: Topics = None,
    lang: Lang = None,
    every: Every = None,
    full: Full = False,
    without_reserved: WithoutReserved = False,
    private: Private = False,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    canonicals: Canonicals = False,
) -> None:
    """Take articles out of a mirror: as data, as plain files, or for web archive tools.

    `export files` without OUT brings the mirror's own files/ up to date; to stdout it is a tar.
    `export feed` holds the newest 200 changes, or all of them from --since on.

    A file is written aside and put in place when it is whole; an object in a bucket is seen when
    it is whole. A bucket's credentials come from the environment, as its own tools read them:
    AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT_KEY and their kin.

    --without-reserved leaves out each snapshot with one of these in its answers: X-Robots-Tag (or
    its meta tag) noai, noimageai or noarchive to all or to slugline; tdm-reservation: 1; a use
    that Content-Usage denies (train-ai=n). It is no legal advice: see `usage` in --full lines.

    Examples:
      slugline export jsonl articles.jsonl
      slugline export jsonl - --at 2026-06-19 | jq .title
      slugline export parquet news.parquet --every --without-reserved
      slugline export wacz news.wacz --site example.org
      slugline export warc s3://backups/news.warc.gz --since 2026-06-01
      slugline export files ./site --mirror news
      slugline export feed /var/www/changes.atom --site example.org
    """
    from storage.archive import Archive
    from storage.export.choosing import Chosen

    now = datetime.now(UTC)
    _check(kind, full=full, every=every)
    with Archive.open(mirror) as archive:
        chosen = Chosen(
            site=known_site(archive, site),
            at=moment("--at", at, now),
            since=moment("--since", since, now, start=True),
            topics=tuple(topic or ()),
            lang=lang,
            canonicals=canonicals,
            private=private,
            reserved=not without_reserved,
            every=_EITHER.get(kind, False) if every is None else every,
        )
        _export(archive, kind, None if out is None else _place(out), now, chosen, full=full)


def _check(kind: Kind, *, full: bool, every: bool | None) -> None:
    """Refuse an option that a kind has not."""
    if full and kind != "jsonl":
        raise UsageError(f"export {kind}: --full is for jsonl, parquet is always so")
    if every is not None and kind not in _EITHER:
        raise UsageError(f"export {kind}: --every and --newest are for {', '.join(_EITHER)}")


def _export(
    archive: Archive,
    kind: Kind,
    to: Path | str | None,
    now: datetime,
    chosen: Chosen,
    *,
    full: bool,
) -> None:
    _keep_out(to, archive.root, kind)
    if kind == "files":
        _files(archive, to, now, chosen)
        return
    if to is None:
        raise UsageError(f"export {kind}: name the file to write, or - for stdout")
    with _opened(to, binary=kind in {"parquet", "warc", "wacz"}) as stream:
        written = _writer(kind, now, full=full)(archive, stream, chosen)
    if to != _STDOUT:
        complain(f"{count(written, *_NOUNS[kind])} in {to}")


def _writer(kind: Kind, now: datetime, *, full: bool) -> Writer:
    """Return what writes a kind; its parts are loaded only now."""
    if kind == "parquet":
        from storage.export.parquet import export_parquet

        return export_parquet
    if kind == "feed":
        from storage.export.feed import export_feed

        return export_feed
    if kind == "warc":
        from storage.export.warc import export_warc

        return partial(export_warc, now=now)
    if kind == "wacz":
        from storage.export.wacz import export_wacz

        return partial(export_wacz, now=now)
    from storage.export.jsonl import export_jsonl

    return partial(export_jsonl, full=full)


def _place(out: str) -> Path | str:
    """Return OUT as a path, or as it is where it names stdout or a bucket."""
    if out == _STDOUT or out.startswith(("s3://", "gs://", "az://")):
        return out
    scheme, named, _ = out.partition("://")
    if named and scheme.lower() == "file":
        return Path(unquote(urlsplit(out).path))
    if named:
        raise UsageError(f"{out}: write to a path, -, file://, s3://, gs:// or az://")
    return Path(out)


def _keep_out(to: Path | str | None, root: Path, kind: str) -> None:
    """Refuse an OUT whose writing would replace the mirror's own files."""
    if not isinstance(to, Path):
        return
    inside = to.resolve().is_relative_to(root.resolve())
    if inside and not (kind == "files" and to.resolve() == root.resolve() / "files"):
        raise UsageError(f"{to} lies in the mirror {root} itself: name a place outside of it")


@contextmanager
def _opened(to: Path | str, *, binary: bool) -> Iterator[BinaryIO]:
    """Give a stream for what is to stand at OUT, whole, when the block has ended well."""
    if to == _STDOUT:
        if binary and sys.stdout.isatty():
            raise UsageError("a terminal shows no binary file: name a file, or a pipe")
        yield cast("BinaryIO", _Onward())
    elif isinstance(to, str):
        from storage.export.bucket import uploading

        with uploading(to) as stream:
            yield stream
    else:
        try:
            with replacing(to) as stream:
                yield stream
        except OSError as error:
            raise UsageError(f"{to} cannot be written: {error.strerror}") from error


class _Onward(io.RawIOBase):
    """Stdout, written from here on: whoever appends to a file wants nothing before that changed."""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # every writer of ours has bytes
        return sys.stdout.buffer.write(data)


def _files(archive: Archive, to: Path | str | None, now: datetime, chosen: Chosen) -> None:
    from storage.export.files import export_files, write_files

    to = to or archive.root / "files"
    if isinstance(to, Path):
        _say(export_files(archive, to, now, chosen), to)
    elif to == _STDOUT:
        from storage.export.tar import Tarred

        with _opened(to, binary=True) as stream, Tarred(stream) as tar:
            write_files(archive, tar, chosen)
    else:
        from storage.export.bucket import Folder

        _say(write_files(archive, Folder(to), chosen), to)


def _say(done: ExportedFiles, to: Path | str) -> None:
    complain(f"{count(done.files, 'file')}, {size(done.bytes)}, in {to}")
