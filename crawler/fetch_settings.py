"""From a user's settings to what the fetcher is given: pure, one direction.

Private header fields go to the hosts of the URLs that the user named, and to no other. A site's own
proxy and header fields are its host's; what two sites of one host say must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.config.settings import Settings
from crawler.request import SiteAsked
from crawler.transport.answer import FetchSettings, Headers
from crawler.urls import host_key


def user_agent(version: str, contact: str) -> str:
    """Say who asks: ``slugline/VERSION (+contact)``."""
    return f"slugline/{version} (+{contact})" if contact else f"slugline/{version}"


def fetch_settings(
    settings: Settings, version: str, named: Iterable[str], own: Iterable[SiteAsked] = ()
) -> FetchSettings:
    """Return the fetcher's settings; ``named`` are the URLs whose hosts get private headers.

    ``own`` are those of them with settings of their own: their proxy and headers go before.
    """
    by_host = {host_key(url): settings for url in named}
    by_host |= {host_key(site.url): site.settings for site in own}
    return FetchSettings(
        agent=user_agent(version, settings.contact),
        rate=settings.rate,
        concurrency=settings.concurrency,
        connections=settings.connections,
        max_crawl_delay=settings.max_crawl_delay,
        max_delay=settings.max_delay,
        retry_after_cap=settings.retry_after_cap,
        strikes=settings.strikes,
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        total_timeout=settings.total_timeout,
        min_transfer_rate=settings.min_transfer_rate,
        max_body=settings.max_body,
        max_header=settings.max_header,
        max_redirects=settings.max_redirects,
        attempts=settings.attempts,
        retry_budget=settings.retry_budget,
        retry_share=settings.retry_share,
        encodings=settings.encodings,
        resolve=settings.resolve,
        allow_address=settings.allow_address,
        ca_bundle=settings.ca_bundle,
        proxy=settings.proxy,
        proxies={
            host: each.proxy or "" for host, each in by_host.items() if each.proxy != settings.proxy
        },
        headers={host: secrets for host, each in by_host.items() if (secrets := _secrets(each))},
    )


def _secrets(settings: Settings) -> Headers:
    return tuple((name, value.get_secret_value()) for name, value in settings.headers.items())
