"""Slugs: what an article is called on its site, over time.

Pure naming, and one registry a site that keeps the promise: a slug is never empty, names one
article only, and once given it stays. A slug is an identity and not a path: it may hold
anything printable, ``/`` and ``..`` too, and whoever makes a path or a URN of it escapes it.
What is not printable is written percent-encoded, so that a slug is always one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import chain, count
from typing import Final
from unicodedata import category, normalize
from urllib.parse import unquote_to_bytes

from crawler.packed import Claims, PackedStrings
from crawler.urls import page_key, strip_tracking

#: Characters. Slugs are headlines at most; also what one index key and one log line bear well.
MAX_SLUG: Final = 1024
#: Bytes in UTF-8: with a site's name beside it a key of PostgreSQL's B-trees has 2,704 at most.
MAX_SLUG_BYTES: Final = 2048
#: What an article at a site's root is called when it says nothing itself.
ROOT_SLUG: Final = "index"
#: Hex digits of SHA-256 that tell apart what nothing else does.
HASH_DIGITS: Final = 8
_ROOM: Final = MAX_SLUG - HASH_DIGITS - 1

_SUFFIXES: Final = frozenset({"html", "htm", "md", "txt", "json", "jsonld", "php", "aspx"})
_INDEX: Final = re.compile(r"index\.[a-z0-9]{1,8}", re.IGNORECASE)
#: Control characters, line and paragraph separators, lone surrogates: no line may hold them.
_UNPRINTABLE: Final = frozenset({"Cc", "Zl", "Zp", "Cs"})
#: What alone makes no name: the above, spaces, and invisible format characters.
_UNSEEN: Final = _UNPRINTABLE | {"Zs", "Cf"}


def slug_from_url(url: str) -> str:
    """Return the slug that a URL suggests: its last path segment, "" for a site's root.

    Percent-decoded, NFC, without the suffixes of known formats, ``index.*`` and trailing
    slashes; a query that is more than tracking is kept as ``name?query``.
    """
    path, query = _path_and_query(url)
    parts = path.rstrip("/").split("/")
    if _INDEX.fullmatch(parts[-1]):
        parts = "/".join(parts[:-1]).rstrip("/").split("/")
    name = _decoded(parts[-1]).strip() or parts[-1]
    stem, _, suffix = name.rpartition(".")
    while stem and suffix.lower() in _SUFFIXES:
        name = stem
        stem, _, suffix = name.rpartition(".")
    return _bounded((name.strip() or name) + query, url)


def long_slug(url: str) -> str:
    """Return the slug that tells a URL from others of the same last segment: its whole path.

    ``/`` is written ``~``; a ``~``, ``%`` or escaped ``/`` of the input as ``%7E``, ``%25`` and
    ``%2F``. Never empty.
    """
    path, query = _path_and_query(url)
    plain = "~".join(_decoded(part, keep="~%/") for part in path.strip("/").split("/"))
    return _bounded((plain or "~") + query, url)


def clean_slug(text: str) -> str | None:
    """Make a declared slug an identity: NFC, stripped, one line.

    None where nothing printable is left, or where it is longer than a slug may be.
    """
    if len(text) > MAX_SLUG:
        return None
    stripped = text.strip()
    if not (stripped and _is_plain(stripped)) and all(category(c) in _UNSEEN for c in stripped):
        return None
    slug = _one_line(stripped)
    return slug if _fits(slug) else None


class Slugs:
    """The slugs of one site: who has which, and who gets which next.

    ``known`` maps the slugs given in earlier runs to their article's URL; none of them ever
    moves. URLs that differ by scheme or ``www.`` only are one article's. All URLs are
    normalised ones, else ``urls.UrlError``.
    """

    def __init__(self, known: Mapping[str, str] | None = None) -> None:
        # Mutable: the page that has a slug, the slug that a page has, and names held for a listing.
        self._owners = Claims()
        self._slugs = PackedStrings()
        self._held = Claims()
        for slug, url in (known or {}).items():
            self._give(slug, page_key(url))

    def reserve(self, urls: Iterable[str]) -> None:
        """Hold the names that one listing's URLs suggest, in URL order, first come first served.

        A held name is no slug yet: it only makes the outcome independent of which
        page answers first.
        """
        for url in sorted(set(urls)):
            page = page_key(url)
            if self._slugs.find(page) is not None:
                continue
            short = slug_from_url(url) or ROOT_SLUG
            if self._owners.held_by_another(short, page) or not self._held.claim(short, page):
                self._held.claim(long_slug(url), page)

    def assign(
        self, url: str, declared: str | None, *, entry: str | None = None
    ) -> tuple[str, bool]:
        """Return the slug of the article at ``url``, and whether the name it asks for is another's.

        A page that has a slug keeps it. Otherwise it gets ``declared``, made clean, or what its URL
        suggests; where that is taken, its whole path. ``entry`` is the URL by which the
        article was found, when that is another one: what is held for it serves.
        """
        page = page_key(url)
        mine = {page, page_key(entry)} if entry and entry != url else {page}
        suggested = slug_from_url(url) or ROOT_SLUG
        wanted = (clean_slug(declared) if declared else None) or suggested
        taken = self._owners.held_by_another(wanted, page)
        if not taken and wanted == suggested:
            taken = self._held_by_others(wanted, mine)
        slug = self._slugs.get(page)
        if slug is None:
            slug = self._free(url, page, mine) if taken else wanted
            self._give(slug, page)
        return slug, taken and slug != wanted

    def add_alias(self, url: str, slug: str) -> None:
        """Let ``url`` be another name of the article that has ``slug``; its own slug wins."""
        self._slugs.keep(page_key(url), slug)

    def _give(self, slug: str, page: str) -> None:
        self._owners.claim(slug, page)
        self._slugs.keep(page, slug)

    def _free(self, url: str, page: str, mine: set[str]) -> str:
        """Return the long slug, with as much of a digest as it takes to be nobody's."""
        slug = long_slug(url)
        again = (f"{slug[:_ROOM]}~{_digest(f'{url} {n}' if n else url)}" for n in count())
        return next(
            name
            for name in chain([slug], again)
            if not (self._owners.held_by_another(name, page) or self._held_by_others(name, mine))
        )

    def _held_by_others(self, name: str, mine: set[str]) -> bool:
        return all(self._held.held_by_another(name, page) for page in mine)


