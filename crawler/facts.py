"""What one document says of itself: the value every format's parser returns."""

from __future__ import annotations

from msgspec import Struct

from storage.model import Finding, Stamp


class Link(Struct, frozen=True, kw_only=True):
    """A typed link (RFC 8288 section 2) from an article to something else, target resolved.

    ``rel`` is one lower-case relation; ``declared_by`` says where it stood: ``html``, ``header``,
    ``jsonld``, ``json``, ``markdown``, ``records-file``, ``probe``.
    """

    rel: str
    url: str
    type: str = ""
    hreflang: str = ""
    media: str = ""
    title: str = ""
    declared_by: str


class Evidence(Struct, frozen=True, kw_only=True):
    """What speaks for a document being one article, and what for a page of links.

    ``type`` is the declared kind as found, lower case (``newsarticle``, ``article``, ``website``,
    ``collectionpage``, ``post``, ``page`` …), with ``type_source`` its declarer.
    """

    type: str = ""
    type_source: str = ""
    text_length: int = 0
    link_text_length: int = 0
    article_elements: int = 0
    has_heading: bool = False
    paginated: bool = False
    own_feed: bool = False


class Facts(Struct, frozen=True, kw_only=True):
    """One format's words on its article; ``None`` or empty where it is silent.

    ``source`` is the format's name; ``record`` for a list of records, ``other`` without a parser.
    ``body`` is the article's own text, in Markdown where the format has it so; ``words`` is the
    text the content digest is made over when it differs from ``body`` (HTML's main text with its
    link targets). ``canonical`` is the URL the document gives as its own; ``canonical_source`` the
    original it was taken from, on another host. ``leads_to`` is where the page sends its reader at
    once. ``title_guessed``: the title is a heading or the window's, not declared as one. ``links``
    are canonical, alternate and other typed links; ``anchors`` plain links for discovery. ``tdm``
    is what the page says of text and data mining, by name. ``particulars`` is what this format
    alone can tell, by name: a PDF's ``pages``. They are kept beside its bytes and shown; they
    are part of no record, no digest and no judgement. ``unread`` is the SHA-256 of the rest of a
    text that was too long to be read whole.
    """

    source: str
    extractor: str
    slug: str | None = None
    title: str | None = None
    title_guessed: bool = False
    summary: str | None = None
    body: str | None = None
    words: str | None = None
    authors: tuple[str, ...] = ()
    canonical: str | None = None
    canonical_source: str | None = None
    leads_to: str | None = None
    published_at: Stamp | None = None
    updated_at: Stamp | None = None
    lang: str | None = None
    topics: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    anchors: tuple[str, ...] = ()
    nofollow: bool = False
    robots: str = ""
    tdm: dict[str, str] = {}
    particulars: dict[str, int | str] = {}
    unread: str = ""
    evidence: Evidence = Evidence()
    findings: tuple[Finding, ...] = ()


class Malformed(ValueError):
    """The bytes are not what their format promises; the message says why, in words."""
