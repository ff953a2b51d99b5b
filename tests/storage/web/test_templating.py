"""What templates show of a site's words: escaped, without controls, links to the web alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from storage.archive import Archive
from storage.web import templating
from tests.storage.drafts import SITE, article, hour, stored

_FIRST = "those with the words in their titles first, newest first"


def shown(template: str, **values: object) -> str:
    return templating.environment().from_string(template).render(**values)


def test_words_are_escaped_and_control_characters_are_not_shown() -> None:
    assert shown("{{ x }}", x="<b>\0\x1b\u202e&") == "&lt;b&gt;\ufffd\ufffd\ufffd&amp;"
    assert shown("{{ x }}", x=None) == ""
    assert shown("{{ x }}", x=3) == "3"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " javascript:x", "data:text/html,x", "//evil.example/", "x<y"]
)
def test_what_is_no_url_of_the_web_is_shown_and_no_link(url: str) -> None:
    text = shown("{{ url|original }}", url=url)
    assert "<a" not in text
    assert "x<y" not in text


def test_a_url_of_the_web_is_a_link_that_tells_nothing_of_us() -> None:
    text = shown("{{ url|original }}", url='https://a.example/?"><script>&b')
    assert text.startswith('<a class="away" rel="noreferrer noopener nofollow" href="https://')
    assert "<script>" not in text
    assert '"><' not in text.partition("href=")[2].partition(">")[0]


def test_moments_are_shown_to_the_minute_and_kept_exact() -> None:
    text = shown("{{ m|moment }}", m=datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC))
    assert 'datetime="2026-06-19T09:13:50.166750Z"' in text
    assert ">2026-06-19 09:13<" in text


@pytest.mark.parametrize(
    ("revision", "name"), [(0, "2026-06-19 09:13"), (2, "2026-06-19 09:13 r2")]
)
def test_an_edition_is_named_by_its_minute_and_its_revision(
    tmp_path: Path, revision: int, name: str
) -> None:
    stored(tmp_path, *(article(edition=str(n), seen=hour(n)) for n in range(revision + 1)))
    with Archive.open(tmp_path) as archive:
        assert shown("{{ row|edition }}", row=archive.history(SITE, "story")[-1]) == name


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (1, "1 article found"),
        (3, "3 articles found"),
        (30, "30 articles found, the best 3 shown"),
        (None, f"The best 3 of more than 500 articles: {_FIRST}"),
    ],
)  # fmt: skip
def test_a_search_says_how_many_there_are(found: int | None, told: str) -> None:
    shown_now = min(3, found or 3)
    text = shown(
        "{% import 'parts.html' as parts %}{{ parts.number_found(n, of) }}", n=shown_now, of=found
    )
    assert text.strip() == told


def test_an_unknown_name_in_a_template_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        shown("{{ nothing }}")


def test_what_is_not_there_is_shown_as_nothing() -> None:
    assert templating.moment(None) == ""
    assert templating.original(None) == templating.original("") == ""
