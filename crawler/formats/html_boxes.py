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
#: Values of ``class`` remembered for the pages to come, and characters of the longest one: those of
#: a site's templates come again on each page.
REMEMBERED = 2_048
MAX_REMEMBERED = 256

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


def is_box(tag: str, given: dict[str, str | None]) -> bool:
    """Say whether an element ``tag`` with the attributes ``given`` calls itself a box."""
    classes = given.get("class") or ""
    if classes:
        short = len(classes) <= MAX_REMEMBERED
        if _short_box(classes) if short else _box(classes):
            return True
    named = given.get("id")
    if not named or named.strip() not in _BOX_IDS:
        return False
    # Sphinx gives a chapter its title as id: <div class="section" id="comments">.
    return tag == "div" and "section" not in classes.lower().split()


def is_beside(node: LexborNode) -> bool:
    """Say whether ``node`` holds comments or related articles, which are articles of their own."""
    given = node.attributes
    named, classes = given.get("id"), given.get("class")
    if named and named.strip() in _BOX_IDS:
        return True
    if not classes:
        return False
    return _short_beside(classes) if len(classes) <= MAX_REMEMBERED else _beside(classes)


def _beside(classes: str) -> bool:
    for word in classes.lower().split():
        parts = word.replace("_", "-").split("-")
        beside = parts[0] in _BESIDE or (parts[-1] in _BESIDE and parts[0] != "no")
        # "comments-open" is said of a post.
        if beside and parts[-1] not in ("open", "closed", "off"):
            return True
    return False


def _box(classes: str) -> bool:
    for word in classes.lower().split():
        if word in _BOX_CLASSES or (len(word) <= MAX_CLASS and _BOX.fullmatch(word) is not None):
            return True
    return False


_short_box = lru_cache(REMEMBERED)(_box)
_short_beside = lru_cache(REMEMBERED)(_beside)
