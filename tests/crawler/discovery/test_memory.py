"""What discovery remembers: believed while it is young, never more than is safe to build on."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from crawler.discovery.memory import BODY, KEY, MOST_BODY, Document, Memory, packed
from tests.crawler.fetching import NOW

URL = "https://site.example/sitemap.xml"
START = "https://site.example/"
MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)


def memory(
    stored: dict[str, str] | None = None,
    now: datetime = NOW,
    *,
    trust: bool = True,
    asked: str = "",
) -> Memory:
    return Memory(stored or {}, now, MONTH, trust=trust, asked=asked)


def document(body: bytes = b"<urlset/>", *, lastmod: str = "", at: datetime = NOW) -> Document:
    digest = sha256(body).hexdigest()
    return Document(
        final_url=URL, etag='"x"', lastmod=lastmod, digest=digest, fetched_at=at, asked_at=at
    )


def kept(body: bytes = b"<urlset/>", *, lastmod: str = "") -> Memory:
    known = memory()
    known.keep(URL, document(body, lastmod=lastmod), packed(body))
    return known


def left(known: Memory, *, after: timedelta = HOUR, trust: bool = True, asked: str = "") -> Memory:
    """Return what a run finds ``after`` the one that left ``known``."""
    return memory(dict(known.changes()), NOW + after, trust=trust, asked=asked)


class TestDocuments:
    """Documents, and the bytes that make them worth asking for conditionally."""

    @pytest.mark.parametrize("body", [b"", b"<urlset/>", bytes(range(256)) * 99])
    def test_one_comes_back_as_it_was(self, body: bytes) -> None:
        found = left(kept(body))
        assert found.document(URL) == document(body)
        assert found.body(URL) == body

    def test_one_that_is_old_is_asked_for_anew_and_forgotten(self) -> None:
        found = left(kept(), after=MONTH)
        assert found.document(URL) is None
        assert dict(found.changes())[BODY + URL] == ""

    def test_a_run_that_verifies_everything_builds_on_none(self) -> None:
        assert left(kept(), trust=False).document(URL) is None

    def test_a_clock_set_back_makes_it_worthless(self) -> None:
        assert left(kept(), after=-HOUR).document(URL) is None

    def test_only_what_is_new_is_written(self) -> None:
        stored = dict(kept().changes())
        assert dict(memory(stored, NOW + HOUR).changes()) == {}
        later = memory(stored, NOW + HOUR)
        later.stood(URL, "", NOW + HOUR)
        assert dict(later.changes()).keys() == {KEY}

    def test_one_without_its_bytes_is_none(self) -> None:
        stored = dict(kept().changes())
        assert memory({KEY: stored[KEY]}, NOW + HOUR).document(URL) is None

    @pytest.mark.parametrize("text", ['"!"', '"eJw="', "{", '"' + "A" * 40 + '"'])
    def test_bytes_that_do_not_come_out_whole_are_none(self, text: str) -> None:
        stored = dict(kept().changes()) | {BODY + URL: text}
        assert memory(stored, NOW + HOUR).body(URL) is None

    def test_bytes_of_something_else_are_none(self) -> None:
        stored = dict(kept().changes()) | {BODY + URL: packed(b"other")}
        assert memory(stored, NOW + HOUR).body(URL) is None

    def test_one_too_large_is_not_kept(self) -> None:
        known = memory()
        known.keep(URL, document(), "x" * (MOST_BODY + 1))
        assert known.document(URL) is None
        assert (BODY + URL) not in dict(known.changes())

    def test_a_text_that_another_version_wrote_is_as_good_as_none(self) -> None:
        found = memory({KEY: '{"surveys": 3}'})
        assert not found.light(START)
        assert found.document(URL) is None


class TestStanding:
    """Whether an index's date proves that a sitemap is as it was."""

    def test_the_same_old_date_does(self) -> None:
        found = left(kept(lastmod="2026-06-18"))
        known = found.document(URL)
        assert known is not None
        assert found.stands(known, "2026-06-18")

    @pytest.mark.parametrize("lastmod", ["", "2026-06-19", "yesterday"])
    def test_no_date_and_another_one_do_not(self, lastmod: str) -> None:
        found = left(kept(lastmod="2026-06-17"))
        known = found.document(URL)
        assert known is not None
        assert not found.stands(known, lastmod)

    def test_a_date_that_leaves_room_for_another_edit_does_not(self) -> None:
        found = left(kept(lastmod="2026-06-19"))
        known = found.document(URL)
        assert known is not None
        assert not found.stands(known, "2026-06-19")

    def test_nor_one_a_day_later(self) -> None:
        found = left(kept(lastmod="2026-06-18"), after=24 * HOUR)
        known = found.document(URL)
        assert known is not None
        assert not found.stands(known, "2026-06-18")

    def test_nor_one_on_a_site_whose_dates_did_not_move_with_a_change(self) -> None:
        found = left(kept(lastmod="2026-06-17"))
        new = document(b"<urlset>1</urlset>", lastmod="2026-06-17", at=NOW + HOUR)
        found.keep(URL, new, packed(b"<urlset>1</urlset>"))
        assert not found.stands(new, "2026-06-17")


class TestSurveys:
    """When lists are enough."""

    def surveyed(self, covered: float = 1.0, asked: str = "") -> Memory:
        known = memory(asked=asked)
        known.surveyed(START, covered, at=NOW, sitemaps=(URL,), feed="")
        return known

    @pytest.mark.parametrize(("covered", "light"), [(1.0, True), (0.95, True), (0.94, False)])
    def test_where_the_sitemaps_name_nearly_everything(self, covered: float, light: bool) -> None:
        assert left(self.surveyed(covered)).light(START) is light

    def test_not_from_another_start(self) -> None:
        assert not left(self.surveyed()).light(f"{START}news/")

    def test_not_for_another_selection(self) -> None:
        assert not left(self.surveyed(asked="a"), asked="b").light(START)
        assert left(self.surveyed(asked="a"), asked="a").light(START)

    def test_not_for_ever(self) -> None:
        assert left(self.surveyed(), after=MONTH - HOUR).light(START)
        assert not left(self.surveyed(), after=MONTH).light(START)

    def test_not_once_the_sitemaps_name_less(self) -> None:
        known = left(self.surveyed())
        known.covers(START, 0.5)
        assert not left(known).light(START)


class TestAnswers:
    """What is not there, and which twins are."""

    def test_a_place_without_a_document_is_left_alone_for_a_time(self) -> None:
        known = memory()
        known.missed(URL, NOW)
        assert left(known).absent(URL)
        assert not left(known, after=MONTH).absent(URL)
        assert not left(known, trust=False).absent(URL)
        known.found(URL)
        assert not left(known).absent(URL)

    def test_what_probing_gave_is_kept(self) -> None:
        known = memory()
        known.probe_held({})
        known.page_way_held("plain")
        found = left(known).probed
        assert found is not None
        assert (found.held, found.page_way) == ({}, "plain")
        assert left(known, after=MONTH).probed is None
