"""A page's declarations: ``<link>``, ``<meta>``, the base URL, and its plain links.

HTML Living Standard sections 4.2.3 (base), 4.2.4 and 4.6.7 (link types), 4.2.5 (meta); Open Graph
(ogp.me) and its ``article:`` properties. Pure: a tree in, values out.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from msgspec import Struct
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.facts import Link
from crawler.formats.html_tree import attribute, resolve, word_set
from crawler.links import relations
from crawler.urls import normalise

#: Typed links read on one page; hreflang lists of 200 languages are the longest in use.
MAX_LINKS = 1_000
#: Plain links read on one page, as search engines do to a tenth of it.
MAX_ANCHORS = 10_000
#: Seconds after which a page that leads on is meant to be read first, and is no redirect.
MAX_REFRESH = 5
#: HTML section 4.2.5.3, refresh state: seconds, then a URL that may be named and quoted.
_REFRESH = re.compile(
    r"\s*(?P<seconds>[0-9]{1,6})[0-9.]*(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?(?P<quote>[\"']?)(?P<url>.+)",
    re.IGNORECASE | re.DOTALL,
)
#: Values of ``rel`` remembered for the links to come, and characters of the longest one.
REMEMBERED, MAX_REMEMBERED = 256, 64
#: Relations that load or decorate the page and lead nowhere a reader goes.
_RESOURCES = word_set(
    "stylesheet icon apple-touch-icon apple-touch-icon-precomposed mask-icon fluid-icon preload "
    "modulepreload prefetch prerender preconnect dns-prefetch manifest expect"
)
#: Of anchors only these relations are typed links; the others describe plain ones.
_ANCHOR_RELATIONS = frozenset({"next", "prev", "alternate", "canonical"})
#: Robots directives are kept for everyone and for these names (a page may address any other).
OWN_NAME = "slugline"
#: TDMRep (W3C Community Group report of 2024-05-10) in a page: a reservation, and its terms.
TDM = ("tdm-reservation", "tdm-policy")
#: Characters of such a word that are kept: the one is a digit, the other a URL.
MAX_TDM = 2_048
_AGENTS = frozenset({"googlebot", "googlebot-news", "bingbot", OWN_NAME})


class Meta(Struct, frozen=True, kw_only=True):
    """``<meta>`` contents by lower-case name or property, all values in order; and robots' own."""

    values: dict[str, tuple[str, ...]]

    def first(self, *names: str) -> str | None:
        """Return the first value of the first of ``names`` that has one."""
        for name in names:
            if name in self.values:
                return self.values[name][0]
        return None

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of ``name``."""
        return self.values.get(name, ())

    @property
    def robots(self) -> str:
        """The directives for all, then each agent's as ``agent: directive``, comma-separated."""
        said = [word for value in self.all("robots") for word in _directives(value)]
        for agent in sorted(_AGENTS & self.values.keys()):
            directives = (word for value in self.all(agent) for word in _directives(value))
            said.extend(f"{agent}: {word}" for word in directives)
        return ", ".join(dict.fromkeys(said))

    @property
    def tdm(self) -> dict[str, str]:
        """What the page says of text and data mining, by name: all values, one a line."""
        said = self.values
        return {name: "\n".join(said[name])[:MAX_TDM] for name in TDM if name in said}

    @property
    def nofollow(self) -> bool:
        """True where robots in general, or this one, should follow no plain link."""
        said = {
            word
            for name in ("robots", OWN_NAME)
            for value in self.all(name)
            for word in _directives(value)
        }
        return not said.isdisjoint({"nofollow", "none"})


def _directives(value: str) -> list[str]:
    return [word.strip().lower() for word in value.split(",") if word.strip()]


def base_url(tree: LexborHTMLParser, url: str) -> str:
    """Return what relative URLs are resolved against: the first ``<base href>``, else ``url``."""
    # By name and not by a selector, here and below: half the time, and none for no element.
    node = next((each for each in tree.tags("base") if "href" in each.attributes), None)
    return url if node is None else normalise(attribute(node, "href"), url) or url


