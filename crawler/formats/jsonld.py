"""JSON-LD: what a schema.org article says of itself, in a file of its own or inside a page.

schema.org/Article and kin, as publishers write them: one object, a list, an ``@graph``, or an
article under ``mainEntity``; plain or prefixed keys. No context is fetched and no graph is
built: nodes are looked up by ``@id`` once. Pure; raises facts.Malformed only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from crawler.facts import Evidence, Facts, Link, Malformed
from crawler.formats.charset import decode
from crawler.formats.json_values import (
    entries_of,
    first_stamp,
    first_url,
    load_json,
    names_of,
    plain_text_of,
    text_of,
    url_text_of,
)
from crawler.formats.spec import FormatSpec
from crawler.links import media_type
from crawler.urls import normalise, same_page

EXTRACTOR = "jsonld/1"
#: Top-level nodes looked at in one document; the largest graphs of CMS plug-ins have about 40.
MAX_NODES = 2_000

Node: TypeAlias = Mapping[str, Any]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


ARTICLE_TYPES = _names(
    "article newsarticle advertisercontentarticle satiricalarticle scholarlyarticle "
    "medicalscholarlyarticle analysisnewsarticle askpublicnewsarticle backgroundnewsarticle "
    "opinionnewsarticle reportagenewsarticle reviewnewsarticle socialmediaposting blogposting "
    "liveblogposting discussionforumposting techarticle apireference report howto recipe "
    "review criticreview"
)
#: Kinds of the page around an article; the plainer ones say nothing of what the page is.
_LISTINGS = _names(
    "collectionpage itemlist searchresultspage profilepage aboutpage contactpage checkoutpage "
    "faqpage qapage blog"
)
_PAGES = _LISTINGS | frozenset({"webpage", "medicalwebpage", "itempage"})
_PREFIXES = ("https://schema.org/", "http://schema.org/", "schema:")
#: Where a node says its own URL, the plainest first.
_ADDRESSES = ("url", "mainEntityOfPage", "@id")


class _Typed(NamedTuple):
    """A node that stands by itself, and what it is: its schema.org types."""

    node: Node
    types: tuple[str, ...]
    is_article: bool


def parse_jsonld(body: bytes, url: str, content_type: str = "") -> Facts:
    """Return the facts of a JSON-LD document at ``url``.

    Raises Malformed where ``body`` is no JSON, or holds no object.
    """
    text, findings = decode(body, content_type)
    document = load_json(text)
    nodes = _nodes([document])
    if not nodes:
        raise Malformed("its JSON holds no object")
    facts = _facts(_article(nodes, url) or _lonely(nodes), nodes, url)
    return structs.replace(facts, findings=findings) if findings else facts


def embedded_facts(texts: Iterable[str], url: str) -> Facts:
    """Return what the JSON-LD blocks ``texts`` inside the page at ``url`` say of it.

    Blocks that are no JSON are left out: a page is none the worse for one.
    """
    documents = []
    for text in texts:
        try:
            documents.append(load_json(text))
        except Malformed:
            continue
    nodes = _nodes(documents)
    return _facts(_article(nodes, url), nodes, url)


def facts_of_document(document: Any, url: str) -> Facts:
    """Return the facts of JSON-LD that was parsed already."""
    nodes = _nodes([document])
    return _facts(_article(nodes, url) or _lonely(nodes), nodes, url)


def _nodes(documents: list[Any]) -> list[_Typed]:
    """Every object that stands by itself: top level, lists, ``@graph`` and main entities."""
    found: list[_Typed] = []
    waiting = list(reversed(documents))
    while waiting and len(found) < MAX_NODES:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(reversed(item[:MAX_NODES]))
        elif isinstance(item, dict):
            node = _plain_keys(item)
            types = types_of(node)
            found.append(_Typed(node, types, not ARTICLE_TYPES.isdisjoint(types)))
            inner = (node.get("@graph"), node.get("mainEntity"))
            waiting.extend([part for part in inner if isinstance(part, (list, dict))])
    return found


def _plain_keys(node: Node) -> Node:
    for key in node:
        if ":" in key and key.startswith(_PREFIXES):
            return {_without_prefix(name): value for name, value in node.items()}
    return node


def _without_prefix(name: str) -> str:
    for prefix in _PREFIXES if ":" in name else ():
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name


def types_of(node: Node) -> tuple[str, ...]:
    """Return the node's schema.org types, lower case, without their prefix."""
    given = node.get("@type")
    if isinstance(given, str):
        return (_without_prefix(given).lower(),)
    items = given if isinstance(given, list) else ()
    return tuple([_without_prefix(item).lower() for item in items if isinstance(item, str)])


def _article(nodes: list[_Typed], url: str) -> _Typed | None:
    """Return the article that the page is: the only one, or the one with the page's URL."""
    articles = [each for each in nodes if each.is_article]
    if len(articles) <= 1:
        return articles[0] if articles else None
    return next((each for each in articles if _is_at(each.node, url)), None)


def _lonely(nodes: list[_Typed]) -> _Typed | None:
    """In a file of its own, the single node with a heading is the article, whatever its type."""
    headed = [
        each for each in nodes if plain_text_of(each.node.get("headline") or each.node.get("name"))
    ]
    return headed[0] if len(headed) == 1 else None


def _is_at(node: Node, url: str) -> bool:
    return any(same_page(each, url) for each in _urls(node, url))


def _urls(node: Node, base: str) -> Iterator[str]:
    for name in _ADDRESSES:
        text = url_text_of(node.get(name))
        url = normalise(text, base) if text else None
        if url is not None:
            yield url


