"""One story in the newsroom's four formats.

HTML carries links, Open Graph and article:* with times to the second; Markdown a YAML front matter
with every field, and after it exactly ``body_md``; plain text the words alone; JSON-LD a schema.org
NewsArticle. Together they say every field of the record. Pure: same record, same bytes.
"""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

import msgspec
import yaml

from crawler.demo import prose
from crawler.demo.stories import author_of
from storage.model import Record

NAME = "The Loopback Courier"
MEDIA_TYPES = {
    "html": "text/html",
    "markdown": "text/markdown",
    "text": "text/plain",
    "jsonld": "application/ld+json",
}
#: Tells front matter apart from a body that begins with a rule of its own.
FENCE = "---\n"

_STYLE = (
    "body{font:18px/1.6 Georgia,serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    "nav a{margin-right:1rem}h1{line-height:1.2}.lead{font-size:1.15em;color:#444}"
    "time,footer,aside{color:#666;font-size:.9em}"
    "blockquote{border-left:3px solid #ccc;margin-left:0;padding-left:1rem}"
)


def render(record: Record, name: str, base: str, related: tuple[Record, ...] = ()) -> bytes:
    """Write ``record`` in the format called ``name``; ``related`` stand beside the HTML."""
    match name:
        case "html":
            text = html(record, base, related)
        case "markdown":
            text = markdown(record)
        case "text":
            text = plain_text(record)
        case "jsonld":
            text = json_ld(record, base)
        case _:
            raise ValueError(f"the newsroom has no format called {name!r}")
    return text.encode()


def html(record: Record, base: str, related: tuple[Record, ...] = ()) -> str:
    """Write ``record`` as a page a person can read."""
    title, summary = record.title or "", record.summary or ""
    links = "".join(
        f'<link rel="alternate" type="{MEDIA_TYPES[name]}" href="{escape(url)}">\n'
        for name, url in record.alternates.items()
        if name != "html"
    )
    head = (
        f'<link rel="canonical" href="{escape(record.url)}">\n{links}'
        f'<meta name="description" content="{escape(summary)}">\n'
        f'<meta name="author" content="{escape(author_of(record))}">\n{_open_graph(record)}'
        f'<script type="application/ld+json">{_safe_in_script(_short_json_ld(record))}</script>\n'
    )
    source = record.canonical_source
    origin = (
        f'<p>First published at <a href="{escape(source)}">{escape(source)}</a>.</p>'
        if source
        else ""
    )
    body = (
        f"<article>\n<h1>{escape(title)}</h1>\n"
        f'<p class="lead">{escape(summary)}</p>\n'
        f'<p class="byline">By {escape(author_of(record))}, {_time(record.published_at)}</p>\n'
        f"{prose.to_html(record.body_md or '')}\n{origin}</article>\n{_related(related)}"
    )
    return page(title, body, base, head=head, lang=record.lang or "en")


def page(title: str, body: str, base: str, *, head: str = "", lang: str = "en") -> str:
    """Make a whole HTML page of the newsroom around ``body``, with its navigation."""
    return (
        f'<!doctype html>\n<html lang="{escape(lang)}">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)} | {NAME}</title>\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'{head}<link rel="alternate" type="application/atom+xml" title="{NAME}" '
        f'href="{base}/feed.atom">\n<style>{_STYLE}</style>\n</head>\n<body>\n'
        f'<header><nav><a href="{base}/">{NAME}</a><a href="{base}/news/">All news</a>'
        f'<a href="{base}/about/">About</a></nav></header>\n<main>\n{body}</main>\n'
        f"<footer><p>{NAME} is made up: people, places and news.</p></footer>\n</body>\n</html>\n"
    )


def markdown(record: Record) -> str:
    """Write ``record`` as Markdown: every other field in front of it, then exactly ``body_md``."""
    fields: dict[str, Any] = {
        "slug": record.slug,
        "title": record.title,
        "summary": record.summary,
        "author": author_of(record),
        "url": record.url,
        "canonical_source": record.canonical_source,
        "published_at": record.published_at,
        "updated_at": record.updated_at,
        "lang": record.lang,
        "topics": list(record.topics),
        "entities": list(record.entities),
        "alternates": record.alternates,
    }
    front = yaml.dump(
        fields, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=10_000
    )
    return f"{FENCE}{front}{FENCE}{record.body_md or ''}"


def plain_text(record: Record) -> str:
    """Write ``record`` as plain text: title, summary and words."""
    parts = (record.title or "", record.summary or "", prose.to_text(record.body_md or ""))
    return "\n\n".join(part for part in parts if part) + "\n"


def json_ld(record: Record, base: str) -> str:
    """Write ``record`` as a schema.org NewsArticle."""
    article = _short_json_ld(record) | {
        "articleBody": prose.to_text(record.body_md or ""),
        "inLanguage": record.lang,
        "keywords": list(record.topics),
        "mentions": [{"@type": "Thing", "name": name} for name in record.entities],
        "publisher": {"@type": "NewsMediaOrganization", "name": NAME, "url": f"{base}/"},
        "encoding": [
            {"@type": "MediaObject", "encodingFormat": MEDIA_TYPES[name], "contentUrl": url}
            for name, url in record.alternates.items()
        ],
    }
    if record.canonical_source:
        article["isBasedOn"] = record.canonical_source
    return msgspec.json.format(msgspec.json.encode(article), indent=2).decode() + "\n"


def _short_json_ld(record: Record) -> dict[str, Any]:
    """Return what the page's own script element says; the .jsonld alternate says more."""
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "@id": record.url,
        "url": record.url,
        "mainEntityOfPage": record.url,
        "headline": record.title,
        "description": record.summary,
        "author": {"@type": "Person", "name": author_of(record)},
        "datePublished": _iso(record.published_at),
        "dateModified": _iso(record.updated_at),
    }


def _safe_in_script(value: dict[str, Any]) -> str:
    """Write JSON that cannot end its script element (HTML Living Standard, section 4.12.1.3)."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")


def _open_graph(record: Record) -> str:
    pairs = [
        ("og:type", "article"),
        ("og:site_name", NAME),
        ("og:title", record.title or ""),
        ("og:description", record.summary or ""),
        ("og:url", record.url),
        ("article:published_time", to_second(record.published_at)),
        ("article:modified_time", to_second(record.updated_at)),
        ("article:section", record.topics[0] if record.topics else ""),
        *(("article:tag", topic) for topic in record.topics),
    ]
    return "".join(
        f'<meta property="{name}" content="{escape(value)}">\n' for name, value in pairs if value
    )


def _related(related: tuple[Record, ...]) -> str:
    if not related:
        return ""
    items = "".join(
        f'<li><a href="{escape(other.url)}">{escape(other.title or other.slug)}</a></li>'
        for other in related
    )
    return f'<aside class="related"><h2>Read on</h2><ul>{items}</ul></aside>\n'


def _time(at: datetime | None) -> str:
    return f'<time datetime="{to_second(at)}">{at:%d %B %Y}</time>' if at else ""


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def to_second(at: datetime | None) -> str:
    """Write RFC 3339 to the second, as most publishers write in HTML; "" for None."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
