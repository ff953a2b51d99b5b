"""Pages with links: which anchors may lead to articles, and in which order to try them.

Rules on URLs only: inside the scope, once each, nothing that changes state on the server
(log-out, comment and cart links), no machinery of the site, no file of another kind. What a
page is, its content decides later. Further pages of a listing come first, so that all of it
is seen; Markdown and text twins last, when the pages they belong to have claimed them. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from urllib.parse import parse_qsl

from crawler.urls import in_scope, normalise

#: Anchors of one page that are looked at; the longest archive pages list some 5,000.
MAX_ANCHORS = 10_000

#: Links of a site that are remembered as none to follow, each of at most so many characters: a
#: site's menus and its newest articles are some hundred, and all of these take about a megabyte.
_REMEMBERED = 4096
_SHORT = 256

#: Last segments' extensions that are no page: styles, scripts, media, fonts, archives, data.
_FILES = re.compile(
    r"\.(?:css|js|mjs|map|wasm|jsonld|json|xml|xsl|rss|atom|rdf|opml|ics|vcf|csv|tsv|sql|log"
    r"|png|jpe?g|jfif|gif|webp|avif|svgz?|ico|bmp|tiff?|heic|psd|eps|ai"
    r"|mp[34]|m4[av]|og[agv]|opus|wav|flac|aac|webm|mov|avi|mkv|m3u8|vtt|srt"
    r"|woff2?|ttf|otf|eot|zip|gz|tgz|bz2|xz|zst|7z|rar|tar|jar|apk|exe|msi|dmg|pkg|deb|rpm|iso|bin"
    r"|pdf|epub|mobi|azw3?|docx?|xlsx?|pptx?|od[tsp]|rtf|tex|sig|asc|torrent|whl)$",
    re.IGNORECASE,
)
_TWINS = re.compile(r"\.(?:md|markdown|mdx|txt)$", re.IGNORECASE)
#: Segments of a site's machinery: content management, proxies, accounts, feeds, comment doors.
_MACHINERY = re.compile(
    r"/(?:wp-(?:admin|json|content|includes|login\.php|cron\.php|signup\.php|comments-post\.php)"
    r"|xmlrpc\.php|cdn-cgi|\.well-known|cgi-bin|_next|_nuxt|node_modules|log-?out|sign-?out|log-?in"
    r"|sign-?in|sign-?up|register|cart|checkout|my-account|trackback)(?:/|$)"
    r"|/(?:feeds?|rss|rss2|atom|rdf|oembed|embed|comment-page-[0-9]+)/?$|/feed/(?:rss2?|rdf|atom)/?$",
    re.IGNORECASE,
)
#: Parameters that act, share, preview, search or print: never another article.
_ACTIONS = frozenset(
    (
        *("replytocom", "action", "do", "share", "add-to-cart", "add_to_cart", "remove_item"),
        *("_wpnonce", "nonce", "preview", "preview_id", "unapproved", "moderation-hash"),
        *("s", "search", "q", "feed", "format", "rest_route", "oembed", "print", "printable"),
        *("redirect", "redirect_to", "return_to", "returnurl", "logout", "login", "edit"),
        *("sid", "phpsessid", "cpage"),
    )
)
#: Files about a site and no part of it: what it tells machines at fixed addresses, and the
#: collections of all its pages that llmstxt.org's tools put beside an llms.txt.
_SITE_FILES = re.compile(
    r"https?://[^/]*/(?:robots|humans|security|sitemap|(?:app-)?ads)\.txt$"
    r"|/llms(?:-(?:full|small|medium|ctx|ctx-full))?\.txt$",
    re.IGNORECASE,
)
_PAGE_PATH = re.compile(r"/(?:page|seite|pagina|p)[/-]\d{1,6}(?:\.\w{1,5})?/?$", re.IGNORECASE)
_PAGE_NAMES = frozenset({"page", "paged", "pg", "pagenum", "page_num", "offset", "start", "cursor"})


def candidates(anchors: Iterable[str], page_url: str, scope: str) -> tuple[str, ...]:
    """Return the URLs worth a look among a page's ``anchors``, normalised, each once.

    Further pages of the listing first, then the rest in the page's order, twins last. Never
    ``page_url`` itself. Raises UrlError where ``scope`` is no URL.
    """
    own = normalise(page_url)
    urls = (normalise(anchor, page_url) for anchor in islice(anchors, MAX_ANCHORS))
    found = dict.fromkeys(url for url in urls if url is not None and url != own)
    return _in_order(url for url in found if in_scope(url, scope) and _may_be_page(url))


class Candidates:
    """Tells the candidates among the links of one site's pages. Mutable state: what is none.

    Nearly all links of a page are its site's menus, or articles that are known: what was found to
    be none is kept in mind, as many as there is room for.
    """

    def __init__(self, scope: str, is_new: Callable[[str], bool]) -> None:
        """``is_new`` never holds again for a URL for which it once did not."""
        self._scope = scope
        self._is_new = is_new
        self._none: set[str] = set()

    def among(self, urls: Iterable[str], page_url: str) -> tuple[str, ...]:
        """Return what `candidates` would of ``urls`` in normal form, but for what is not new."""
        none = self._none
        urls = dict.fromkeys(url for url in islice(urls, MAX_ANCHORS) if url not in none)
        urls.pop(page_url, None)
        if not urls:
            return ()
        found = []
        for url in urls:
            if self._is_new(url) and in_scope(url, self._scope) and _may_be_page(url):
                found.append(url)
            elif len(url) <= _SHORT:
                if len(none) >= _REMEMBERED:
                    none.clear()
                none.add(url)
        return _in_order(found)


def _in_order(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(urls, key=_rank))


def is_list_page(url: str) -> bool:
    """Say whether ``url`` is a later page of a list, by the usual ways of naming one."""
    return _rank(url) == 0


def is_site_file(url: str) -> bool:
    """Say whether ``url`` is a file about the whole site, which is never an article of it."""
    path = url.partition("?")[0]
    return path[-4:].lower() == ".txt" and _SITE_FILES.search(path) is not None


def _may_be_page(url: str) -> bool:
    path, query = _path_and_query(url)
    if _FILES.search(path) or _MACHINERY.search(path):
        return False
    return not query or not any(name.lower() in _ACTIONS for name in _names(query))


def _rank(url: str) -> int:
    path, query = _path_and_query(url)
    paged = query and any(name.lower() in _PAGE_NAMES for name in _names(query))
    if paged or _PAGE_PATH.search(path):
        return 0
    return 2 if _TWINS.search(path) else 1


def _path_and_query(url: str) -> tuple[str, str]:
    path, _, query = url.partition("://")[2].partition("?")
    return path[path.find("/") :], query


def _names(query: str) -> list[str]:
    return [name for name, _ in parse_qsl(query, keep_blank_values=True)]
