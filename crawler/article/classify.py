"""Is this document one article, or a page of links? Pure: evidence in, a verdict out.

The rules stand in order of how much the publisher meant by them: what it calls the
document, what the document shows itself to be, and only then how much text it has.
"""

from __future__ import annotations

import re

from msgspec import Struct

from crawler.facts import Evidence, Facts
from crawler.urls import page_path

#: schema.org, Open Graph and CMS names of a single article (compared in lower case).
ARTICLE_TYPES = frozenset(
    {
        "advertisercontentarticle",
        "analysisnewsarticle",
        "apireference",
        "article",
        "askpublicnewsarticle",
        "backgroundnewsarticle",
        "blogposting",
        "howto",
        "liveblogposting",
        "medicalscholarlyarticle",
        "news",
        "newsarticle",
        "opinionnewsarticle",
        "post",
        "recipe",
        "report",
        "reportagenewsarticle",
        "reviewnewsarticle",
        "satiricalarticle",
        "scholarlyarticle",
        "socialmediaposting",
        "techarticle",
    }
)
#: Names of a document that is about other documents, or about the site.
PAGE_TYPES = frozenset(
    {
        "aboutpage",
        "attachment",
        "blog",
        "category",
        "checkoutpage",
        "collectionpage",
        "contactpage",
        "error404",
        "faqpage",
        "feed",
        "itemlist",
        "list",
        "page",
        "person",
        "post_tag",
        "product",
        "productgroup",
        "profile",
        "profilepage",
        "qapage",
        "searchresultspage",
        "tag",
        "term",
        "user",
        "website",
    }
)
#: Page types that templates also put on articles: the site around one, or a box in it.
VAGUE_TYPES = frozenset({"blog", "faqpage", "itemlist", "person", "profile", "qapage", "website"})
#: How the URL of an article's second page, or of its older comments, follows on its first.
_FURTHER = re.compile(
    r"(?:/(?:(?:comment-)?(?:page|seite|pagina|p)[-/]?)?[0-9]{1,4}/?"
    r"|[?&](?:page|paged|cpage|pg)=[0-9]{1,4})$",
    re.IGNORECASE,
)
#: Characters of its own text from which a document without any declaration may be an article;
#: a teaser card has about 150, the shortest agency notes about 500.
ENOUGH_TEXT = 500
#: Above this share of text inside links a document is a list: teasers have 0.35 and more, and
#: boilerplate detectors take a third for the border.
LINKED_SHARE = 0.33


class Verdict(Struct, frozen=True, kw_only=True):
    """``article`` or not, and ``why`` in a few words for the run's report."""

    article: bool
    why: str


def classify(
    url: str,
    facts: Facts,
    *,
    text_formats: frozenset[str],
    json_type: str = "",
    json_url: str | None = None,
    named: bool = False,
) -> Verdict:
    """Decide what the document at ``url`` is.

    ``facts`` are what the document says of itself; ``text_formats`` the other formats it declares
    as alternates; ``json_type`` the kind its JSON record states and ``json_url`` the URL it gives,
    when that was read; ``named`` says that a records list vouches for the URL. A kind of the
    site's own making tells nothing: then the page decides.
    """
    if named:
        return Verdict(article=True, why="named in the records list")
    if facts.source != "html":
        return _by_text_alone(facts)
    own_record = json_type in ARTICLE_TYPES and json_url == url
    if is_root(url) and not own_record:
        return Verdict(article=False, why="the front page of its host")
    if json_url is not None and is_further_page(url, json_url):
        return Verdict(article=False, why=f"it is a further page of {json_url}")
    if json_type in ARTICLE_TYPES or json_type in PAGE_TYPES:
        return _by_type(json_type, "its JSON record")
    return _by_page(facts.evidence, text_formats)


def _by_text_alone(facts: Facts) -> Verdict:
    if facts.source == "other":
        return Verdict(article=False, why="it is neither a page nor text")
    if not facts.title and not facts.body:
        return Verdict(article=False, why="it has neither a title nor words")
    return Verdict(article=True, why="a text format without a page")


def is_root(url: str) -> bool:
    """Say whether ``url`` is the front page of its host, whatever its query."""
    return page_path(url) == "/"


def needs_record(url: str, html: Facts, alternates: frozenset[str]) -> bool:
    """Say whether only the JSON record can tell what the page at ``url`` is.

    Blog software declares a JSON alternate on archives and static pages too; where the page itself
    names no type to go by, or looks like a list or the front page, the record does. It also tells
    an article's further pages from the first.
    """
    if "json" not in alternates:
        return False
    if html.evidence.type in ARTICLE_TYPES:
        doubtful = html.evidence.article_elements > 1 or is_root(url)
        return doubtful or _FURTHER.search(url) is not None
    return html.evidence.type not in PAGE_TYPES - VAGUE_TYPES


def is_further_page(url: str, first: str) -> bool:
    """Say whether ``url`` is that of a numbered page after the one at ``first``."""
    stem = first.rstrip("/")
    return url.startswith(stem) and _FURTHER.match(url, len(stem)) is not None


def _by_type(name: str, source: str) -> Verdict:
    if name in ARTICLE_TYPES:
        return Verdict(article=True, why=f"{source} calls it {name}")
    return Verdict(article=False, why=f"{source} calls it {name}")


def _by_page(evidence: Evidence, text_formats: frozenset[str]) -> Verdict:
    if evidence.type in PAGE_TYPES:
        return _by_type(evidence.type, evidence.type_source)
    listing = _listing(evidence)
    if evidence.type in ARTICLE_TYPES and not (listing and evidence.article_elements > 1):
        return _by_type(evidence.type, evidence.type_source)
    if listing:
        return Verdict(article=False, why=listing)
    if text_formats:
        names = ", ".join(sorted(text_formats))
        return Verdict(article=True, why=f"it has an own {names} alternate")
    return _by_text(evidence)


def _listing(evidence: Evidence) -> str:
    if evidence.own_feed:
        return "it has a feed of its own"
    if evidence.paginated:
        return "it is one of several pages of a list"
    if evidence.article_elements > 1:
        return f"it shows {evidence.article_elements} articles"
    return ""


def _by_text(evidence: Evidence) -> Verdict:
    if evidence.text_length < ENOUGH_TEXT:
        return Verdict(article=False, why="it has little text and no sign of an article")
    if evidence.link_text_length > LINKED_SHARE * evidence.text_length:
        return Verdict(article=False, why="most of its text is links")
    if not evidence.has_heading:
        return Verdict(article=False, why="it has no heading")
    return Verdict(article=True, why="it has a heading and enough text of its own")
