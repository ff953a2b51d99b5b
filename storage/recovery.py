"""The index and the segments brought to one state, after a crash: what every run begins with.

Only what storage.segments.recovery calls a torn tail is cut, once every segment has been found free
of damage. Where several machines write one archive, a batch may come late, after another one has
taken its site up. Under the site's lock, what is behind the last number of its article is indexed,
in order; where others have given the number, that article's groups go to lost/, bytes and all,
since what was judged and numbered meanwhile did not know of them. (What others have read by then
and store after it is refused: storage.groups.) Blocking; the caller holds the writer's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, structs

from storage import layout
from storage.errors import DamageFound, IndexUnusable
from storage.index.index import Index
from storage.index.replacing import REWRITER, Announced, announced, cleared, settle
from storage.index.rows import to_micros
from storage.index.standing import Article, ends_of, forgotten, known_segments
from storage.missing import check_any_there
from storage.notes import Notes, SpooledNotes, batch_of
from storage.overtaken import went
from storage.reindex import add_groups, index_segment, rows_at, site_of
from storage.segments.kinds import Segments
from storage.segments.opening import open_segments
from storage.segments.recovery import Group


class Recovered(Struct, frozen=True, kw_only=True):
    """What recovery did, in sentences, and the segments that may be written on by length."""

    notes: tuple[str, ...]
    resume: dict[str, int]


def recover(root: Path, index: Index) -> Recovered:
    """Bring the index and the segments to one state.

    Raises DamageFound and SegmentsGone, with nothing cut.
    """
    segments = open_segments(root)
    segments.sweep()
    _check_whose(root, index, segments)
    finished = _finish_rewriting(index, segments)
    known = known_segments(index)
    names = segments.unsettled(known)
    again = {name for name in names if not _fits(index, segments, name, known.get(name, 0))}
    for name in names:
        # Damage must be found before the first byte is cut anywhere.
        start = 0 if name in again else known.get(name, 0)
        if segments.size(name) not in {None, start}:
            for _ in segments.walk(name, start):
                pass
    notes = finished + [_index_again(index, segments, name) for name in sorted(again)]
    known = known_segments(index)
    resume = {}
    moved: set[Article] = set()
    for name in (name for name in names if segments.size(name) is not None):
        with index.holding({site_of(name)}):
            clean, said = _mend(index, segments, name, known.get(name, 0), moved)
        notes += said
        if clean and name not in again:
            resume[name] = known[name]
    spooled = SpooledNotes(root)
    # Of a site that another writer went on with, that one knows better.
    overtaken = {site for site, _ in moved}
    for each in spooled.read():
        index.apply(batch_of(_still_new(index, each, overtaken)))
    spooled.clear()
    return Recovered(notes=tuple(notes), resume=resume)


def _still_new(index: Index, notes: Notes, overtaken: set[str]) -> Notes:
    """Return what is left of spooled notes where nobody has noted newer things of their sites.

    ``overtaken`` are sites of which nothing is, those found here added.
    """
    sites = {one.site for one in notes.entries} | {site for site, _, _ in notes.memory}
    for site in sites - overtaken:
        asked = "SELECT max(checked_at) FROM entries WHERE site = :site"
        if index.number(asked, site=site) > to_micros(notes.at):
            overtaken.add(site)
    return structs.replace(
        notes,
        entries=tuple(one for one in notes.entries if one.site not in overtaken),
        memory=tuple(one for one in notes.memory if one[0] not in overtaken),
    )


def _check_whose(root: Path, index: Index, segments: Segments) -> None:
    """Raise IndexUnusable where a database has the index of another folder's segments.

    Raises SegmentsGone where there is no segment at all, and the index knows some.
    """
    check_any_there(root, index, segments)
    places = layout.check(root)
    if places.index is None or places.segments is not None:
        return
    known = known_segments(index)
    if known and not any(segments.size(name) is not None for name in known):
        raise IndexUnusable(root, f"{index.database.name} knows other segments than there are")


def _finish_rewriting(index: Index, segments: Segments) -> list[str]:
    """Bring in what a killed prune, forget, compact or repair put in a segment's place."""
    if announced(index) is None:
        return []
    with index.holding({REWRITER}):
        # who rewrites on another machine holds this to the end: then nobody was killed
        left = announced(index)
        return [] if left is None else _finished(index, segments, left)


def _finished(index: Index, segments: Segments, left: Announced) -> list[str]:
    into, *others = left.segments or ("",)
    if left.joined and segments.size(into) == left.joined:
        for name in others:
            segments.put_in_place(name, None)
    for name in left.segments:
        cleared(index, name)
    for name in left.segments:
        if segments.size(name) is not None:
            index_segment(index, segments, name, left.left_out)
    settle(index)
    return ["a command that rewrote segments was killed: the index was brought up to them"]


def _fits(index: Index, segments: Segments, name: str, committed: int) -> bool:
    """Tell whether the segment reaches as far as the index says, with its manifests in place."""
    size = segments.size(name)
    if size is None or size < committed:
        return False
    for manifest_id, offset, length in ends_of(index, name):
        if offset + length > size:
            return False
        try:
            if segments.manifest(name, offset).id != manifest_id:
                return False
        except DamageFound:
            # Whether that is damage or another file in its place, reading it whole tells.
            return False
    return True


def _index_again(index: Index, segments: Segments, name: str) -> str:
    index.forget_segment(name)
    if segments.size(name) is None:
        return f"the segment {name} is gone, and with it what the index knew of it"
    found = index_segment(index, segments, name)
    return f"{name} was not as the index had it: indexed again, {found.snapshots} snapshots"


def _mend(
    index: Index, segments: Segments, name: str, committed: int, moved: set[Article]
) -> tuple[bool, list[str]]:
    found = segments.recover(name, committed)
    if found.clean:
        segments.settled([name])
        return committed > 0, []
    notes = []
    if found.lost:
        notes.append(f"{found.lost_bytes} bytes of an unfinished write went to {found.lost}")
    if segments.shared and (gone := _moved_on(index, found.groups, moved)):
        buried = forgotten(index, {_article(group) for group in gone})
        lost = [(g.offset, g.length) for g in gone if _article(g) not in buried]
        dropped = [(g.offset, g.length) for g in gone if _article(g) in buried]
        found = segments.without(name, lost, dropped)
        notes.append(went(len(lost), len(dropped), name))
    if found.length:
        segments.publish([name])
        add_groups(index, name, [rows_at(group, name) for group in found.groups], found.length)
        segments.settled([name])
    if found.groups:
        notes.append(f"{len(found.groups)} groups that a run had stored in {name} were indexed")
    return False, notes


def _moved_on(index: Index, groups: Sequence[Group], moved: set[Article]) -> list[Group]:
    """Return those groups whose numbers others have given, and what was stored on top of them.

    ``moved`` are their articles, these added.
    """
    names = {_article(group) for group in groups}
    columns = ("site", "slug", "last")
    rows = index.matching("articles", columns[:2], names, columns)
    last = {(row["site"], row["slug"]): row["last"] for row in rows}
    moved |= {_article(g) for g in groups if g.manifest.sequence <= last.get(_article(g), 0)}
    return [group for group in groups if _article(group) in moved]


def _article(group: Group) -> Article:
    return group.manifest.site, group.manifest.slug
