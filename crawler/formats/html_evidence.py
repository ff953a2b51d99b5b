"""What kind of page this is, as the page itself shows it: evidence, never a verdict.

Declared kinds in order of how much their declarer meant by them: JSON-LD, the CMS (WordPress's body
classes, Movable Type's and others' are alike; its REST link), microdata, Open Graph. Then what
can be counted. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.facts import Evidence, Link
from crawler.formats.html_boxes import is_beside
from crawler.formats.html_region import Region
from crawler.formats.html_tree import ancestors, attribute, class_words
from crawler.links import is_comment_feed, is_feed

#: So many teasers make a list; an article may mention one or two others.
FEWEST_TEASERS = 3
#: Teasers counted on one page; more say nothing more.
MAX_TEASERS = 100
#: Levels around a date in which its card's link is looked for.
CARD_DEPTH = 3
_LINKED_HEADINGS = "h2 > a[href],h3 > a[href],h4 > a[href],a[href] > h2,a[href] > h3,a[href] > h4"

#: WordPress's body classes (``get_body_class``), each with the kind it means.
_BODY_CLASSES = (
    ("error404", "error404"),
    ("search-results", "searchresultspage"),
    ("search-no-results", "searchresultspage"),
    ("attachment", "attachment"),
    ("single-post", "post"),
    ("page-template-default", "page"),
    ("category", "category"),
    ("tag", "tag"),
    ("author", "user"),
    ("archive", "collectionpage"),
    ("blog", "blog"),
)
#: Only beside one of these are the plain words above WordPress's.
_WORDPRESS = frozenset({"archive", "single", "page", "blog", "search", "error404", "home"})
_REST = re.compile(r"/wp/v2/([a-z_-]+)/[0-9]+$")
_REST_KINDS = {
    "posts": "post",
    "pages": "page",
    "media": "attachment",
    "categories": "category",
    "tags": "tag",
    "users": "user",
}
#: Classes that nobody but WordPress gives: its plain words are others' words too.
_WORDPRESS_MARK = re.compile(
    r"(?:postid|page-id|parent-pageid|attachmentid|author|category|tag|term)-[0-9]+|wp-\w.*"
    r"|single-post|page-template-default|post-type-archive|error404|search-(?:no-)?results"
)
#: A page's number in a URL, alone in its segment or behind the word for a page.
_PAGE_NUMBER = re.compile(
    r"/(?:(?:page|seite|pagina|p)[/-]?(?P<named>[0-9]{1,6})|(?P<bare>[0-9]{1,4}))/?(?=\?|$)"
)
_PAGE_QUERY = re.compile(r"[?&](?:page|paged|p|pg|start|offset|from|cursor|after|before)=")


def declared_kind(
    tree: LexborHTMLParser,
    links: Iterable[Link],
    jsonld: Evidence,
    itemtype: str,
    og_type: str | None,
) -> tuple[str, str]:
    """Return the page's declared kind and who declares it; two empty texts where nobody does."""
    if jsonld.type:
        return jsonld.type, "JSON-LD"
    kind = _wordpress_kind(tree, links)
    if kind:
        return kind, "WordPress"
    if itemtype:
        return itemtype, "microdata"
    return (og_type.strip().lower(), "og:type") if og_type else ("", "")


def _wordpress_kind(tree: LexborHTMLParser, links: Iterable[Link]) -> str:
    for link in links:
        found = _REST.search(link.url) if link.rel == "alternate" else None
        if found is not None:
            return _REST_KINDS.get(found.group(1), found.group(1))
    words = set(class_words(tree.body)) if tree.body is not None else set()
    if words.isdisjoint(_WORDPRESS) or not _made_by_wordpress(words, links):
        return ""
    return next((kind for word, kind in _BODY_CLASSES if word in words), "")


def _made_by_wordpress(words: set[str], links: Iterable[Link]) -> bool:
    """Say whether the body's classes are WordPress's: other makers say "blog" on every post."""
    named = any(link.rel == "https://api.w.org/" for link in links)
    return named or any(_WORDPRESS_MARK.fullmatch(word) for word in words)


def is_paginated(links: Iterable[Link], url: str) -> bool:
    """Say whether ``url`` is one page of a list: the page beside it is the same list's.

    Articles are linked in a row too, and one may be called ``/2026/`` or ``/errors/404/``.
    """
    steps = [link.url for link in links if link.rel in ("next", "prev")]
    return any(_same_list(url, step) for step in steps)


def _same_list(url: str, step: str) -> bool:
    if _PAGE_QUERY.search(url) or _PAGE_QUERY.search(step):
        return url.partition("?")[0] == step.partition("?")[0]
    (stem, number), (beside, other) = _page_of(url), _page_of(step)
    return stem == beside and abs(number - other) == 1


def _page_of(url: str) -> tuple[str, int]:
    """Split ``url`` into its list's address and the page's number, 1 where it has none."""
    path = url.partition("?")[0]
    found = _PAGE_NUMBER.search(path)
    if found is None:
        return re.sub(r"/index\.[a-z]{2,5}$", "", path).rstrip("/"), 1
    return path[: found.start()], int(found.group("named") or found.group("bare"))


def has_own_feed(links: Iterable[Link], url: str, kind: str) -> bool:
    """Say whether the page names a feed that lies beneath it, other than a post's comments."""
    if kind in ("post", "page"):
        return False
    feeds = [link.url for link in links if is_feed(link) and not is_comment_feed(link)]
    if not feeds:
        return False
    path = url.partition("?")[0]
    folder = re.sub(r"/index\.[a-z]{2,5}$", "", path).rstrip("/") + "/"
    return any(feed.startswith(folder) for feed in feeds)


def article_count(tree: LexborHTMLParser, region: Region) -> int:
    """Count the articles a page shows: elements, microformats or teasers, the most of them."""
    marked = region.articles
    if tree.css_first(".hentry:not(article),.h-entry:not(article)") is not None:
        old, new = tree.css(".hentry:not(article)"), tree.css(".h-entry:not(article)")
        marked = max(marked, len(old), len(new))
    if region.marked:
        return marked
    teasers = _teasers(region.content)
    return max(marked, teasers if teasers >= FEWEST_TEASERS else 0)


def _teasers(region: LexborNode) -> int:
    """Count what looks like the head of another article: a heading that is a link, a dated link.

    Readers' comments are dated links too, and no articles.
    """
    headings = region.css(_LINKED_HEADINGS)[:MAX_TEASERS]
    linked = sum(1 for node in headings if not attribute(node, "href").startswith("#"))
    dated = set()
    linking: dict[int, bool] = {}
    for node in region.css("time")[:MAX_TEASERS]:
        if any(is_beside(each) for each in ancestors(node)):
            continue
        around = islice(ancestors(node), CARD_DEPTH)
        card = next((each for each in around if _links(each, linking)), None)
        if card is not None and card.mem_id != region.mem_id:
            dated.add(card.mem_id)
    return max(linked, len(dated))


def _links(node: LexborNode, known: dict[int, bool]) -> bool:
    """Say whether ``node`` holds a link, by what is ``known`` of it: the list is around all."""
    found = known.get(node.mem_id)
    if found is None:
        found = known[node.mem_id] = node.css_first("a[href]") is not None
    return found
