"""What the user set reaches the fetcher, and private headers reach their own hosts alone."""

from __future__ import annotations

from crawler.config.settings import Settings
from crawler.fetch_settings import fetch_settings, user_agent
from crawler.request import SiteAsked

NAMED = ("https://example.org/news", "http://127.0.0.1:8080/")


def test_the_agent_names_the_version_and_a_contact_where_there_is_one() -> None:
    assert user_agent("1.2", "") == "slugline/1.2"
    assert user_agent("1.2", "https://example.org/bot") == "slugline/1.2 (+https://example.org/bot)"


def test_every_number_is_passed_on() -> None:
    settings = Settings().changed(rate=7, concurrency=9, attempts=1, max_body=5000, retry_share=0.5)
    made = fetch_settings(settings, "1", NAMED)
    assert (made.rate, made.concurrency, made.attempts) == (7, 9, 1)
    assert (made.max_body, made.retry_share) == (5000, 0.5)


def test_private_headers_are_bound_to_the_hosts_that_were_named() -> None:
    settings = Settings().changed(headers={"Authorization": "Bearer x"})
    made = fetch_settings(settings, "1", NAMED)
    assert made.headers == {
        "example.org:443": (("Authorization", "Bearer x"),),
        "127.0.0.1:8080": (("Authorization", "Bearer x"),),
    }


def test_without_private_headers_no_host_has_any() -> None:
    assert fetch_settings(Settings(), "1", NAMED).headers == {}


def test_a_sites_own_headers_and_proxy_go_to_its_host_alone() -> None:
    own = SiteAsked(
        url=NAMED[1],
        settings=Settings().changed(headers={"X-Key": "k"}, proxy="http://p.example:3128"),
    )
    made = fetch_settings(Settings(), "1", NAMED, [own])
    assert made.headers == {"127.0.0.1:8080": (("X-Key", "k"),)}
    assert made.proxies == {"127.0.0.1:8080": "http://p.example:3128"}


def test_a_site_may_go_without_the_proxy_of_the_others() -> None:
    general = Settings().changed(proxy="http://p.example:3128", headers={"X-Key": "k"})
    own = SiteAsked(url=NAMED[1], settings=Settings())
    made = fetch_settings(general, "1", NAMED, [own])
    assert made.proxy == "http://p.example:3128"
    assert made.proxies == {"127.0.0.1:8080": ""}
    assert set(made.headers) == {"example.org:443"}
