"""What discovery remembers of a site from run to run, so that the next run asks for less. Pure.

One value a site, as JSON text under the key ``discovery``, and each document's bytes under a key
of their own, so that a 304 can be read again and an unchanged body is not written anew. Nothing
here proves that an article is unchanged: it only spares asking for lists. What is older than
``verify_within`` is not believed, and a run that verifies everything believes nothing of it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct, field, structs

from crawler.due import MARGIN, PRECISION
from storage.times import parse_declared

#: Bytes within which a sitemap says that it is one.
_HEAD = 4 << 10
KEY = "discovery"
BODY = "body "
#: Share of the known articles that the sitemaps must name for links to be left alone.
COVERED = 0.95
#: How long an index's date alone may keep a sitemap from being asked for: some indexes never move.
TRUSTED = timedelta(hours=24)
#: Bytes of one body as kept, and of a site's together: a million URLs take some 16 MB.
MOST_BODY = 8 * 2**20
MOST_BODIES = 32 * 2**20
#: Decoded bytes of one document: the sitemap protocol's own bound, with 50,000 URLs.
MAX_DOCUMENT = 50 * 2**20


class Document(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A discovery document as it was last had, but for its bytes.

    ``lastmod`` is what its index said of it then, ``fetched_at`` when its bytes came, ``asked_at``
    when the server last said that they stand; ``digest`` is the decoded bytes' SHA-256.
    """

    final_url: str
    media_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    lastmod: str = ""
    digest: str
    fetched_at: datetime
    asked_at: datetime


class Survey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the newest full discovery from one start URL, begun at ``at``, found.

    ``covered`` is the share of known articles that the sitemaps named when they were last read;
    ``asked`` is what the user selected then, ``sitemaps`` are the start page's own. Of another
    mirror ``mirror`` is where its lists begin, ``reached`` how far each list of changes is known.
    """

    at: datetime
    covered: float
    asked: str = ""
    sitemaps: tuple[str, ...] = ()
    feed: str = ""
    mirror: str = ""
    reached: dict[str, str] = field(default_factory=dict)


class Probed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What looking for undeclared twins gave, at ``at``: ways by format, none if it is empty.

    ``page_way`` leads from a text to its page.
    """

    at: datetime
    held: dict[str, str] | None = None
    page_way: str = ""