def _facts(chosen: _Typed | None, nodes: list[_Typed], url: str) -> Facts:
    evidence = _evidence(chosen, nodes)
    if chosen is None:
        return Facts(source="jsonld", extractor=EXTRACTOR, evidence=evidence)
    article = chosen.node
    page = _page_of(article, nodes, url)
    own = article.get
    body_md = text_of(own("body_md"))
    return Facts(
        source="jsonld",
        extractor=EXTRACTOR,
        slug=_string(own("slug")),
        title=plain_text_of(own("headline") or own("name")),
        summary=plain_text_of(
            own("description") or own("abstract") or own("summary") or page.get("description")
        ),
        body=body_md or text_of(own("articleBody") or own("text")),
        authors=_authors(article, nodes),
        canonical=first_url(article, _ADDRESSES, url),
        canonical_source=first_url(article, ("canonical_source", "isBasedOn", "isBasedOnUrl"), url),
        published_at=first_stamp((own("datePublished"), page.get("datePublished"))),
        updated_at=first_stamp((own("dateModified"), page.get("dateModified"))),
        lang=_language(own("inLanguage") or page.get("inLanguage")),
        topics=names_of(own("topics") or own("keywords")),
        entities=_entities(article),
        links=tuple(_alternates(article, url)),
        evidence=evidence,
    )


def _string(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _evidence(chosen: _Typed | None, nodes: list[_Typed]) -> Evidence:
    articles = len([each for each in nodes if each.is_article])
    if chosen is not None:
        types = chosen.types
        known = [each for each in types if each in ARTICLE_TYPES]
        kind = "".join((known or types)[:1])
    else:
        kinds = (kind for each in nodes for kind in each.types)
        kind = next((each for each in kinds if each in _LISTINGS), "")
        # Several articles and none of them the page: a list, though nobody said so.
        kind = kind or ("itemlist" if articles > 1 else "")
    return Evidence(type=kind, type_source="JSON-LD" if kind else "", article_elements=articles)


def _page_of(article: Node, nodes: list[_Typed], url: str) -> Node:
    """Return the page node that the article belongs to; it says what the article leaves out."""
    for each in nodes:
        node = each.node
        if node is not article and not _PAGES.isdisjoint(each.types):
            wanted = {url_text_of(article.get(name)) for name in ("mainEntityOfPage", "isPartOf")}
            named = url_text_of(node.get("@id"))
            own = node.get("mainEntity") == article or (named and named in wanted)
            if own or _is_at(node, url):
                return node
    inline = article.get("mainEntityOfPage")
    return inline if isinstance(inline, dict) else {}


def _authors(article: Node, nodes: list[_Typed]) -> tuple[str, ...]:
    given = article.get("author") or article.get("creator")
    items = given if isinstance(given, list) else [given]
    if any(_is_reference(item) for item in items):
        ids = ((each.node.get("@id"), each.node) for each in nodes)
        by_id = {name: node for name, node in ids if isinstance(name, str)}
        items = [_looked_up(item, by_id) for item in items]
    return entries_of(items)


def _is_reference(item: Any) -> bool:
    return isinstance(item, dict) and not item.get("name")


def _looked_up(item: Any, by_id: Mapping[str, Node]) -> Any:
    """Return the node that ``item`` refers to, where it is a reference without a name."""
    return by_id.get(str(item.get("@id")), item) if _is_reference(item) else item


def _entities(article: Node) -> tuple[str, ...]:
    own = article.get("entities")
    return names_of(own) if own else entries_of(article.get("mentions") or article.get("about"))


def _language(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("alternateName") or value.get("name")
    return text_of(value)


def _alternates(article: Node, base: str) -> Iterator[Link]:
    custom = article.get("alternates")
    if isinstance(custom, dict):
        yield from alternate_links(custom, base, "jsonld")
    for name in ("encoding", "encodings", "associatedMedia"):
        given = article.get(name)
        for item in given if isinstance(given, list) else (given,):
            if isinstance(item, dict):
                yield from _encoding(item, base)


def _encoding(item: Node, base: str) -> Iterator[Link]:
    kind = text_of(item.get("encodingFormat") or item.get("fileFormat")) or ""
    target = url_text_of(item.get("contentUrl") or item.get("url") or item.get("@id"))
    url = normalise(target, base) if target else None
    # A picture or a film of the article is no edition of its words.
    if url and media_type(kind) and not kind.startswith(("image/", "video/", "audio/")):
        yield Link(rel="alternate", url=url, type=kind, declared_by="jsonld")


#: Media types by which a record's ``alternates`` mapping is read as typed links.
_TYPE_OF_FORMAT = {
    "html": "text/html",
    "markdown": "text/markdown",
    "text": "text/plain",
    "jsonld": "application/ld+json",
    "json": "application/json",
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
}


def alternate_links(mapping: Mapping[str, Any], base: str, declarer: str) -> Iterator[Link]:
    """Turn an ``alternates`` mapping (format to URL, relative to ``base``) into typed links."""
    for name, target in mapping.items():
        url = normalise(target, base) if isinstance(target, str) else None
        if url is not None:
            kind = _TYPE_OF_FORMAT.get(name, "")
            yield Link(rel="alternate", url=url, type=kind, declared_by=declarer)


SPEC = FormatSpec(
    name="jsonld",
    media_types=("application/ld+json",),
    suffixes=(".jsonld",),
    parse=parse_jsonld,
)
