"""Reading a segment from some byte to its end, and judging what stands there.

No bytes are changed here. A walk gives the whole groups in order; what follows the last of them
is either nothing, or a torn write (a value, Tail, for the caller to cut), or damage (raised).
FORMAT.md, "Crash cases", has the table that ``_judge`` implements.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import accumulate

from msgspec import Struct

from storage.errors import DamageFound
from storage.files import urn
from storage.manifest import MAX_MANIFEST, MAX_MEMBER, ManifestError, NewerManifest, decode
from storage.model import Manifest
from storage.segments.source import Source
from storage.warc import GZIP_HEADER, is_digest, most_of
from storage.warc_read import MAX_WARC_HEADER, Head, Inflated, inflate, parse_head, whole_head

#: What a gzip member of anybody's opens with (RFC 1952 section 2.3.1: ID1, ID2, CM).
_MAGIC = b"\x1f\x8b\x08"
_OPENING = b"WARC/1."
#: Groups that may be in one write, which a crash may leave with a hole: the writer's BATCH_DRAFTS.
BATCH = 64
#: Bytes read first of what should be a manifest: most are smaller, and few records follow in it.
_FIRST = 8 << 10
#: Compressed bytes looked at to see whether a member opens a record: any deflate header fits.
_GLANCE = 4 << 10
#: A member's checksum and length, its last bytes: both nil is no record, but room never written.
_TRAILER = 8
#: The length among them (RFC 1952 section 2.3.1: ISIZE).
_ISIZE = 4
#: Beginnings of members looked into in one search: chance gives one in 16 MiB, so that in a segment
#: of 1 GiB there are some 64; each costs some 10 microseconds.
_MOST_GLANCES = 10_000
#: Decoded bytes kept of a record that may be a manifest.
_KEEP = MAX_MANIFEST + MAX_WARC_HEADER


class Group(Struct, frozen=True, kw_only=True, gc=False):
    """A whole group: ``id`` is the manifest's record id; offset and length in compressed bytes."""

    id: str
    offset: int
    length: int
    manifest: Manifest


class Tail(Struct, frozen=True, kw_only=True):
    """What follows the last whole group: ``size`` bytes of a torn write, or 0.

    In a segment without one whole group the tail is all of it: ``offset`` is 0.
    """

    offset: int
    size: int


class _Broken(Struct, frozen=True, kw_only=True):
    """Where reading stopped: the bad member at ``at``, and, once the manifest was read, the group.

    ``rest`` are the offsets and lengths of the group's later records, ``end`` the group's end.
    """

    at: int
    member: Inflated
    rest: tuple[tuple[int, int], ...] = ()
    end: int | None = None


def walk(source: Source, start: int = 0, *, skim: bool = False) -> Iterator[Group | Tail]:
    """Every whole group from ``start`` on, then, last, one Tail. ``start`` is a group's border.

    With ``skim``, of all groups but the last BATCH the manifests alone are read: each leads to the
    next one's. Raises DamageFound: a valid record after bytes that are none, or a group that has
    all its bytes and is wrong; nothing that was given out before is taken back by that.
    """
    at, groups = start, 0
    if skim:
        for group in _skimmed(source, start):
            yield group
            groups += 1
            at = group.offset + group.length
    while at < source.size:
        found = _read_group(source, at)
        if isinstance(found, _Broken):
            _judge(source, at, found)
            break
        if isinstance(found, Group):
            yield found
            groups += 1
            at += found.length
        else:
            at += found
    end = at if groups or start else 0
    yield Tail(offset=end, size=max(source.size - end, 0))


def _skimmed(source: Source, start: int) -> Iterator[Group]:
    """Give the groups that others follow, more of them than one write has, by their manifests."""
    held: deque[Group] = deque()
    at = start
    while at < source.size:
        found = _read_manifest(source, at)
        if isinstance(found, int):
            at += found
            continue
        if isinstance(found, _Broken) or found.offset + found.length > source.size:
            return
        held.append(found)
        at += found.length
        if len(held) > BATCH:
            yield held.popleft()


def manifest_group(source: Source, offset: int) -> Group:
    """Read the manifest at ``offset``: its group, whose records are not looked at.

    Raises DamageFound where no whole manifest is there.
    """
    member = inflate(source.chunks(offset, MAX_MEMBER), keep=_KEEP, most=_KEEP)
    head = whole_head(member)
    if head is None:
        raise source.damage(offset, f"no manifest, but a gzip member that is {member.state}")
    manifest = _manifest(source, offset, head, member)
    length = member.length + sum(ref.length for ref in manifest.records)
    if offset + length > source.size:
        raise source.damage(offset, "the file ends before the group does")
    return Group(id=head.id, offset=offset, length=length, manifest=manifest)


def find_next_record(source: Source, start: int) -> int | None:
    """Find the next gzip member that opens ``WARC/1.``, at or after ``start``.

    Raises DamageFound where so many members begin and are none that somebody put them there.
    """
    for number, offset in enumerate(_magics(source, start)):
        if number == _MOST_GLANCES:
            raise source.damage(start, f"{number:,} beginnings of records that are none")
        glance = b"".join(source.chunks(offset, _GLANCE, _GLANCE))
        # Any gzip header counts, one of ours with a flipped bit too: only the deflate data matter.
        opened = inflate((GZIP_HEADER + glance[len(GZIP_HEADER) :],), keep=len(_OPENING))
        if opened.opening == _OPENING:
            return offset
    return None


