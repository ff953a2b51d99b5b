"""Boxes within an article that are none of its words, told by their class: ads, related, comments.

Class names are the publisher's own habits and no standard; the list holds those of common CMS
themes and site generators, matched as whole words. Pure.
"""

from __future__ import annotations

import re
from functools import lru_cache

from selectolax.lexbor import LexborNode

#: Characters of a class name that is looked at; generated ones are longer and mean nothing.
MAX_CLASS = 80

_BOX = re.compile(
    # "has-sidebar" is said of a page, "category-social" of a post.
    r"(?!(?:has|with|no|without|is|not|category|tag|term|topic|type|format|status)[-_])"
    r"(?:[a-z0-9]+[-_]+){0,3}?"
    r"(?:ads?|advert|advertisement|adsbygoogle|sponsor(?:ed)?|promo(?:tion)?|outbrain|taboola"
    r"|related|recommended|recommendations|recirc|recirculation|readmore|newsletter|subscribe|subscription"
    r"|signup|share|sharing|sharedaddy|social|comments?|respond|disqus|breadcrumbs?|pagination"
    r"|pager|sidebar|cookie|consent|popup|modal|paywall|jp-relatedposts|yarpp"
    r"|navigation|skip-link|toc|edit-link|headerlink|header-anchor|heading-anchor|anchor-link"
    r"|screen-reader-text|sr-only|visually-hidden|tags-links|cat-links|views?-count|likes"
    r"|post-meta|entry-meta|entry-footer|author-box|author-bio)"
    r"(?:[-_]+(?:area|articles|banner|bar|block|body|box|boxes|button|buttons|card|cards|container"
    r"|content|footer|form|heading|icons|inner|item|items|links?|list|reply|thread|module|news|panel|posts?|section|slot"
    r"|stories|story|unit|widget|wrap|wrapper|[0-9]+)){0,2}"
)
#: Whole names only: page builders and manuals use these as parts of, or ids within, what is read.
_BOX_CLASSES = frozenset({"widget", "widget-area", "noprint", "no-print"})
_BESIDE = frozenset({"comment", "comments", "related"})
_BOX_IDS = frozenset(
    {"comments", "disqus_thread", "respond", "jp-relatedposts", "carbonads", "cusdis_thread"}
)


def is_box(node: LexborNode) -> bool:
    """Say whether ``node`` calls itself a box beside the words."""
    given = node.attributes
    words = (given.get("class") or "").lower().split()
    for word in words:
        if _is_box_class(word):
            return True
    # Sphinx gives a chapter its title as id: <div class="section" id="comments">.
    named = (given.get("id") or "").strip()
    return named in _BOX_IDS and node.tag == "div" and "section" not in words


def is_beside(node: LexborNode) -> bool:
    """Say whether ``node`` holds comments or related articles, which are articles of their own."""
    given = node.attributes
    if (given.get("id") or "").strip() in _BOX_IDS:
        return True
    for word in (given.get("class") or "").lower().split():
        parts = word.replace("_", "-").split("-")
        beside = parts[0] in _BESIDE or (parts[-1] in _BESIDE and parts[0] != "no")
        # "comments-open" is said of a post.
        if beside and parts[-1] not in ("open", "closed", "off"):
            return True
    return False


@lru_cache(maxsize=4096)
def _is_box_class(word: str) -> bool:
    return word in _BOX_CLASSES or (len(word) <= MAX_CLASS and _BOX.fullmatch(word) is not None)
