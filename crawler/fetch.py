"""Asking servers: the only module that does.

``Fetcher.get`` follows redirects itself, hop by hop, each with its own guard check, slot, retries
and headers. Every status is an answer (after the retries that it allows); no answer is a
FetchError. HTTP is RFC 9110 and 9112, read by aiohttp. A get that is cancelled gives its slot
back and closes its connection; nothing else has to be undone.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from types import TracebackType
from typing import Self, TypeAlias

from aiohttp import ClientError, ClientResponse, ClientSession
from msgspec import Struct
from msgspec.structs import replace
from yarl import URL

from crawler import redirects
from crawler.answer import Answer, Exchange, FetchSettings, Headers, Hop
from crawler.body import read_body
from crawler.connect import Dropped, open_session, proxy_of, sending
from crawler.faults import FetchError, HostResting, Kind, translate, translate_body
from crawler.guard import Guard
from crawler.headers import conditions, echoes, received, wishes, without_echo
from crawler.pace import retry_after
from crawler.politeness import Politeness, Slot
from crawler.retry import RETRIED, Again, Backoff, retrying
from storage.model import Validator

__all__ = [
    "Answer",
    "Exchange",
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


class _Ask(Struct, frozen=True):
    """One get's wishes, the same for each of its exchanges. ``home`` is the first host's key."""

    url: str
    home: str
    headers: dict[str, str]
    validators: dict[str, str]
    cut_at: int | None


class Fetcher:
    """One run's way to the web; ``async with`` opens and closes its connections.

    ``clock`` gives the date (aware, UTC), ``rng`` the jitter; ``observe`` is told of every
    exchange, hops and retries included. Raises ConnectError for a bad CA bundle or proxy.
    """

    def __init__(
        self,
        settings: FetchSettings,
        politeness: Politeness,
        guard: Guard,
        clock: Callable[[], datetime],
        rng: random.Random,
        *,
        observe: Callable[[Exchange], None] | None = None,
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
        self._proxies = {
            host: proxy_of(url) if url else None for host, url in settings.proxies.items()
        }
        self._proxy = proxy_of(settings.proxy) if settings.proxy else None
        for proxy in (*self._proxies.values(), self._proxy):
            if proxy is not None:
                guard.name(str(proxy.url))
        # mutable state: the session, between __aenter__ and __aexit__
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = open_session(self._settings, self.guard)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

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
    ) -> Answer:
        """Ask for ``url`` (in normal form), and for what it redirects to.

        ``accept`` and ``encodings`` replace the settings' own; ``validators`` make it conditional
        on the hosts they came from; ``fresh`` asks caches for a new copy; without ``follow`` a
        redirect is the answer; reading stops at ``cut_at`` bytes. Raises FetchError, and
        HostResting, which is one, where the host's turn is over.
        """
        headers = wishes(accept, encodings, fresh=fresh)
        preconditions = conditions(validators) if validators is not None else {}
        target, host = _target(url)
        ask = _Ask(url, host, headers, preconditions, cut_at)
        answer = await self._patiently(url, target, host, ask)
        if answer.status not in redirects.FOLLOWED or not follow:
            return answer
        return await self._follow(answer, ask, permit)

    async def _follow(self, answer: Answer, ask: _Ask, permit: Permit | None) -> Answer:
        seen = [ask.url]
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
                answer = await self._patiently(following, *_target(following), ask)
            except FetchError as error:
                error.hops = hops
                raise
            private = private or answer.private
        return replace(answer, url=ask.url, final_url=seen[-1], hops=hops, private=private)

    async def _forbidden(self, following: str, here: str) -> str:
        """Say why the guard forbids what ``here`` redirects to; a proxy looks names up itself."""
        target, host = _target(following)
        if host == _target(here)[1]:
            return ""
        refusal = self.guard.refusal(target)
        if refusal or self._proxies.get(host, self._proxy) is not None:
            return refusal
        return await self.guard.refusal_of_name(target)

    async def _patiently(self, url: str, target: URL, host: str, ask: _Ask) -> Answer:
        """One URL's answer, tried again as often as that may help."""
        if refusal := self.guard.refusal(target):
            raise FetchError(url, "guard", refusal)

        async def attempt(number: int) -> Answer:
            try:
                answer = await self._seen(url, target, host, ask)
            except FetchError as error:
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

        try:
            return await retrying(
                attempt,
                self._backoff,
                self._rng,
                may_retry=lambda: self.politeness.may_retry(host),
            )
        except Again as last:
            if isinstance(last.cause, Answer):
                return last.cause
            if isinstance(last.cause, FetchError):
                raise last.cause from None
            raise

    async def _seen(self, url: str, target: URL, host: str, ask: _Ask) -> Answer:
        """One exchange that the server saw: idle connections that it closed meanwhile cost none.

        RFC 9112 section 9.3.1. A host has no more idle connections than may be open to it.
        """
        for _ in range(self._settings.concurrency):
            try:
                return await self._exchange(url, target, host, ask)
            except FetchError as error:
                if not error.unseen:
                    raise
        return await self._exchange(url, target, host, ask)

    async def _exchange(self, url: str, target: URL, host: str, ask: _Ask) -> Answer:
        """One request and its answer, in a slot of its host."""
        async with self.politeness.slot(host, url) as slot:
            started = time.monotonic()
            try:
                answer = await self._talk(url, target, host, ask, slot)
            except FetchError as error:
                if not error.unseen:
                    slot.failed(error.kind, error.sentence)
                self._report(url, host, 0, 0, time.monotonic() - started)
                if (resting := slot.ended()) is not None:
                    raise resting from error
                raise
            seconds = time.monotonic() - started
            self._report(url, host, answer.status, len(answer.body), seconds)
            if answer.status in RETRIED and (resting := slot.ended()) is not None:
                raise resting
            return answer

    async def _talk(self, url: str, target: URL, host: str, ask: _Ask, slot: Slot) -> Answer:
        """Send one request and read its answer; every failure is a FetchError."""
        response: ClientResponse | None = None
        began = time.monotonic()
        timer = asyncio.timeout(self._head_timeout)
        try:
            async with timer:
                response = await self._send(target, host, ask, slot)
                fetched_at = self._clock()
                seconds = time.monotonic() - began
                slot.answered(response.status, response.headers.get("Retry-After"), seconds)
                _check_head(url, response, asked=bool(ask.validators) and host == ask.home)
                fields, redacted = received(url, response.raw_headers, self._settings.max_header)
                if not response.content.is_eof():
                    left = self._settings.total_timeout - seconds
                    timer.reschedule(asyncio.get_running_loop().time() + left)
                body, cut = await read_body(url, response, self._settings, ask.cut_at)
        except (ClientError, OSError, Dropped) as error:
            raise self._fault(url, error, response) from error
        finally:
            # Free already where the answer was read to its end; else the rest is not wanted.
            if response is not None:
                response.close()
        secrets = self._settings.headers.get(host, ())
        reason = response.reason or ""
        if secrets:
            fields, redacted = without_echo(fields, redacted, secrets)
            reason = "" if echoes(reason, secrets) else reason
        return Answer(
            url=url,
            final_url=url,
            status=response.status,
            reason=reason,
            headers=fields,
            body=body,
            fetched_at=fetched_at,
            redacted=redacted,
            private=bool(secrets),
            cut=cut,
            seconds=time.monotonic() - began,
        )

    async def _send(self, target: URL, host: str, ask: _Ask, slot: Slot) -> ClientResponse:
        if self._session is None:
            raise RuntimeError("a Fetcher is used inside its own async with")
        headers = ask.headers
        if ask.validators and host == ask.home:
            headers = headers | ask.validators
        secrets = self._settings.headers.get(host)
        if secrets:
            headers = headers | dict(secrets)
        proxy = self._proxies.get(host, self._proxy)
        through = (sending(slot.sent),)
        if proxy is None:
            return await self._session.get(
                target, headers=headers, allow_redirects=False, middlewares=through
            )
        # A plain request is the proxy's to read; of a tunnel it reads only what opens it.
        plain = target.scheme == "http"
        return await self._session.get(
            target,
            headers=headers | proxy.headers if plain else headers,
            allow_redirects=False,
            middlewares=through,
            proxy=proxy.url,
            proxy_headers=None if plain else proxy.headers,
        )

    def _fault(self, url: str, error: Exception, response: ClientResponse | None) -> FetchError:
        cause = error.cause if isinstance(error, Dropped) else error
        if response is None:
            fault = translate(url, cause, self._settings)
            fault.unseen = isinstance(error, Dropped) and error.reused
            return fault
        received = response.content.total_bytes
        return translate_body(url, cause, self._settings, received, response.content_length)

    def _report(self, url: str, host: str, status: int, size: int, seconds: float) -> None:
        if self._observe is not None:
            self._observe(
                Exchange(
                    at=self._clock(), host=host, url=url, status=status, size=size, seconds=seconds
                )
            )


def _target(url: str) -> tuple[URL, str]:
    """Return the URL as aiohttp takes it, and its ``host:port`` as urls.host_key gives it."""
    try:
        target = URL(url, encoded=True)
        host = f"{target.host_subcomponent}:{target.port}"
    except ValueError:
        raise FetchError(url, "url", "this is no URL that can be asked for") from None
    return target, host


def _check_head(url: str, response: ClientResponse, *, asked: bool) -> None:
    if response.status < _LEAST_STATUS:
        raise FetchError(url, "protocol", f"the answer has no valid status ({response.status})")
    if response.status == _SWITCHING:
        raise FetchError(url, "protocol", "the server changed to another protocol unasked")
    if response.status == _NOT_MODIFIED and not asked:
        raise FetchError(url, "protocol", "the server answered 304 to an unconditional request")
    framing = response.headers.get("Transfer-Encoding", "chunked")
    if framing.strip().lower() not in {"chunked", "identity"}:
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
