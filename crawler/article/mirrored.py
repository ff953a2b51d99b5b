"""An article that another mirror has: which formats it lists, fetched and checked by their hashes.

What the article is and what it is called was decided there, so nothing is looked for, followed or
judged to be a page. Its formats are read as their publisher has them (`Representation.via`): the
relative links in them, and so the digests of their words, are the same in both mirrors.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.article.copies import Copy, CopyFailed, Copyist
from crawler.article.format_set import NONE_WANTED, FormatSet, Known
from crawler.declared import MAX_FORMATS, Declared
from crawler.listed import Listed, Resource
from crawler.urls import host_key
from storage.model import Manifest

#: Who declares the formats of such an article.
DECLARER = "resourcesync"


def last_listed(newest: Manifest | None) -> Listed | None:
    """Return how another mirror listed the article of ``newest``; None: it is from its publisher.

    So it is read again when no list names it: when it is due.
    """
    kept = newest.representations if newest is not None else ()
    if newest is None or not any(each.via for each in kept):
        return None
    formats = [
        Resource(url=each.url, type=each.media_type, via=each.via, format=each.format)
        for each in sorted(kept, key=lambda each: each.url != newest.url)
    ]
    return Listed(slug=newest.slug, formats=tuple(formats))


def has_all(newest: Manifest | None, listed: Listed, wanted: frozenset[str]) -> bool:
    """Say whether ``newest`` is what is listed, by the hashes of all formats that are wanted."""
    if newest is None or listed.gone or newest.missing:
        return False
    have = {each.url: each.digest for each in newest.representations if each.record_id}
    return have == {
        each.url: each.digest for each in listed.formats if not wanted or each.format in wanted
    }


async def fetch_listed(
    listed: Listed, formats: FormatSet, copyist: Copyist, known: Known, wanted: frozenset[str]
) -> None:
    """Fetch what is listed into ``formats``; what can't be had goes to its ``missing``.

    Raises CopyFailed where the format that stands for the article can't be had, HostResting.
    """
    places = [_declared(each) for each in listed.formats[:MAX_FORMATS]]
    chosen = [each for each in places if not wanted or each.format in wanted]
    if not chosen:
        raise CopyFailed(listed.url, NONE_WANTED, disallowed=True)
    first, *others = chosen
    copy = await copyist.copy(first, previous=known.newest, validators=known.stored())
    formats.put(copy)
    formats.declared |= {each.format: each for each in others}
    if others:
        await formats.fetch(*(each.format for each in others))


def is_wrapped(copies: Iterable[Copy], url: str) -> bool:
    """Say whether ``url`` is on the host of the publisher of ``copies`` from another mirror."""
    vias = {copy.representation.via for copy in copies} - {""}
    return any(host_key(via) == host_key(url) for via in vias)


def _declared(one: Resource) -> Declared:
    return Declared(
        format=one.format,
        url=one.url,
        type=one.type,
        declared_by=(DECLARER,),
        via=one.via,
        digest=one.digest,
    )