class Remembered(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All that is kept of a site but bodies.

    ``absent`` tells when documents that nobody names were found not to be there; ``misdated``:
    a sitemap changed under an index's date that did not.
    """

    surveys: dict[str, Survey] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    absent: dict[str, datetime] = field(default_factory=dict)
    probed: Probed | None = None
    misdated: bool = False


class Memory:
    """One site's memory in one run; ``stored`` is what `changes` gave in earlier ones.

    ``trust`` False: it is only written, for later runs. ``asked`` is what the user selected,
    ``forgotten`` the URLs of articles that nothing may be kept of.
    Mutable state: what is remembered, the bodies, and which of them are new.
    """

    def __init__(
        self,
        stored: Mapping[str, str],
        now: datetime,
        within: timedelta,
        *,
        trust: bool,
        asked: str = "",
        forgotten: Collection[str] = (),
    ) -> None:
        self._forgotten = {
            path.encode() for url in forgotten if len(path := urlsplit(url).path) > 1
        }
        self._now = now
        self._within = within
        self._trust = trust
        self._asked = asked
        self._stored = stored
        known = _decoded(stored.get(KEY, ""))
        self._surveys = dict(known.surveys)
        self._documents = {u: d for u, d in known.documents.items() if stored.get(BODY + u)}
        self._absent = {url: at for url, at in known.absent.items() if self._young(at)}
        self._probed = known.probed
        self._misdated = known.misdated
        self._bodies = {url: stored[BODY + url] for url in self._documents}

    @classmethod
    def none(cls) -> Memory:
        """Return the memory of a site that nothing is remembered of, nor will be."""
        return cls({}, datetime.fromtimestamp(0, UTC), timedelta(), trust=False)

    def believes(self, at: datetime) -> bool:
        """Say whether what was learned at ``at`` may be built on."""
        # What lies ahead was noted by a clock that has been set back since.
        return self._trust and at <= self._now and self._young(at)

    # how much there is to discover

    def light(self, start: str) -> bool:
        """Say whether discovery from ``start`` may keep to sitemaps and the newest feed."""
        survey = self._surveys.get(start)
        return (
            survey is not None
            and self.believes(survey.at)
            and survey.covered >= COVERED
            and survey.asked == self._asked
        )

    def survey(self, start: str) -> Survey | None:
        """Return what the newest full discovery from ``start`` found."""
        return self._surveys.get(start)

    def surveyed(
        self, start: str, covered: float, *, at: datetime, sitemaps: tuple[str, ...], feed: str
    ) -> None:
        """Remember a full discovery from ``start`` that came to its end."""
        self._surveys[start] = Survey(
            at=at, covered=covered, asked=self._asked, sitemaps=sitemaps, feed=feed
        )

    def covers(self, start: str, covered: float) -> None:
        """Remember how much of what is known the sitemaps named this time."""
        survey = self._surveys.get(start)
        if survey is not None:
            self._surveys[start] = structs.replace(survey, covered=covered)

    def mirrored(self, start: str, mirror: str, reached: dict[str, str], *, at: datetime) -> None:
        """Remember that all that the lists at ``mirror`` name is here, as far as they ``reached``.

        ``at`` is when the run began; what was remembered is as old as its newest full reading.
        """
        before = self._surveys.get(start)
        if before is not None and self.light(start) and before.mirror == mirror:
            at, reached = before.at, before.reached | reached
        self._surveys[start] = Survey(
            at=at, covered=1.0, asked=self._asked, mirror=mirror, reached=reached
        )

    # documents

    def document(self, url: str) -> Document | None:
        """Return the document at ``url`` as it was last had, if that may be built on."""
        kept = self._documents.get(url)
        return kept if kept is not None and self.believes(kept.fetched_at) else None

    def body(self, url: str) -> bytes | None:
        """Return the decoded bytes of the document at ``url``; None where they are not whole."""
        kept = self._documents.get(url)
        body = _unpacked(self._bodies.get(url, ""))
        if kept is None or body is None or sha256(body).hexdigest() != kept.digest:
            return None
        return body

    def stands(self, document: Document, lastmod: str) -> bool:
        """Say whether an index's ``lastmod`` proves that a sitemap is as it was."""
        recent = self._now - document.asked_at < TRUSTED
        return recent and not self._misdated and _proven(lastmod, document)

    def stood(self, url: str, lastmod: str, at: datetime) -> None:
        """Remember that the server said at ``at`` that the document at ``url`` is as it was."""
        kept = self._documents[url]
        self._documents[url] = structs.replace(kept, lastmod=lastmod, asked_at=at)

    def may_keep(self, body: bytes) -> bool:
        """Say whether the decoded bytes of a document may be kept: they tell of nothing forgotten.

        A sitemap that has URLs and no titles tells of nobody's words.
        """
        told = any(path in body for path in self._forgotten)
        return not told or (b"<urlset" in body[:_HEAD] and b"title>" not in body)

    def keep(self, url: str, document: Document, body: str) -> None:
        """Remember the document at ``url`` with its packed bytes; one too large is forgotten."""
        before = self._documents.get(url)
        if before is not None and before.digest != document.digest:
            self._misdated = self._misdated or _proven(document.lastmod, before)
        self.forget(url)
        others = sum(len(each) for each in self._bodies.values())
        if len(body) <= MOST_BODY and others + len(body) <= MOST_BODIES:
            self._documents[url] = document
            self._bodies[url] = body

    def forget(self, url: str) -> None:
        """Forget the document at ``url``: it can't be asked for conditionally any more."""
        self._documents.pop(url, None)
        self._bodies.pop(url, None)

    def missed(self, url: str, at: datetime) -> None:
        """Remember that there is no document at ``url``, which nobody names."""
        self._absent[url] = at

    def found(self, url: str) -> None:
        """Remember that there is one."""
        self._absent.pop(url, None)

    def absent(self, url: str) -> bool:
        """Say whether there was no document at ``url`` when it was last looked for."""
        at = self._absent.get(url)
        return at is not None and self.believes(at)

    @property
    def misdated(self) -> bool:
        """Whether the dates that indexes give their sitemaps have been found not to hold."""
        return self._misdated

    # twins

    @property
    def probed(self) -> Probed | None:
        """What looking for undeclared twins gave."""
        known = self._probed
        return known if known is not None and self.believes(known.at) else None

    def probe_held(self, held: Mapping[str, str]) -> None:
        """Remember the undeclared formats of the site's articles, and how each is come by."""
        known = self.probed or Probed(at=self._now)
        self._probed = structs.replace(known, held=dict(held))

    def page_way_held(self, way: str) -> None:
        """Remember how a text's page is come by."""
        known = self.probed or Probed(at=self._now)
        self._probed = structs.replace(known, page_way=way)

    # for the next run

    def changes(self) -> Iterator[tuple[str, str]]:
        """Yield key and JSON text of all that is not stored yet; an empty text forgets."""
        for url in [u for u, kept in self._documents.items() if not self._young(kept.fetched_at)]:
            self.forget(url)
        now = {BODY + url: body for url, body in self._bodies.items()}
        remembered = Remembered(
            surveys=self._surveys,
            documents=self._documents,
            absent=self._absent,
            probed=self._probed,
            misdated=self._misdated,
        )
        now[KEY] = msgspec.json.encode(remembered).decode()
        gone = (key for key in self._stored if key.startswith(BODY) and key not in now)
        now |= dict.fromkeys(gone, "")
        yield from ((key, text) for key, text in now.items() if self._stored.get(key, "") != text)

    def _young(self, at: datetime) -> bool:
        return self._now - at < self._within


def packed(body: bytes) -> str:
    """Return ``body`` as it is kept: JSON text of compressed bytes."""
    return f'"{base64.b64encode(zlib.compress(body, 6)).decode()}"'


def _unpacked(text: str) -> bytes | None:
    inflate = zlib.decompressobj()
    try:
        body = inflate.decompress(base64.b64decode(text.strip('"')), MAX_DOCUMENT)
    except (binascii.Error, zlib.error):
        return None
    return body if inflate.eof else None


def _proven(lastmod: str, document: Document) -> bool:
    """Say whether ``lastmod``, if it is honest, leaves no room for a change since ``document``."""
    stamp = parse_declared(lastmod) if lastmod == document.lastmod else None
    return stamp is not None and document.asked_at - stamp.at > PRECISION[stamp.unit] + MARGIN


def _decoded(text: str) -> Remembered:
    try:
        return msgspec.json.decode(text, type=Remembered) if text else Remembered()
    except msgspec.DecodeError:
        # Written by another version: a run without memory only asks for more.
        return Remembered()
