"""One article's formats side by side: what each says, and where they say different things. Pure.

Equal is what assembling and judging take for equal: times by their precision, titles but for white
space, URLs but for scheme and ``www.``. What only one format says is no disagreement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

from msgspec import Struct, structs

from crawler.article.assemble import trusted
from crawler.article.copies import Copy
from crawler.facts import Facts, Link
from crawler.formats.naming import format_of
from crawler.links import is_feed
from crawler.urls import same_page
from storage.model import Stamp
from storage.times import format_utc, same_moment


class Saying(Struct, frozen=True, kw_only=True):
    """What the formats say of one field: the values as shown, by source; ``agree`` if they do."""

    field: str
    values: dict[str, str]
    agree: bool = True


class Alternate(Struct, frozen=True, kw_only=True):
    """A link by which an article names another form of itself, and all who declare it.

    ``format`` is empty where it is none that is kept; ``what`` then says what it is.
    """

    format: str
    url: str
    type: str
    what: str
    declared_by: tuple[str, ...]


def sayings(facts: Mapping[str, Facts]) -> tuple[Saying, ...]:
    """Compare what the sources of one article say, a field a value; silent fields are left out."""
    ordered = trusted(facts)
    found = (
        _saying("slug", {s: f.slug for s, f in ordered.items()}, str.__eq__),
        _titles(ordered),
        _saying("summary", {s: f.summary for s, f in ordered.items()}, _same_words),
        _times("published_at", {s: f.published_at for s, f in ordered.items()}),
        _times("updated_at", {s: f.updated_at for s, f in ordered.items()}),
        _saying("lang", {s: f.lang for s, f in ordered.items()}, _same_language),
        _saying("canonical", _canonicals(ordered), same_page),
        _saying("original", {s: f.canonical_source for s, f in ordered.items()}, same_page),
        _listed("authors", {s: f.authors for s, f in ordered.items()}),
        _listed("topics", {s: f.topics for s, f in ordered.items()}),
        _listed("entities", {s: f.entities for s, f in ordered.items()}),
        _listed("words", {s: _length(f) for s, f in ordered.items()}),
    )
    return tuple(each for each in found if each.values)


def alternates(copies: Iterable[Copy]) -> tuple[Alternate, ...]:
    """Return every alternate that an article's copies declare, in the order of declaration."""
    declarers: dict[tuple[str, str], dict[str, None]] = {}
    links: dict[tuple[str, str], Link] = {}
    for copy in copies:
        for link in copy.facts.links:
            if link.rel in ("alternate", "amphtml"):
                place = (link.url, link.type)
                links.setdefault(place, link)
                declarers.setdefault(place, {})[link.declared_by] = None
    return tuple(
        Alternate(
            format=format_of(link) or "",
            url=link.url,
            type=link.type,
            what=_what(link),
            declared_by=tuple(declarers[place]),
        )
        for place, link in links.items()
    )


def _what(link: Link) -> str:
    if format_of(link):
        return "a format"
    if is_feed(link):
        return "a feed"
    if link.rel == "amphtml" or link.media:
        return "for other devices"
    if link.hreflang:
        return f"another language: {link.hreflang}"
    return "no format"


def _saying(
    name: str, values: Mapping[str, str | None], same: Callable[[str, str], bool]
) -> Saying:
    said = {source: value for source, value in values.items() if value}
    agree = all(same(one, other) for one, other in combinations(said.values(), 2))
    return Saying(field=name, values=said, agree=agree)


def _times(name: str, values: Mapping[str, Stamp | None]) -> Saying:
    said = {source: stamp for source, stamp in values.items() if stamp is not None}
    # A time without a zone says less than it seems to: it can't contradict another.
    zoned = [stamp for stamp in said.values() if stamp.offset is not None]
    agree = all(same_moment(one, other) for one, other in combinations(zoned, 2))
    return Saying(field=name, values={s: _shown(stamp) for s, stamp in said.items()}, agree=agree)


def _shown(stamp: Stamp) -> str:
    zone = "" if stamp.offset is not None else ", no zone"
    exact = "" if stamp.unit == "second" else f" (to the {stamp.unit}{zone})"
    return format_utc(stamp.at) + (exact or (f" ({zone[2:]})" if zone else ""))


def _listed(name: str, values: Mapping[str, tuple[str, ...]]) -> Saying:
    """Show lists, which formats rightly give at different lengths."""
    return Saying(field=name, values={s: ", ".join(v) for s, v in values.items() if v})


def _titles(facts: Mapping[str, Facts]) -> Saying:
    """Compare declared titles; a heading or a window's title that was taken for one is shown."""
    declared = {s: f.title for s, f in facts.items() if not f.title_guessed}
    guessed = {s: f"{f.title} (not declared)" for s, f in facts.items() if f.title_guessed}
    compared = _saying("title", declared, _same_words)
    return structs.replace(compared, values=compared.values | guessed)


def _canonicals(facts: Mapping[str, Facts]) -> dict[str, str | None]:
    said: dict[str, str | None] = {}
    for source, each in facts.items():
        for link in each.links:
            if link.rel == "canonical":
                said.setdefault(link.declared_by, link.url)
        if each.canonical:
            said.setdefault(source, each.canonical)
    return said


def _length(facts: Facts) -> tuple[str, ...]:
    count = len((facts.body or facts.words or "").split())
    return (f"{count:,}",) if count else ()


def _same_words(one: str, other: str) -> bool:
    return one.split() == other.split()


def _same_language(one: str, other: str) -> bool:
    """Compare language tags (RFC 5646); a shorter one says less, not something else."""
    a, b = (text.lower().replace("_", "-").split("-") for text in (one, other))
    return all(x == y for x, y in zip(a, b, strict=False))