def read_meta(tree: LexborHTMLParser) -> Meta:
    """Collect every ``<meta>`` with a name and a content. Empty contents are left out."""
    found: dict[str, list[str]] = {}
    for node in tree.tags("meta"):
        given = node.attributes
        name = given.get("property") or given.get("name") or given.get("http-equiv")
        value = (given.get("content") or "").strip()
        if name and value:
            found.setdefault(name.strip().lower(), []).append(value)
    return Meta(values={name: tuple(values) for name, values in found.items()})


def related_anchors(tree: LexborHTMLParser) -> list[LexborNode]:
    """Return the plain links that state a relation, which few do: ``a`` and ``area``.

    A selector takes ``xlink:href`` for ``href`` too: not every node has what was asked for.
    """
    return tree.css("a[rel][href],area[rel][href]")


def read_links(
    tree: LexborHTMLParser, related: Iterable[LexborNode], base: str
) -> tuple[Link, ...]:
    """Return the page's typed links: ``<link>`` anywhere, and anchors with a typed relation."""
    found: list[Link] = []
    for node in tree.tags("link"):
        given = node.attributes
        _add(found, given, base, _leading(given.get("rel") or ""))
        if len(found) >= MAX_LINKS:
            return tuple(found[:MAX_LINKS])
    for node in related:
        given = node.attributes
        names = [name for name in _leading(given.get("rel") or "") if name in _ANCHOR_RELATIONS]
        # An anchor without a type is an alternate of what it stands beside, not of the page.
        typed = names and ("alternate" not in names or (given.get("type") or "").strip())
        if typed and node.tag == "a":
            _add(found, given, base, names)
    return tuple(found[:MAX_LINKS])


def _leading(rel: str) -> tuple[str, ...]:
    return _short_leading(rel) if len(rel) <= MAX_REMEMBERED else _all_leading(rel)


def _all_leading(rel: str) -> tuple[str, ...]:
    """Return the relations in ``rel`` that lead somewhere."""
    return tuple(name for name in relations(rel.strip()) if name not in _RESOURCES)


_short_leading = lru_cache(REMEMBERED)(_all_leading)


def refresh_target(meta: Meta, base: str) -> str | None:
    """Return where a page sends its reader at once: the static site's way to redirect."""
    found = _REFRESH.match(meta.first("refresh") or "")
    if found is None or int(found["seconds"]) > MAX_REFRESH:
        return None
    address = found["url"].partition(found["quote"])[0] if found["quote"] else found["url"]
    return resolve(address.strip(), base)


def _add(
    found: list[Link], given: Mapping[str, str | None], base: str, names: Collection[str]
) -> None:
    href = (given.get("href") or "").strip()
    # Section 4.2.4: a link with an empty address is none. A place on the page is the page itself.
    url = resolve(href, base) if names and href and href[0] != "#" else None
    if url is None:
        return
    for name in names:
        link = Link(
            rel=name,
            url=url,
            type=(given.get("type") or "").strip(),
            hreflang=(given.get("hreflang") or "").strip(),
            media=(given.get("media") or "").strip(),
            title=(given.get("title") or "").strip(),
            declared_by="html",
        )
        found.append(link)


def read_anchors(
    tree: LexborHTMLParser, related: Iterable[LexborNode], base: str
) -> tuple[str, ...]:
    """Return the targets of plain links in page order, each once, without ``nofollow`` ones."""
    shunned = {
        node.mem_id for node in related if "nofollow" in attribute(node, "rel").lower().split()
    }
    nodes = tree.css("a[href],area[href]")[: 2 * MAX_ANCHORS]
    if shunned:
        nodes = [node for node in nodes if node.mem_id not in shunned]
    found: dict[str, None] = {}
    # One attribute costs half of all of them; and a menu stands above and below.
    for href in dict.fromkeys([node.attrs.get("href") for node in nodes]):
        if not href or href[0] == "#":
            continue
        url = resolve(href, base)
        if url is not None:
            found[url] = None
            if len(found) >= MAX_ANCHORS:
                break
    return tuple(found)
