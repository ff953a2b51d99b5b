"""JSON records: the article as a database has it.

Three shapes: an article's record (as a mirror exports it), WordPress's REST post
(developer.wordpress.org/rest-api/reference/posts), and the plain names most others use (JSON Feed
1.1's item among them). A document of another kind — a category, a list, a feed — parses too and
says so in its evidence. Pure; raises facts.Malformed only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from msgspec import structs

from crawler.facts import Evidence, Facts, Link, Malformed
from crawler.formats.charset import decode
from crawler.formats.html_text import fragment_text
from crawler.formats.json_values import (
    entries_of,
    first_stamp,
    first_url,
    load_json,
    names_of,
    plain_text_of,
    text_of,
)
from crawler.formats.jsonld import alternate_links, facts_of_document
from crawler.formats.spec import FormatSpec
from storage.model import Stamp

EXTRACTOR = "json/1"

Fields: TypeAlias = Mapping[str, Any]

UPDATED = ("updated_at", "date_modified", "updated", "modified", "dateModified", "lastmod")
PUBLISHED = ("published_at", "date_published", "published", "date", "datePublished", "created_at")
_TITLES = ("title", "headline", "name")
_SUMMARIES = ("summary", "description", "excerpt", "abstract")
_URLS = ("canonical", "canonical_url", "url", "link", "permalink")
_SOURCES = ("canonical_source", "source_url", "external_url")
_TOPICS = ("topics", "tags", "categories", "keywords")
_LANGS = ("lang", "language", "inLanguage", "locale")
_PLAIN_BODIES = ("body_text", "content_text", "body", "content", "text", "articleBody")
_MARKDOWN_BODIES = ("body_md", "body_markdown", "content_md", "markdown")
#: Under these a service wraps its one article.
_WRAPPERS = ("article", "post", "record", "item", "data", "result")
#: Lists of posts by a term whose own name is a kind; any other taxonomy's is just a term.
_TAXONOMIES = ("category", "post_tag")
#: What marks a document as the record this project writes, whatever else it holds.
_RECORD_MARKS = ("body_md", "canonical_source", "alternates")


def parse_json(body: bytes, url: str, content_type: str = "") -> Facts:
    """Return the facts of a JSON document at ``url``.

    Raises Malformed where ``body`` is no JSON, or neither an object nor a list.
    """
    text, findings = decode(body, content_type)
    facts = _facts(load_json(text), url)
    return structs.replace(facts, findings=findings) if findings else facts


def _facts(document: Any, url: str) -> Facts:
    if isinstance(document, list) and len(document) != 1:
        return _other("list")
    fields = _unwrapped(document[0] if isinstance(document, list) else document)
    if not isinstance(fields, dict):
        raise Malformed("its JSON holds no object")
    if "@context" in fields and ("@type" in fields or "@graph" in fields):
        return structs.replace(facts_of_document(fields, url), source="json", extractor=EXTRACTOR)
    other = _other_kind(fields)
    if other:
        return _other(other)
    if _is_wordpress(fields):
        return _wordpress(fields, url)
    return _record(fields, url)


def _other(kind: str) -> Facts:
    evidence = Evidence(type=kind, type_source="its JSON")
    return Facts(source="json", extractor=EXTRACTOR, evidence=evidence)


def _unwrapped(document: Any) -> Any:
    if isinstance(document, dict) and not any(document.get(name) for name in _TITLES):
        for name in _WRAPPERS:
            inner = document.get(name)
            if isinstance(inner, dict) and any(inner.get(each) for each in _TITLES):
                return inner
    return document


def _other_kind(fields: Fields) -> str:
    """Name what ``fields`` is where it is no article: WordPress's terms and users, feeds, lists."""
    taxonomy = fields.get("taxonomy")
    if isinstance(taxonomy, str) and "count" in fields:
        return taxonomy if taxonomy in _TAXONOMIES else "term"
    if "avatar_urls" in fields and "content" not in fields:
        return "user"
    version = fields.get("version")
    if isinstance(version, str) and "jsonfeed.org" in version:
        return "feed"
    return "list" if isinstance(fields.get("items") or fields.get("articles"), list) else ""


def _is_wordpress(fields: Fields) -> bool:
    return isinstance(fields.get("title"), dict) and "rendered" in fields["title"]


