"""Fuzz targets for what an archive holds or names: records, manifests, segments, URLs as names.

An archive may come from a stranger too, so its reader trusts nothing; and names made from a
site's URLs and slugs never leave their folder, never meet, and lead back.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

from isal import isal_zlib

from crawler.article.slugs import MAX_SLUG, Slugs, clean_slug, long_slug
from crawler.urls import in_scope, normalise, same_page, site_name, strip_tracking_in
from storage.diff import Side, compare
from storage.errors import DamageFound
from storage.files import Names, folded_paths, is_safe, urn
from storage.manifest import ManifestError, decode, encode
from storage.segments.recovery import Tail, walk
from storage.segments.source import FileSource
from storage.warc import GZIP_HEADER
from storage.warc_read import RecordError, parse_head, read_member
from tests.fuzz.readers import BASE, SCOPE


def record(data: bytes) -> None:
    """Read a WARC record: the bytes inside a gzip member that is ours."""
    parse_head(data)
    with suppress(RecordError):
        read_member(member(data), verify=bool(len(data) % 2))


def gzip_member(data: bytes) -> None:
    """Read a gzip member as it stands in a file."""
    with suppress(RecordError):
        read_member(data)


def segment(data: bytes) -> None:
    """Walk a segment file: whole groups and one tail that ends it, or damage."""
    path = _scratch()
    path.write_bytes(data)
    with suppress(DamageFound), FileSource(path, "s/1.warc.gz") as source:
        *groups, tail = walk(source)
        assert isinstance(tail, Tail)
        assert tail.offset + tail.size == len(data)
        assert not any(isinstance(group, Tail) for group in groups)


def manifest(data: bytes) -> None:
    """Read a manifest: written again, it is read as the same."""
    with suppress(ManifestError):
        found = decode(data)
        assert decode(encode(found)) == found


def url(data: bytes) -> None:
    """Resolve a reference against its base: a normal form is its own normal form."""
    reference, _, base = data.decode("utf-8", "replace").partition("\n")
    strip_tracking_in(reference)
    found = normalise(reference, base or None)
    if found is None:
        return
    assert normalise(found) == found
    assert found.isascii()
    assert same_page(found, found)
    assert in_scope(found, found)
    assert in_scope(found, SCOPE) == found.startswith(SCOPE)
    assert is_safe(site_name(found))
    assert "/" not in site_name(found)


def names(data: bytes) -> None:
    """Name files for URLs, a line each: all inside their folder, and no two of them one."""
    found = {normalise(line, BASE) for line in data.decode("utf-8", "replace").split("\n")}
    urls = sorted(each for each in found if each)
    chooser = Names()
    chosen = [chooser.choose(each, name) for each in urls for name in ("html", "markdown", "x")]
    assert all(is_safe(name) for name in chosen)
    files = {folded_paths(name)[0] for name in chosen}
    assert len(files) == len(chosen)
    assert not files & {folder for name in chosen for folder in folded_paths(name)[1:]}


def slugs(data: bytes) -> None:
    """Give slugs to URLs, a line each: every slug one line, one article's, and lasting."""
    lines = data.decode("utf-8", "replace").split("\n")
    urls = [found for line in lines if (found := normalise(line, BASE))]
    given = Slugs()
    given.reserve(urls)
    owned: dict[str, str] = {}
    for one, declared in zip(urls, [*lines[1:], ""], strict=False):
        slug, _ = given.assign(one, declared)
        assert slug
        assert len(slug.splitlines()) == 1
        assert len(slug) <= MAX_SLUG
        assert same_page(owned.setdefault(slug, one), one)
        assert given.assign(one, "another")[0] == slug
        assert unquote(urn("news.example", slug).partition("/")[2]) == slug
        assert long_slug(one)
    for line in lines:
        clean = clean_slug(line)
        assert clean is None or clean_slug(clean) == clean


def diff(data: bytes) -> None:
    """Compare two bodies for people to read."""
    old, _, new = data.partition(b"\0")
    kind = ("", "text/html; charset=utf-16", "text/plain; charset=hex")[len(data) % 3]
    compare(
        Side(name="old", body=old, content_type=kind), Side(name="new", body=new, content_type=kind)
    )


def member(block: bytes) -> bytes:
    """Wrap bytes in a gzip member that opens as ours do (RFC 1952)."""
    packer = isal_zlib.compressobj(1, wbits=-15)
    body = packer.compress(block) + packer.flush()
    end = isal_zlib.crc32(block).to_bytes(4, "little") + len(block).to_bytes(4, "little")
    return GZIP_HEADER + body + end


@lru_cache(1)
def _scratch() -> Path:
    """Name this process's file for segments, in memory where the system has such a folder."""
    memory = Path("/dev/shm")  # noqa: S108  - a folder of its own is made in it
    where = memory if memory.is_dir() else None
    return Path(tempfile.mkdtemp(prefix="slugline-fuzz-", dir=where)) / "segment"
