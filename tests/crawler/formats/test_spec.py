"""What a format's parser gives is held to bounds, whatever a document says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.facts import Facts
from crawler.formats.spec import (
    MAX_NUMBER,
    MAX_PARTICULAR,
    MAX_PARTICULARS,
    FormatSpec,
    bounded,
)
from crawler.formats.table import FORMATS
from storage.model import Representation
from tests.crawler.copying import Shelf, copying, place
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page, SmallSite


def slides(body: bytes, url: str, content_type: str = "") -> Facts:
    """Count a made-up format's pages: a line each."""
    return Facts(source="slides", extractor="slides/1", particulars={"pages": body.count(b"\n")})


@pytest.fixture(autouse=True)
def spec() -> Iterator[None]:
    FORMATS["slides"] = FormatSpec(name="slides", media_types=("application/slides",), parse=slides)
    yield
    del FORMATS["slides"]


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


async def test_what_a_format_alone_can_tell_is_kept_beside_its_bytes(site: SmallSite) -> None:
    shelf, now = Shelf(), NOW
    site.pages["/a.slides"] = Page(
        body="one\ntwo\n", type="application/slides", headers={"ETag": '"1"'}
    )
    at = place(f"{site.base}/a.slides", "slides")
    async with copying(site.base, shelf=shelf, now=lambda: now) as copyist:
        copy = await copyist.copy(at)
        known = shelf.known([copy])
        site.pages["/a.slides"] = Page(status=304)
        now += timedelta(hours=1)
        again = await copyist.copy(at, previous=known.newest, validators=known.validators)
    assert copy.representation.particulars == {"pages": 2}
    assert again.representation.particulars == {"pages": 2}


@given(
    st.dictionaries(
        st.text(max_size=3),
        st.integers() | st.text(st.characters(), max_size=MAX_PARTICULAR * 2),
        max_size=MAX_PARTICULARS * 2,
    )
)
def test_particulars_can_be_written_down_and_are_few_and_short(
    given: dict[str, int | str],
) -> None:
    found = bounded(Facts(source="slides", extractor="slides/1", particulars=given)).particulars
    assert len(found) <= MAX_PARTICULARS
    for value in found.values():
        assert len(value) <= MAX_PARTICULAR if isinstance(value, str) else value <= MAX_NUMBER
    assert msgspec.json.decode(msgspec.json.encode(found)) == found


def test_half_a_character_and_a_number_past_all_readers_are_not_kept() -> None:
    given: dict[str, int | str] = {"maker": "a\ud800b", "pages": 10**30, "slides": 12}
    found = bounded(Facts(source="slides", extractor="slides/1", particulars=given)).particulars
    assert found == {"maker": "a?b", "slides": 12}


def test_what_has_no_particulars_is_written_as_ever() -> None:
    plain = Representation(
        format="html", url="u", final_url="u", status=200, media_type="", digest="", length=0,
        fetched_at=NOW,
    )  # fmt: skip
    assert b"particulars" not in msgspec.json.encode(plain)