def _magics(source: Source, start: int) -> Iterator[int]:
    base, window = start, b""
    for chunk in source.chunks(start, source.size):
        window += chunk
        at = window.find(_MAGIC)
        while at >= 0:
            yield base + at
            at = window.find(_MAGIC, at + 1)
        left = len(_MAGIC) - 1
        base += max(len(window) - left, 0)
        window = window[-left:]


def _read_group(source: Source, at: int) -> Group | int | _Broken:
    """Read the group at ``at``; or give the length of a warcinfo, or where it is not whole."""
    found = _read_manifest(source, at)
    return _records(source, found) if isinstance(found, Group) else found


def _read_manifest(source: Source, at: int) -> Group | int | _Broken:
    """Read the group at ``at`` as its manifest tells it; else as ``_read_group``."""
    member = inflate(source.chunks(at, MAX_MEMBER, _FIRST), keep=_KEEP, most=_KEEP)
    head = whole_head(member)
    if head is None:
        return _Broken(at=at, member=member)
    if head.type == "warcinfo":
        return member.length
    manifest = _manifest(source, at, head, member)
    length = member.length + sum([ref.length for ref in manifest.records])
    return Group(id=head.id, offset=at, length=length, manifest=manifest)


def _manifest(source: Source, at: int, head: Head, member: Inflated) -> Manifest:
    if head.type != "metadata" or not head.target_uri.startswith("urn:slugline:"):
        raise source.damage(at, f"a {head.type} record that belongs to no group")
    block = memoryview(member.opening)[head.size : head.size + head.content_length]
    try:
        manifest = decode(block)
    except NewerManifest as error:
        raise source.damage(at, f"a manifest from a newer slugline: {error}") from error
    except ManifestError as error:
        raise source.damage(at, f"a manifest that can't be read: {error}") from error
    if not is_digest(block, head.block_digest):
        raise source.damage(at, "a manifest with another block digest than it says")
    named = urn(manifest.site, manifest.slug)
    if head.target_uri != named:
        raise source.damage(at, f"a manifest of {named} in a record of {head.target_uri}")
    folder = source.name.rpartition("/")[0]
    if folder and manifest.site != folder:
        raise source.damage(at, f"a group of the site {manifest.site} in the folder of {folder}")
    return manifest


def _records(source: Source, group: Group) -> Group | _Broken:
    """Give ``group`` back, once each of its records is there and is the one named."""
    refs = group.manifest.records
    head = group.length - sum(ref.length for ref in refs)
    borders = list(accumulate((ref.length for ref in refs), initial=group.offset + head))
    places = tuple(zip(borders, (ref.length for ref in refs), strict=False))
    for number, ref in enumerate(refs):
        member = _member(source, *places[number])
        head_of = whole_head(member)
        if head_of is None or member.length != ref.length:
            rest = places[number + 1 :]
            return _Broken(at=borders[number], member=member, rest=rest, end=borders[-1])
        if (head_of.id, head_of.type) != (ref.id, ref.type):
            raise source.damage(borders[number], f"record {head_of.id} where {ref.id} should stand")
    return group


def _member(source: Source, offset: int, length: int) -> Inflated:
    return inflate(source.chunks(offset, length), keep=MAX_WARC_HEADER, most=most_of(length))


def _judge(source: Source, group: int, broken: _Broken) -> None:
    """Raise DamageFound unless the bytes from ``group`` on are a torn write."""
    for offset, length in broken.rest:
        if whole_head(_member(source, offset, length)) is not None:
            raise _damage(source, broken.at, offset)
    # Inside a group whose manifest was read, records stand where it says: a page that looks like
    # a WARC file, in a body kept as it came, is not searched.
    search_from = broken.at + 1 if broken.end is None else broken.end
    found = find_next_record(source, search_from)
    if found is not None:
        raise _damage(source, broken.at, found)
    if not any(source.read(max(source.size - _TRAILER, group), min(_TRAILER, source.size - group))):
        return
    if _has_all_its_bytes(source, broken):
        raise source.damage(broken.at, "a record that is all there, and is not what was written")


def _damage(source: Source, at: int, valid: int) -> DamageFound:
    return source.damage(at, f"no valid record, and a valid one after it at byte {valid}")


def _has_all_its_bytes(source: Source, broken: _Broken) -> bool:
    """Whether the last group is as long as it was written: a torn write never is."""
    if broken.end is not None:
        return broken.end <= source.size
    if broken.member.state != "cut short":
        # The beginning of a sound member is sound, wherever it was cut.
        opening = source.read(broken.at, min(len(GZIP_HEADER), source.size - broken.at))
        return _near(opening)
    head = parse_head(broken.member.opening)
    if head is None:
        return False
    isize = source.read(source.size - _ISIZE, _ISIZE)
    return int.from_bytes(isize, "little") == head.whole_size & 0xFFFFFFFF


def _near(opening: bytes) -> bool:
    """Whether these bytes are our member header, or it with one flipped bit."""
    wanted = GZIP_HEADER[: len(opening)]
    return (int.from_bytes(opening) ^ int.from_bytes(wanted)).bit_count() <= 1
