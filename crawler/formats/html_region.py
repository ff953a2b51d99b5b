"""Which part of a page is its article.

The choice is conservative, since a digest is made over it: what the publisher marked
(``articleBody``, one ``<article>``, one content class) before any guess. Pure: a tree in,
nodes out.
"""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.formats.html_boxes import is_beside
from crawler.formats.html_tree import ancestors

#: An article is one of several if it has less than this share of all their text.
MAIN_SHARE = 0.6
#: A content element stands for its article from this share of its text on.
CONTENT_SHARE = 0.5
#: Class names that CMS themes and site generators give the article's own words.
CONTENT_SELECTOR = (
    ".entry-content,.post-content,.article-content,.article-body,.article__body,.post-body,"
    ".story-body,.e-content,.td-post-content,.sl-markdown-content,.vp-doc,.markdown-body,"
    ".post__content,.article__content,.page-content,.prose"
)


class Region(Struct, frozen=True, kw_only=True):
    """Where the words are: ``content``, within ``article``, the element that is the article.

    ``marked`` is False where neither the publisher nor one clear candidate said so.
    """

    content: LexborNode
    article: LexborNode
    marked: bool
    articles: int


def choose_region(tree: LexborHTMLParser) -> Region | None:
    """Find the part of the page that is its article; None for a document without a body."""
    body = tree.body
    if body is None:
        return None
    articles = _outer(tree.css("article,[role=article]"))
    chosen = _one_of(articles) or _one_of(_outer(tree.css(".hentry,.h-entry")))
    around = chosen or tree.css_first("main,[role=main]") or tree.css_first("#content") or body
    bodies = around.css("[itemprop~=articleBody]")
    contents = bodies if len(bodies) == 1 else _outer(around.css(CONTENT_SELECTOR))
    content = around
    if len(contents) == 1 and _covers(contents[0], around):
        content = contents[0]
    marked = chosen is not None or content is not around
    return Region(content=content, article=around, marked=marked, articles=len(articles))


def _covers(content: LexborNode, around: LexborNode) -> bool:
    # In a whole body, menus may well outweigh a short article.
    if around.tag == "body":
        return True
    return len(content.text()) >= CONTENT_SHARE * len(around.text())


def _outer(nodes: list[LexborNode]) -> list[LexborNode]:
    """Those of ``nodes`` that stand by themselves: in no other of them, nor beside the content."""
    # A list of selectors finds an element once for each of them that it meets.
    known = {node.mem_id: node for node in nodes}
    return [node for node in known.values() if not is_beside(node) and not _inside(node, known)]


def _inside(node: LexborNode, known: Container[int]) -> bool:
    for each in ancestors(node):
        if each.mem_id in known or each.tag in ("aside", "nav", "footer") or is_beside(each):
            return True
    return False


def _one_of(nodes: list[LexborNode]) -> LexborNode | None:
    """Return the article among ``nodes``: alone, or with the only h1, or with most of the text."""
    if len(nodes) <= 1:
        return nodes[0] if nodes else None
    headed = [node for node in nodes if node.css_first("h1") is not None]
    if len(headed) == 1:
        return headed[0]
    lengths = [len(node.text()) for node in nodes]
    longest = max(range(len(nodes)), key=lengths.__getitem__)
    return nodes[longest] if lengths[longest] > MAIN_SHARE * sum(lengths) else None