def _wordpress(fields: Fields, url: str) -> Facts:
    """Read a post, page or custom post; ``*_gmt`` fields have no zone: their name says it."""
    content, excerpt = fields.get("content"), fields.get("excerpt")
    text = fragment_text(text_of(content) or "", url)
    summary = fragment_text(text_of(excerpt) or "", url).plain
    kind = text_of(fields.get("type")) or ""
    return Facts(
        source="json",
        extractor=EXTRACTOR,
        slug=_unescaped(_string(fields.get("slug"))),
        title=plain_text_of(fields["title"]),
        summary=" ".join(summary.split()) or None,
        body=text.plain or None,
        words=text.linked or None,
        authors=entries_of(_embedded_authors(fields)),
        canonical=first_url(fields, ("link",), url),
        published_at=_gmt(fields.get("date_gmt")) or first_stamp((fields.get("date"),)),
        updated_at=_gmt(fields.get("modified_gmt")) or first_stamp((fields.get("modified"),)),
        lang=_first_text(fields, _LANGS),
        topics=_embedded_terms(fields),
        evidence=Evidence(type=kind.lower(), type_source="its JSON", text_length=len(text.plain)),
    )


def _unescaped(slug: str | None) -> str | None:
    """Undo the percent-encoding that slugs of other scripts are stored in, as in their URLs."""
    try:
        return unquote(slug, errors="strict") if slug else None
    except UnicodeDecodeError:
        return slug


def _gmt(value: Any) -> Stamp | None:
    stamp = first_stamp((value,))
    if stamp is None or stamp.offset is not None or stamp.unit in ("year", "month", "day"):
        return stamp
    return structs.replace(stamp, offset=0)


def _embedded_authors(fields: Fields) -> Any:
    embedded = fields.get("_embedded")
    return embedded.get("author") if isinstance(embedded, dict) else None


def _embedded_terms(fields: Fields) -> tuple[str, ...]:
    """Topic names, where ``?_embed`` sent them; the post itself has only their numbers."""
    embedded = fields.get("_embedded")
    groups = embedded.get("wp:term") if isinstance(embedded, dict) else None
    terms = [term for group in groups or () if isinstance(group, list) for term in group]
    return entries_of(terms)


def _record(fields: Fields, url: str) -> Facts:
    markdown = _first_text(fields, _MARKDOWN_BODIES)
    marks = [name for name in _RECORD_MARKS if name in fields]
    is_record = "slug" in fields and len(marks) > 1
    given = text_of(fields.get("content_html") or fields.get("body_html"))
    html = fragment_text(given, url) if given and markdown is None else None
    body = markdown or (html and html.plain) or _first_text(fields, _PLAIN_BODIES)
    return Facts(
        source="record" if is_record else "json",
        extractor=EXTRACTOR,
        slug=_string(fields.get("slug")),
        title=_first_line(fields, _TITLES),
        summary=_first_line(fields, _SUMMARIES),
        body=body,
        words=(html and html.linked) or None,
        authors=entries_of(fields.get("authors") or fields.get("author")),
        canonical=first_url(fields, _URLS, url),
        canonical_source=first_url(fields, _SOURCES, url),
        published_at=_stamp(fields, "published_gmt", PUBLISHED),
        updated_at=_stamp(fields, "modified_gmt", UPDATED),
        lang=_first_text(fields, _LANGS),
        topics=names_of(next((fields[name] for name in _TOPICS if fields.get(name)), None)),
        entities=names_of(fields.get("entities") or fields.get("mentions")),
        links=tuple(_links(fields, url)),
        evidence=_evidence(fields),
    )


def _stamp(fields: Fields, gmt: str, names: tuple[str, ...]) -> Stamp | None:
    # "updated_at" goes before "modified_gmt", and that before the others: it names our own word.
    first = first_stamp((fields.get(names[0]),))
    return first or _gmt(fields.get(gmt)) or first_stamp([fields.get(name) for name in names[1:]])


def _evidence(fields: Fields) -> Evidence:
    kind = fields.get("type") or fields.get("@type")
    named = kind.lower() if isinstance(kind, str) else ""
    return Evidence(type=named, type_source="its JSON" if named else "")


def _string(value: Any) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _first_text(fields: Fields, names: tuple[str, ...]) -> str | None:
    for name in names:
        if name in fields and (text := text_of(fields[name])):
            return text
    return None


def _first_line(fields: Fields, names: tuple[str, ...]) -> str | None:
    """Return a one-line field as it stands: JSON is no HTML, ``&amp;`` means itself."""
    text = _first_text(fields, names)
    return " ".join(text.split()) if text else None


def _links(fields: Fields, base: str) -> Iterator[Link]:
    given = fields.get("alternates")
    if isinstance(given, dict):
        yield from alternate_links(given, base, "json")


SPEC = FormatSpec(
    name="json",
    media_types=("application/json", "text/json"),
    suffixes=(".json",),
    parse=parse_json,
)
