"""Asking servers: the only module that does.

``Fetcher.get`` follows redirects itself, hop by hop, each with its own guard check, slot, retries
and headers. Every status is an answer (after the retries that it allows); no answer is a
FetchError. HTTP is RFC 9110 and 9112, read by aiohttp. A get that is cancelled gives its slot
back and closes its connection; nothing else has to be undone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeAlias

from aiohttp import ClientError
from aiohttp.hdrs import RETRY_AFTER, TRANSFER_ENCODING
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import Struct
from msgspec.structs import replace

from crawler.events import Requested
from crawler.politeness.pace import retry_after
from crawler.politeness.turns import Politeness, Slot
from crawler.transport import redirects
from crawler.transport.answer import Answer, FetchSettings, Headers, Hop
from crawler.transport.body import read_body
from crawler.transport.connect import Connections
from crawler.transport.faults import FetchError, HostResting, Kind, translate, translate_body
from crawler.transport.guard import Guard
from crawler.transport.headers import conditions, echoes, received, without_echo
from crawler.transport.origins import Origin, Origins, Proxies, Wishes, taken_apart
from crawler.transport.retry import RETRIED, Again, Backoff, retrying
from crawler.transport.wire import Dropped, Reply
from storage.model import Validator

__all__ = [
    "Answer",
    "FetchError",
    "FetchSettings",
    "Fetcher",
    "Headers",
    "Hop",
    "HostResting",
    "Kind",
    "Permit",
]

#: Asked before a redirect is followed, with its target: "" lets it pass, a sentence refuses it
#: (robots.txt, scope …), and the get ends with a FetchError of kind "refused" that has the hops.
Permit: TypeAlias = Callable[[str], Awaitable[str]]

#: RFC 9110 section 15: a status has three digits, the first of them 1 or more.
_LEAST_STATUS = 100
_SWITCHING = 101
_NOT_MODIFIED = 304


class _Wanted(Struct, frozen=True):
    """One get's wishes, the same for each of its hops.

    ``home`` is the key of the host that the validators came from.
    """

    wishes: Wishes
    validators: dict[str, str]
    home: str
    cut_at: int | None
    ahead: bool


class _Ask(Struct, frozen=True):
    """One request as it goes out, as often as that may help; ``request`` may hold secrets."""

    url: str
    origin: Origin
    request: bytes
    conditional: bool
    cut_at: int | None
    ahead: bool

    def __repr__(self) -> str:
        return f"_Ask({self.url!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("url", self.url)]


class Fetcher:
    """One run's way to the web; ``async with`` opens and closes its connections.

    ``clock`` gives the date (aware, UTC), ``rng`` the jitter; ``observe`` is told of every
    request, hops and retries included. Raises ConnectError for a bad CA bundle or proxy.
    """

    def __init__(
        self,
        settings: FetchSettings,
        politeness: Politeness,
        guard: Guard,
        clock: Callable[[], datetime],
        rng: random.Random,
        *,
        observe: Callable[[Requested], None] | None = None,
    ) -> None:
        self.politeness = politeness
        self.guard = guard
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._observe = observe
        self._backoff = Backoff(settings.attempts, settings.backoff_base, settings.backoff_cap)
        self._head_timeout = min(
            settings.connect_timeout + settings.read_timeout, settings.total_timeout
        )
        self._proxies = Proxies(settings)
        for proxy in self._proxies.named():
            guard.name(proxy)
        # mutable state: connections and the origins asked, between __aenter__ and __aexit__
        self._origins: Origins | None = None

    async def __aenter__(self) -> Self:
        connections = Connections(self._settings, self.guard)
        self._origins = Origins(self._settings, self.guard, self._proxies, connections)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._origins is not None:
            await self._origins.connections.close()
            self._origins = None

    async def get(
        self,
        url: str,
        *,
        accept: str | None = None,
        encodings: str | None = None,
        validators: Validator | None = None,
        fresh: bool = False,
        permit: Permit | None = None,
        follow: bool = True,
        cut_at: int | None = None,
        ahead: bool = False,
    ) -> Answer:
        """Ask for ``url`` (in normal form), and for what it redirects to.

        ``accept`` and ``encodings`` replace the settings' own; ``validators`` make it conditional
        on the hosts they came from; ``fresh`` asks caches for a new copy; without ``follow`` a
        redirect is the answer; reading stops at ``cut_at`` bytes; ``ahead`` as in
        Politeness.slot. Raises FetchError, and HostResting, which is one, where the host's turn is
        over.
        """
        preconditions = conditions(validators) if validators is not None else {}
        home = taken_apart(url)[1] if preconditions else ""
        wanted = _Wanted(Wishes(accept, encodings, fresh), preconditions, home, cut_at, ahead)
        answer = await self._patiently(self._ask(url, wanted))
        if answer.status not in redirects.FOLLOWED or not follow:
            return answer
        return await self._follow(answer, wanted, permit)

    def _ask(self, url: str, wanted: _Wanted) -> _Ask:
        origin, target = self._opened().find(url)
        conditional = bool(wanted.validators) and origin.key == wanted.home
        request = origin.request(target, wanted.wishes, wanted.validators if conditional else {})
        return _Ask(url, origin, request, conditional, wanted.cut_at, wanted.ahead)

    def _opened(self) -> Origins:
        if self._origins is None:
            raise RuntimeError("a Fetcher is used inside its own async with")
        return self._origins

    async def _follow(self, answer: Answer, wanted: _Wanted, permit: Permit | None) -> Answer:
        seen = [answer.url]
        hops: tuple[Hop, ...] = ()
        private = answer.private
        while (
            answer.status in redirects.FOLLOWED
            and (location := answer.header("location")) is not None
        ):
            here = seen[-1]
            hops = (*hops, _hop(here, answer, location))
            try:
                following = redirects.target(location, here)
                redirects.check(following, seen, self._settings.max_redirects)
            except redirects.BadRedirect as error:
                raise FetchError(here, "redirect", str(error), hops=hops) from None
            # Before robots.txt is asked for there, which would be a request into that network too.
            if refusal := await self._forbidden(following, here):
                raise FetchError(
                    here, "guard", f"it redirects to {following}: {refusal}", hops=hops
                )
            if permit is not None and (refusal := await permit(following)):
                raise FetchError(following, "refused", refusal, hops=hops)
            seen.append(following)
            try:
                answer = await self._patiently(self._ask(following, wanted))
            except FetchError as error:
                error.hops = hops
                raise
            private = private or answer.private
        return replace(answer, url=seen[0], final_url=seen[-1], hops=hops, private=private)

    async def _forbidden(self, following: str, here: str) -> str:
        """Say why the guard forbids what ``here`` redirects to; a proxy looks names up itself."""
        target, host = taken_apart(following)
        if host == taken_apart(here)[1]:
            return ""
        refusal = self.guard.refusal(target)
        if refusal or self._proxies.of(host) is not None:
            return refusal
        return await self.guard.refusal_of_name(target)

    async def _patiently(self, ask: _Ask) -> Answer:
        """One URL's answer, tried again as often as that may help."""
        try:
            return await self._attempt(ask, 1)
        except Again as error:
            first = error
        try:
            return await retrying(
                first,
                lambda number: self._attempt(ask, number),
                self._backoff,
                self._rng,
                may_retry=lambda: self.politeness.may_retry(ask.origin.key),
            )
        except Again as last:
            if isinstance(last.cause, Answer):
                return last.cause
            if isinstance(last.cause, FetchError):
                raise last.cause from None
            raise

    async def _attempt(self, ask: _Ask, number: int) -> Answer:
        """Try once; raises Again where another try may help.

        An idle connection that the server closed meanwhile is no try (RFC 9112 section 9.3.1). A
        host has no more of them than may be open to it.
        """
        for idle in range(self._settings.concurrency, -1, -1):
            try:
                answer = await self._exchange(ask)
                break
            except FetchError as error:
                if error.unseen and idle:
                    continue
                error.attempts = number
                if error.again:
                    raise Again(error, free=error.unseen) from error
                raise
        if number > 1:
            answer = replace(answer, attempts=number)
        if answer.status in RETRIED:
            wait = retry_after(answer.header("retry-after"), answer.fetched_at)
            raise Again(answer, free=wait is not None)
        return answer

    async def _exchange(self, ask: _Ask) -> Answer:
        """One request and its answer, in a slot of its host."""
        host = ask.origin.key
        async with self.politeness.slot(host, ask.url, ahead=ask.ahead) as slot:
            try:
                answer = await self._talk(ask, slot)
            except FetchError as error:
                if not error.unseen:
                    slot.failed(error.kind, error.sentence)
                self._report(ask.url, self._clock(), 0, 0)
                if (resting := await slot.ended()) is not None:
                    raise resting from error
                raise
            self._report(ask.url, answer.fetched_at, answer.status, len(answer.body))
            if answer.status in RETRIED and (resting := await slot.ended()) is not None:
                raise resting
            return answer

    async def _talk(self, ask: _Ask, slot: Slot) -> Answer:
        """Send one request and read its answer; every failure is a FetchError."""
        url, origin = ask.url, ask.origin
        connections = self._opened().connections
        reply: Reply | None = None
        began = time.monotonic()
        try:
            reply = await connections.ask(origin.way, ask.request, self._head_timeout, slot.sent)
            fetched_at = self._clock()
            seconds = time.monotonic() - began
            slot.answered(reply.status, reply.headers.get(RETRY_AFTER), seconds)
            _check_head(url, reply, asked=ask.conditional)
            fields, redacted = received(url, reply.raw_headers, self._settings.max_header)
            if not reply.content.is_eof():
                reply.allow(self._settings.total_timeout - seconds)
            body, cut = await read_body(url, reply, self._settings, ask.cut_at)
        except (ClientError, HttpProcessingError, OSError, Dropped) as error:
            raise self._fault(url, error, reply) from error
        finally:
            if reply is not None:
                reply.close()
        reason = reply.reason
        if origin.private:
            fields, redacted = without_echo(fields, redacted, origin.private)
            reason = "" if echoes(reason, origin.private) else reason
        return Answer(
            url=url,
            final_url=url,
            status=reply.status,
            reason=reason,
            headers=fields,
            body=body,
            fetched_at=fetched_at,
            redacted=redacted,
            private=bool(origin.private),
            cut=cut,
        )

    def _fault(self, url: str, error: Exception, reply: Reply | None) -> FetchError:
        cause = error.cause if isinstance(error, Dropped) else error
        if reply is None:
            fault = translate(url, cause, self._settings)
            fault.unseen = isinstance(error, Dropped)
            return fault
        received = reply.content.total_bytes
        return translate_body(url, cause, self._settings, received, reply.content_length)

    def _report(self, url: str, at: datetime, status: int, size: int) -> None:
        if self._observe is not None:
            self._observe(Requested(at=at, url=url, status=status, size=size))


def _check_head(url: str, reply: Reply, *, asked: bool) -> None:
    if reply.status < _LEAST_STATUS:
        raise FetchError(url, "protocol", f"the answer has no valid status ({reply.status})")
    if reply.status == _SWITCHING:
        raise FetchError(url, "protocol", "the server changed to another protocol unasked")
    if reply.status == _NOT_MODIFIED and not asked:
        raise FetchError(url, "protocol", "the server answered 304 to an unconditional request")
    framing = reply.headers.get(TRANSFER_ENCODING)
    if framing is not None and framing.strip().lower() not in {"chunked", "identity"}:
        # RFC 9112 section 7.2: we asked for no other with TE, and aiohttp would leave it on
        raise FetchError(url, "protocol", "the answer has a transfer coding other than chunked")


def _hop(url: str, answer: Answer, location: str) -> Hop:
    return Hop(
        url=url,
        status=answer.status,
        reason=answer.reason,
        headers=answer.headers,
        body=answer.body,
        fetched_at=answer.fetched_at,
        location=location,
    )
