"""Marks inside a page's body: microdata, microformats and machine-readable times.

schema.org microdata (HTML section 5.2) of the one article item; hAtom and h-entry classes
(microformats.org) inside the chosen article. Only what lies in the article itself is read: a
related box has times too. Pure: a tree in, values out.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.formats.html_tree import ancestors, attribute, class_words, folded
from crawler.formats.jsonld import ARTICLE_TYPES

#: Elements with a property looked at in one item; product pages reach a few hundred.
MAX_PROPERTIES = 2_000
#: Times looked at in one article.
MAX_TIMES = 200
#: Tags looked at in one article; the longest lists of keywords in use have about 50.
MAX_TAGS = 200
_OUTSIDE = frozenset({"aside", "nav"})


class Marks(Struct, frozen=True, kw_only=True):
    """What the marks say, as written, dates unread; ``itemtype`` in lower case without its host."""

    itemtype: str = ""
    title: str | None = None
    summary: str | None = None
    authors: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def read_marks(tree: LexborHTMLParser, article: LexborNode, *, single: bool) -> Marks:
    """Return the marks of the page's article.

    ``single`` False: the page shows several, so only the microdata of one article item counts.
    """
    itemtype, said = _microdata(tree)
    times = _times(article) if single else {}
    heading = article.css_first(".entry-title,.p-name") if single else None
    return Marks(
        itemtype=itemtype,
        title=next(iter(said.get("headline", ())), None) or _text(heading),
        summary=next(iter(said.get("description", ())), None),
        authors=tuple(said.get("author", ())),
        published=(*said.get("datepublished", ()), *times.get("published", ())),
        updated=(*said.get("datemodified", ()), *times.get("updated", ())),
        tags=_tags(article) if single else (),
    )


def _tags(article: LexborNode) -> tuple[str, ...]:
    """HTML section 4.6.7.26: a link with ``rel=tag`` names a tag of the document it stands in."""
    nodes = article.css("a[rel~=tag i]")[:MAX_TAGS]
    return tuple(folded(node.text()) for node in nodes if not _beside(node, article))


def _text(node: LexborNode | None) -> str | None:
    return folded(node.text()) or None if node is not None else None


def _microdata(tree: LexborHTMLParser) -> tuple[str, dict[str, list[str]]]:
    items = [node for node in tree.css("[itemscope][itemtype]") if _kind(node) in ARTICLE_TYPES]
    if len(items) != 1:
        return "", {}
    item = items[0]
    said: dict[str, list[str]] = {}
    for node in item.css("[itemprop]")[:MAX_PROPERTIES]:
        if _owner(node) != item.mem_id:
            continue
        value = _value(node)
        for name in attribute(node, "itemprop").lower().split():
            if value:
                said.setdefault(name, []).append(value)
    return _kind(item), said


def _kind(node: LexborNode) -> str:
    return attribute(node, "itemtype").rstrip("/").rpartition("/")[2].lower()


def _owner(node: LexborNode) -> int:
    """Return the item that a property belongs to: the nearest one around it."""
    for parent in ancestors(node):
        if "itemscope" in parent.attributes:
            return parent.mem_id
    return 0


def _value(node: LexborNode) -> str:
    """Section 5.2.4: a property's value, by element; an item's is its name."""
    given = node.attributes
    if "itemscope" in given:
        name = node.css_first("[itemprop~=name]")
        return _value(name) if name is not None and name.mem_id != node.mem_id else ""
    if given.get("content"):
        return (given["content"] or "").strip()
    if given.get("datetime"):
        return (given["datetime"] or "").strip()
    return folded(node.text()) if len(node.text()) < MAX_PROPERTIES else ""


def _times(article: LexborNode) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in article.css("time[datetime],.updated[title],.published[title]")[:MAX_TIMES]:
        moment = attribute(node, "datetime") or attribute(node, "title")
        if moment and not _beside(node, article):
            for name in _roles(node):
                found.setdefault(name, []).append(moment)
    return found


def _roles(node: LexborNode) -> Iterator[str]:
    words = class_words(node)
    if "published" in words or "dt-published" in words or "pubdate" in node.attributes:
        # hAtom asks for an "updated" in every entry; a theme that has none marks the date of
        # publishing so, and goes on doing it when the article has been edited since.
        yield "published"
    elif "updated" in words or "dt-updated" in words:
        yield "updated"


def _beside(node: LexborNode, article: LexborNode) -> bool:
    """Say whether ``node`` is in another article, or in a box, within ``article``."""
    for parent in ancestors(node):
        if parent.mem_id == article.mem_id:
            return False
        if parent.tag == "article" or parent.tag in _OUTSIDE:
            return True
    return False
