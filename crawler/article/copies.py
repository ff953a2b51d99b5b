"""One format of an article, fetched, checked against what it claims to be, and parsed.

The rim between the network and the pure parsers: asks robots.txt, asks the server (with the
validators of a stored copy where there is one), and gives a value or a reason in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from msgspec import Struct, field, structs

from crawler.declared import Declared
from crawler.facts import Facts, Malformed
from crawler.fetch import Fetcher
from crawler.formats import check_claim, parse, sniff
from crawler.formats.naming import format_of_media
from crawler.formats.table import FORMATS
from crawler.links import media_type, parse_link_header
from crawler.progress.wording import clean
from crawler.robots_cache import RobotsCache
from crawler.transport.answer import Answer
from crawler.transport.faults import FetchError, HostResting
from crawler.vanishing import Proofs
from storage.archive import Body
from storage.codings import CodingError
from storage.model import Manifest, Payload, Representation, Validator

#: Response fields by which a publisher limits use; kept word for word.
USAGE_FIELDS = ("x-robots-tag", "content-usage", "tdm-reservation", "tdm-policy")
NOT_MODIFIED = 304
OK = 200
_NO_VALUE = (None,)

#: Reads a format's stored body beside the manifest that names it.
ReadStored = Callable[[Manifest, str], Awaitable[Body]]


class Copy(Struct, frozen=True, kw_only=True):
    """A format as it is now: what it says, what describes it, and the answers that prove it.

    ``validator`` is what the server gave to ask with next time; ``answered`` False means that it
    said the stored body still stands.
    """

    facts: Facts
    representation: Representation
    payloads: tuple[Payload, ...]
    validator: Validator
    answered: bool = True
    usage: dict[str, str] = field(default_factory=dict)
    redacted: tuple[str, ...] = ()
    private: bool = False

    @property
    def final_url(self) -> str:
        """The URL that answered, after redirects."""
        return self.representation.final_url

    @property
    def redirected(self) -> Proofs:
        """The redirects that were followed to it, and the answer at their end."""
        hops = tuple(each for each in self.payloads if each.role == "hop")
        ends = tuple(
            structs.replace(each, role="evidence")
            for each in self.payloads
            if each.role != "hop" and not each.not_modified
        )
        return Proofs(payloads=(*hops, *ends), redacted=self.redacted, private=self.private)


class CopyFailed(Exception):
    """A format that could not be had; ``why`` in words, ``status`` of the answer or 0.

    ``disallowed``: robots.txt forbids it, which is no failure of the site. ``evidence`` is the
    answer that was another than 200, and the redirects to it.
    """

    def __init__(
        self,
        url: str,
        why: str,
        *,
        status: int = 0,
        disallowed: bool = False,
        evidence: Proofs | None = None,
    ) -> None:
        super().__init__(why)
        self.url = url
        self.why = why
        self.status = status
        self.disallowed = disallowed
        self.evidence = evidence or Proofs()


class Wish(Struct, frozen=True):
    """What one copy is wanted of, and how; see `Copyist.copy`."""

    declared: Declared
    previous: Manifest | None
    validators: Mapping[str, Validator]
    fresh: bool
    accept: str
    answer: Answer | None


class Copyist:
    """Fetches formats for one run. Holds no state of its own."""

    def __init__(
        self,
        fetcher: Fetcher,
        robots: RobotsCache,
        read_stored: ReadStored,
        *,
        max_body: int,
        ignore_robots: bool = False,
    ) -> None:
        self._fetcher = fetcher
        self._robots = robots
        self._read_stored = read_stored
        self._max_body = max_body
        self._ignore_robots = ignore_robots

    def copy(
        self,
        declared: Declared,
        *,
        previous: Manifest | None = None,
        validators: Mapping[str, Validator] | None = None,
        fresh: bool = False,
        accept: str = "",
        answer: Answer | None = None,
    ) -> Coroutine[Any, Any, Copy]:
        """Fetch ``declared``; an empty format means: whatever the answer is.

        ``answer`` is the server's where `ask` has just had it. Raises CopyFailed with a sentence;
        HostResting passes, since the whole article has to wait.
        """
        return self._made(Wish(declared, previous, validators or {}, fresh, accept, answer))

    async def _made(self, wish: Wish) -> Copy:
        """Make the copy that is wished for: the one place for those who make them elsewhere."""
        declared, previous, accept, answer = wish.declared, wish.previous, wish.accept, wish.answer
        if answer is None:
            conditional = previous is not None and not wish.fresh
            validator = wish.validators.get(declared.url) if conditional else None
            wanted = accept or _accept(declared.type)
            # A page says what is next, and its other formats wait for it: a list's last page
            # would come long after all that it names.
            first = declared.declared_by == ("entry",)
            answer = await self.ask(declared.url, wanted, validator, fresh=wish.fresh, ahead=first)
        if answer.status == NOT_MODIFIED and previous is not None:
            kept = await self._kept(answer, declared, previous)
            if kept is None or declared.digest not in ("", kept.representation.digest):
                return await self.copy(declared, fresh=True, accept=accept)
            return kept
        if answer.status != OK:
            why = clean(f"the server answered {answer.status} {answer.reason}".rstrip())
            raise CopyFailed(declared.url, why, status=answer.status, evidence=_evidence(answer))
        return self._read(answer, declared, accept)

    async def ask(
        self,
        url: str,
        accept: str | None,
        validator: Validator | None,
        *,
        fresh: bool = False,
        ahead: bool = False,
    ) -> Answer:
        """Return what the server answers, whatever its status; ``ahead`` as in Politeness.slot.

        Raises CopyFailed where robots.txt forbids ``url`` or no answer came, and HostResting.
        """
        why = await self.forbidden(url)
        if why:
            raise CopyFailed(url, why, disallowed=True)
        try:
            return await self._fetcher.get(
                url,
                accept=accept,
                validators=validator,
                fresh=fresh,
                permit=self.forbidden,
                ahead=ahead,
            )
        except HostResting:
            raise
        except FetchError as error:
            raise CopyFailed(url, error.sentence, disallowed=error.kind == "refused") from None

    async def forbidden(self, url: str) -> str:
        """Return why ``url`` may not be asked for, by robots.txt or for want of it; else ""."""
        if self._ignore_robots:
            return ""
        robots = self._robots.known(url) or await self._robots.robots_for(url)
        if robots.allowed(url):
            return ""
        return f"{'not asked for' if robots.refuses_all else 'disallowed'}: {robots.reason}"

    def _read(self, answer: Answer, declared: Declared, accept: str) -> Copy:
        fields = answer.fields
        content_type = fields.get("content-type", _NO_VALUE)[0] or declared.type
        try:
            decoded = answer.decoded(self._max_body)
        except CodingError as error:
            raise CopyFailed(answer.url, str(error), status=answer.status) from None
        name = declared.format or sniff(decoded, content_type) or _by_type(content_type)
        if name is None:
            why = clean(f"it is neither a page nor text ({content_type or 'no Content-Type'})")
            raise CopyFailed(answer.url, why, status=answer.status)
        digest = hashlib.sha256(decoded).hexdigest()
        if declared.digest not in ("", digest):
            why = f"it has other bytes than its list says: SHA-256 {digest}, not {declared.digest}"
            raise CopyFailed(answer.url, why, status=answer.status)
        facts = self._parse(answer, name, decoded, content_type, declared.via)
        representation = Representation(
            format=name,
            url=answer.url,
            final_url=answer.final_url,
            status=answer.status,
            media_type=content_type,
            digest=digest,
            length=len(decoded),
            fetched_at=answer.fetched_at,
            declared_by=declared.declared_by,
            content_encoding=answer.coding,
            etag=fields.get("etag", _NO_VALUE)[0],
            last_modified=fields.get("last-modified", _NO_VALUE)[0],
            request={"Accept": accept} if "probe" in declared.declared_by and accept else {},
            via=declared.via,
            particulars=facts.particulars,
        )
        return Copy(
            facts=facts,
            representation=representation,
            payloads=(*_hops(answer), _payload(answer, name)),
            validator=_validator(representation),
            usage=_usage(answer, name),
            redacted=answer.redacted,
            private=answer.private,
        )

    def _parse(
        self, answer: Answer, name: str, decoded: bytes, content_type: str, via: str
    ) -> Facts:
        refusal = check_claim(name, content_type, decoded)
        if refusal:
            raise CopyFailed(answer.url, refusal, status=answer.status)
        try:
            facts = parse(name, decoded, via or answer.final_url, content_type)
        except Malformed as error:
            raise CopyFailed(answer.url, str(error), status=answer.status) from None
        return _linked(facts, answer.fields.get("link", ()), answer.final_url, via)

    async def _kept(self, answer: Answer, declared: Declared, previous: Manifest) -> Copy | None:
        """Read the stored body that the server says still stands (RFC 9110 section 15.4.5).

        None where a newer parser than the one that let it in can't read it.
        """
        old = next((r for r in previous.representations if r.url == declared.url), None)
        if old is None:
            raise CopyFailed(declared.url, "the server answered 304 to a plain request", status=304)
        body = await self._read_stored(previous, old.format)
        try:
            facts = parse(old.format, body.decoded, old.base, old.media_type)
        except Malformed:
            return None
        stored_links = tuple(v for n, v in body.headers if n.lower() == "link")
        facts = _linked(facts, stored_links, old.final_url, old.via)
        representation = structs.replace(
            old, fetched_at=answer.fetched_at, record_id="", particulars=facts.particulars
        )
        return Copy(
            facts=facts,
            representation=representation,
            payloads=(structs.replace(_payload(answer, old.format), body=b"", not_modified=True),),
            validator=_validator(representation),
            answered=False,
            usage=_usage(answer, old.format),
            redacted=answer.redacted,
            private=answer.private,
        )


def _by_type(content_type: str) -> str | None:
    """Name a format we can read by its media type: HTML may open with any of its tags."""
    name = format_of_media(media_type(content_type))
    return name if name in FORMATS else None


def _accept(declared_type: str) -> str | None:
    return f"{declared_type.partition(';')[0]}, */*;q=0.5" if declared_type else None


def _validator(representation: Representation) -> Validator:
    return Validator(
        url=representation.url,
        etag=representation.etag,
        last_modified=representation.last_modified,
        digest=representation.digest,
    )


def _payload(answer: Answer, role: str) -> Payload:
    return Payload(
        role=role,
        url=answer.final_url,
        status=answer.status,
        reason=answer.reason,
        headers=answer.headers,
        body=answer.body,
        fetched_at=answer.fetched_at,
    )


def _hops(answer: Answer) -> list[Payload]:
    return [
        Payload(
            role="hop",
            url=hop.url,
            status=hop.status,
            reason=hop.reason,
            headers=hop.headers,
            body=hop.body,
            fetched_at=hop.fetched_at,
        )
        for hop in answer.hops
    ]


def _evidence(answer: Answer) -> Proofs:
    return Proofs(
        payloads=(*_hops(answer), _payload(answer, "evidence")),
        redacted=answer.redacted,
        private=answer.private,
    )


def _usage(answer: Answer, name: str) -> dict[str, str]:
    fields = answer.fields
    # A line each: an agent that is named on one does not speak on the next.
    return {f"{name}: {key}": "\n".join(fields[key]) for key in USAGE_FIELDS if key in fields}


def _linked(facts: Facts, headers: tuple[str, ...], url: str, via: str) -> Facts:
    """Add to what a document says the links of its answer's header fields.

    Of what comes by way of another mirror the alternates are those that the mirror lists.
    """
    if via:
        own = tuple([link for link in facts.links if link.rel != "alternate"])
        facts = structs.replace(facts, links=own)
    links = parse_link_header(headers, url) if headers else ()
    return structs.replace(facts, links=facts.links + links) if links else facts
