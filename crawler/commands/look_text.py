"""What ``inspect`` tells a person: a look as lines of text. Pure.

Every word of a site's goes through ``clean`` on its way out.
"""

from __future__ import annotations

from collections.abc import Iterator

from crawler.comparison import Saying
from crawler.looks import ArticleLook, FormatLook, Look
from crawler.progress.wording import clean, count, size
from storage.times import format_utc

#: Characters of one value that are shown side by side with others.
_SHOWN = 100
_WHAT = {"article": "one article", "site": "a site or section", "nothing": "nothing to mirror"}


def shown(look: Look) -> str:
    """Return a look as text, a section a paragraph."""
    return "\n".join(line.rstrip() for line in _lines(look)) + "\n"


def _lines(look: Look) -> Iterator[str]:
    moved = f", at {look.final_url}" if look.final_url != look.url else ""
    yield clean(f"{look.url}: {_WHAT[look.what]}{moved} ({look.why})")
    yield from _robots(look)
    if look.what == "site":
        yield ""
        yield "Lists of articles:" if look.sources else "Lists of articles: none found"
        for each in look.sources:
            dated = f", {each.dated:,} with a date" if each.kind == "sitemap" else ""
            entries = count(each.entries, "entry", "entries")
            yield f"  {each.kind}  {clean(each.url)}  {entries}{dated}"
    if look.feeds:
        yield f"Feeds that the page names: {', '.join(clean(each) for each in look.feeds)}"
    if look.article is not None:
        yield ""
        yield from _article(look.article, sample=look.what == "site")
    if look.notes:
        yield ""
        yield "Could not be read:"
        yield from (f"  {clean(each)}" for each in look.notes)
    yield ""
    yield f"{count(look.requests, 'request')}; nothing was stored"


def _robots(look: Look) -> Iterator[str]:
    robots = look.robots
    verdict = "allowed" if robots.allowed else "not allowed"
    delay = "" if robots.crawl_delay is None else f"; Crawl-delay {robots.crawl_delay:g} s"
    yield f"robots: {verdict} ({clean(robots.reason)}){delay}"
    yield from (f"  names the sitemap {clean(each)}" for each in robots.sitemaps)


def _article(article: ArticleLook, *, sample: bool) -> Iterator[str]:
    yield f"{'One of its articles' if sample else 'The article'}: {clean(article.url)}"
    key = article.key
    by = article.said.get("updated_at", key.source)
    yield f"  slug     {clean(article.slug)}"
    yield f"  title    {clean(article.title or 'none')}"
    yield f"  updated  {format_utc(key.updated_at)}, by {clean(by)}, to the {key.unit}"
    for declarer, url in article.canonical.items():
        yield f"  canonical, by {declarer}: {clean(url)}"
    if article.canonical_source:
        yield f"  original on another host: {clean(article.canonical_source)}"
    yield from (f"  also at {clean(each)}" for each in article.aliases)
    yield from (f"  {clean(name)}: {clean(value)}" for name, value in article.usage.items())
    yield ""
    yield "Formats:"
    yield from (f"  {_format(each)}" for each in article.formats)
    yield ""
    yield "Alternates:" if article.alternates else "Alternates: none declared"
    for each in article.alternates:
        what = clean(each.format or each.what)
        yield f"  {what}  {clean(each.url)}  declared by {', '.join(each.declared_by)}"
    yield ""
    yield "What each format says:"
    for saying in article.sayings:
        yield from _saying(saying)
    yield ""
    yield from _disagreements(article)


def _format(one: FormatLook) -> str:
    if one.why:
        return f"{one.format}  {clean(one.url)}  could not be had: {clean(one.why)}"
    by = f", declared by {', '.join(one.declared_by)}" if one.declared_by else ""
    given = [name for name, value in (("ETag", one.etag), ("date", one.last_modified)) if value]
    validators = f"; {' and '.join(given)}" if given else "; neither ETag nor date"
    kind = clean(one.media_type) or "no media type"
    own = "".join(f"; {clean(name)} {clean(str(v))}" for name, v in one.particulars.items())
    return f"{one.format}  {clean(one.url)}  {kind}, {size(one.length)}{by}{validators}{own}"


def _saying(saying: Saying) -> Iterator[str]:
    yield f"  {saying.field}{'' if saying.agree else '  (they disagree)'}"
    for source, value in saying.values.items():
        yield f"    {source:<8}  {clean(value, _SHOWN)}"


def _disagreements(article: ArticleLook) -> Iterator[str]:
    differing = article.disagreements
    if not differing and not article.findings:
        yield "Its formats agree."
        return
    yield "Where they disagree, and what is odd:"
    for saying in differing:
        values = "; ".join(f"{source}: {clean(v, _SHOWN)}" for source, v in saying.values.items())
        yield f"  {saying.field}: {values}"
    for finding in article.findings:
        yield f"  {finding.kind}: {clean(finding.detail)}"