def _path_and_query(url: str) -> tuple[str, str]:
    """Split a normalised URL into its path and its significant query with the ``?``, or ""."""
    rest = strip_tracking(url).partition("#")[0].partition("://")[2]
    front, _, query = rest.partition("?")
    return "/" + front.partition("/")[2], f"?{query}" if query else ""


def _decoded(part: str, keep: str = "") -> str:
    """Undo percent-encoding where it is printable UTF-8; ``keep`` stays encoded. NFC."""
    if "%" in part:
        part = unquote_to_bytes(part).decode(errors="surrogateescape")
    return _one_line(part, keep)


def _one_line(text: str, keep: str = "") -> str:
    """Percent-encode what is not printable, and the characters of ``keep``. NFC."""
    if _is_plain(text) and not any(c in text for c in keep):
        return text
    composed = normalize("NFC", text)
    lined = "".join(
        _encoded(c) if c in keep or category(c) in _UNPRINTABLE else c for c in composed
    )
    # Again, since an accent after an escape now stands after its last letter.
    return normalize("NFC", lined)


def _is_plain(text: str) -> bool:
    """Say whether ``text`` is of printable ASCII alone, as most slugs are: NFC, on one line."""
    return text.isascii() and text.isprintable()


def _encoded(character: str) -> str:
    """Write a character as percent-encoded bytes; a byte that was no UTF-8 is itself."""
    if "\udc80" <= character <= "\udcff":
        raw = character.encode(errors="surrogateescape")
    else:
        raw = character.encode(errors="surrogatepass")
    return "".join(f"%{byte:02X}" for byte in raw)


def _bounded(slug: str, url: str) -> str:
    """Cut a slug past its bounds; a digest of the URL keeps it its own."""
    if _fits(slug):
        return slug
    kept = slug[:_ROOM].encode()[: MAX_SLUG_BYTES - HASH_DIGITS - 1]
    return f"{kept.decode(errors='ignore')}~{_digest(url)}"


def _fits(slug: str) -> bool:
    return len(slug) <= MAX_SLUG and (slug.isascii() or len(slug.encode()) <= MAX_SLUG_BYTES)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:HASH_DIGITS]
