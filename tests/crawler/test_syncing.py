"""From a config.toml to one run over its sites."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.config.settings import parse_config
from crawler.request import MirrorRequest, RequestError
from crawler.syncing import sync_request

SITES = """
[defaults]
rate = 1.0
verify_within = 10
[[site]]
url = "https://Example.org:443/news/"
name = "news"
rate = 0.5
verify_within = 40
[[site]]
url = "https://example.net"
include = ["*/a/*"]
"""


def asked(text: str = SITES, *names: str, into: Path | None = None) -> MirrorRequest:
    return sync_request(parse_config(text, {}), Path("/srv/news/config.toml"), names, into)


def test_every_site_has_its_own_settings_over_the_defaults() -> None:
    request = asked()
    assert request.command == "sync"
    assert request.verify == "due"
    assert request.urls == ("https://example.org/news/", "https://example.net/")
    assert [site.name for site in request.sites] == ["news", ""]
    assert [request.settings_of(url).rate for url in request.urls] == [0.5, 1.0]
    assert request.settings_of(request.urls[1]).include == ("*/a/*",)


def test_the_bound_that_is_promised_is_the_longest() -> None:
    assert asked().verify_bound_days == 40
    assert asked(SITES, "example.net").verify_bound_days == 10


@pytest.mark.parametrize("name", ["news", "https://example.org/news/", "HTTPS://example.org/news/"])
def test_a_site_is_chosen_by_its_name_or_url(name: str) -> None:
    assert asked(SITES, name).urls == ("https://example.org/news/",)


def test_a_site_without_a_name_is_called_by_its_host() -> None:
    assert asked(SITES, "example.net", "news").urls == asked().urls


def test_an_unknown_site_is_answered_with_the_known_ones() -> None:
    with pytest.raises(RequestError, match=r"'x' is no site of .*: it has news, example\.net"):
        asked(SITES, "x")


def test_a_file_without_sites_is_refused() -> None:
    with pytest.raises(RequestError, match=r"has no \[\[site\]\]"):
        asked("")


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ('url = "https://example.org/#x"', "two sites have the url https://example.org/"),
        ('url = "https://example.net/"\nname = "example.org"', "two sites have the name"),
        ('url = "https://example.org/b"\nproxy = "http://p.example:1/"', "different proxy"),
        ('url = "https://example.org/b"\nheaders = { A = "s3cret" }', "different headers"),
    ],
)
def test_sites_that_cannot_stand_together_are_refused(second: str, words: str) -> None:
    with pytest.raises(RequestError) as caught:
        asked(f'[[site]]\nurl = "https://example.org/"\n[[site]]\n{second}')
    assert words in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_folder_begins_at_the_files_own() -> None:
    assert asked().into == Path("/srv/news/mirror")
    assert asked(SITES + '[store]\nmirror = "m"').into == Path("/srv/news/m")
    assert asked(SITES + '[store]\nmirror = "/var/m"').into == Path("/var/m")
    assert asked(into=Path("here")).into == Path("here")
