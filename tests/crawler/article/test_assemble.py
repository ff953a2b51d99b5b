"""Assembling: who is believed, which time is the key, and when there is none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.article.assemble import (
    MAX_TITLE,
    Inferred,
    as_stamp,
    assemble,
    contents,
    declared_stamps,
    disagreeing,
    trusted,
)
from crawler.facts import Facts
from storage.model import DECLARED_SOURCES, ContentDigest, Finding, Key, Record
from storage.times import same_moment
from tests.crawler.readings import (
    NOW,
    T0,
    T1,
    T2,
    URL,
    A,
    B,
    SourceName,
    fact_sets,
    look,
    says,
    stamp,
)

DECLARED: tuple[SourceName, ...] = ("record", "json", "jsonld", "markdown", "html")


def at(text: str) -> datetime:
    return stamp(text).at


class TestKey:
    @pytest.mark.parametrize("number", range(len(DECLARED)))
    def test_declared_sources_are_believed_in_order(self, number: int) -> None:
        rest = DECLARED[number:]
        key = look(*(says(source, T1) for source in reversed(rest))).key
        assert (key.source, key.updated_at) == (rest[0], at(T1))

    def test_the_order_is_that_of_the_design(self) -> None:
        assert DECLARED_SOURCES == DECLARED

    def test_plain_text_declares_no_update_time(self) -> None:
        assert look(says("text", T1)).key.source == "observed"

    def test_microseconds_are_kept_in_utc(self) -> None:
        key = look(says("json", "2026-06-19T11:13:50.166750+02:00")).key
        assert key.updated_at == datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC)
        assert (key.unit, key.zone_assumed, key.offset) == ("microsecond", False, 120)

    def test_the_finer_of_equal_times_is_used_under_the_first_sources_name(self) -> None:
        key = look(says("json", "2026-06-19T09:13:50Z"), says("markdown", T1)).key
        assert (key.source, key.updated_at, key.unit) == ("json", at(T1), "microsecond")

    def test_the_finest_wins_wherever_it_stands(self) -> None:
        sources = [
            says("record", T1),
            says("json", "2026-06-19T09:13Z"),
            says("html", T1[:19] + "Z"),
        ]
        assert look(*sources).key.updated_at == at(T1)

    def test_a_torn_set_goes_under_its_newest_declared_time(self) -> None:
        key = look(says("json", T1), says("markdown", T2), says("html", T1)).key
        assert (key.source, key.updated_at) == ("markdown", at(T2))

    def test_a_stale_sources_precision_is_not_lent_to_the_newest_time(self) -> None:
        key = look(says("json", T1), says("html", "2026-06-19T15:30Z")).key
        assert (key.source, key.updated_at, key.unit) == ("html", at("2026-06-19T15:30Z"), "minute")

    def test_a_time_with_a_zone_goes_before_a_more_trusted_one_without(self) -> None:
        key = look(says("json", "2026-06-19T15:30:00"), says("html", T1)).key
        assert (key.source, key.updated_at, key.zone_assumed) == ("html", at(T1), False)

    def test_a_time_without_a_zone_is_a_key_marked_as_assumed_where_nothing_else_is(self) -> None:
        key = look(says("json", "2026-06-19T15:30:00"), says("html"), sitemap=T1).key
        assert (key.source, key.zone_assumed, key.offset) == ("json", True, 0)
        assert key.updated_at == at("2026-06-19T15:30:00Z")

    def test_a_date_alone_says_no_zone(self) -> None:
        key = look(says("json", "2026-06-20"), says("html", T1)).key
        assert key.updated_at == at(T1)

    def test_a_zone_of_utc_is_not_taken_for_none(self) -> None:
        assert not look(says("json", "2026-06-19T15:30:00Z")).key.zone_assumed


class TestPlausible:
    @pytest.mark.parametrize(
        "wrong", ["1970-01-01T00:00:00Z", "1989-12-31T23:59:59Z", "2062-01-01Z"]
    )
    def test_an_implausible_time_is_a_finding_and_the_next_source_speaks(self, wrong: str) -> None:
        seen = look(says("json", wrong), says("html", T1))
        assert (seen.key.source, seen.key.updated_at) == ("html", at(T1))
        assert "json" not in seen.stamps
        (finding,) = seen.findings
        assert (finding.kind, finding.formats) == ("implausible-date", ("json",))

    def test_a_day_ahead_is_plausible_and_a_second_more_is_not(self) -> None:
        ahead = NOW + timedelta(hours=24)
        assert look(says("json", ahead.isoformat())).key.updated_at == ahead
        late = (ahead + timedelta(seconds=1)).isoformat()
        assert look(says("json", late)).key.source == "observed"

    def test_1990_is_plausible(self) -> None:
        assert look(says("json", "1990-01-01T00:00:00Z")).key.source == "json"

    def test_nothing_plausible_leaves_the_record_without_a_time(self) -> None:
        assert look(says("json", "2062-01-01T00:00:00Z")).record.updated_at is None

    def test_an_implausible_inferred_time_is_passed_over(self) -> None:
        key = look(says("html"), sitemap="2062-01-01T00:00:00Z", last_modified=T1).key
        assert (key.source, key.updated_at) == ("last-modified", at(T1))


class TestInferred:
    def test_they_speak_only_where_nothing_is_declared(self) -> None:
        assert look(says("html", T0), sitemap=T2, last_modified=T2).key.source == "html"

    def test_their_order_is_sitemap_last_modified_published_observed(self) -> None:
        page = says("html", published_at=stamp(T0))
        assert look(page, sitemap=T1, last_modified=T2).key.source == "sitemap"
        assert look(page, last_modified=T2).key.source == "last-modified"
        assert look(page).key.source == "published"
        assert look(says("html")).key == Key(updated_at=NOW, unit="microsecond", source="observed")

    def test_none_of_them_is_stated_as_the_records_update_time(self) -> None:
        seen = look(says("html"), sitemap=T1, last_modified=T1)
        assert seen.record.updated_at is None
        assert "updated_at" not in seen.said

    def test_they_are_not_declared(self) -> None:
        assert not look(says("html"), sitemap=T1).key.declared
        assert look(says("html", T1)).key.declared


class TestKnownKey:
    KNOWN = Key(updated_at=stamp(T1).at, unit="microsecond", source="json")

    @pytest.mark.parametrize(
        "written",
        [
            "2026-06-19T09:13:50Z",
            "2026-06-19T09:13:50.166Z",
            "2026-06-19T09:13Z",
            "2026-06-19T11:13:50.166750+02:00",
            "2026-06-19T02:13:50-07:00",
            "2026-06-19T09:13:50",
            "2026-06-19",
            "Fri, 19 Jun 2026 09:13:50 GMT",
        ],
    )
    def test_an_equal_time_of_another_precision_or_zone_is_the_key_itself(
        self, written: str
    ) -> None:
        assert look(says("html", written), known=self.KNOWN).key == self.KNOWN

    def test_a_finer_time_does_not_move_a_coarse_key(self) -> None:
        known = Key(updated_at=at("2026-06-19T09:13Z"), unit="minute", source="json")
        assert look(says("json", T1), known=known).key == known

    def test_a_rounded_second_is_the_key(self) -> None:
        known = Key(updated_at=at("2026-06-19T09:13:50.600Z"), unit="millisecond", source="json")
        assert look(says("json", "2026-06-19T09:13:51Z"), known=known).key == known

    def test_a_day_is_cut_in_the_zone_that_was_written(self) -> None:
        known = Key(updated_at=at("2026-06-18T22:00Z"), unit="day", source="html", offset=120)
        assert look(says("json", "2026-06-18T23:30:00Z"), known=known).key == known
        assert look(says("json", "2026-06-19T22:30:00Z"), known=known).key != known

    def test_an_equal_inferred_time_is_the_key_too(self) -> None:
        assert look(says("html"), last_modified=T1[:19] + "Z", known=self.KNOWN).key == self.KNOWN

    def test_of_a_torn_set_only_who_says_the_key_is_named(self) -> None:
        assert look(says("json", T1), says("markdown", T2)).said["updated_at"] == "markdown"

    def test_another_time_is_another_key(self) -> None:
        assert look(says("json", T2), known=self.KNOWN).key.updated_at == at(T2)
        assert look(says("json", "2026-06-19T09:13:50.166751Z"), known=self.KNOWN).key != self.KNOWN

    def test_who_states_it_now_is_said_though_the_key_is_older(self) -> None:
        seen = look(says("html", T1), known=self.KNOWN)
        assert (seen.key.source, seen.said["updated_at"]) == ("json", "html")


class TestDisagreeing:
    def test_the_older_sides_of_a_torn_set_are_stale(self) -> None:
        said = {"json": stamp(T1), "html": stamp(T2), "markdown": stamp(T0)}
        assert disagreeing(said) == {"json", "markdown"}

    def test_precision_and_zone_are_no_disagreement(self) -> None:
        said = {"json": stamp(T1), "html": stamp("2026-06-19T11:13+02:00")}
        assert disagreeing(said) == frozenset()

    def test_times_without_a_zone_take_no_part(self) -> None:
        assert disagreeing({"json": stamp(T1), "html": stamp("2026-06-20T11:13:00")}) == frozenset()
        assert disagreeing({"html": stamp("2026-06-20T11:13:00")}) == frozenset()

    def test_an_implausible_time_tears_nothing(self) -> None:
        facts = {"json": says("json", T1), "html": says("html", "2062-01-01T00:00:00Z")}
        assert disagreeing(declared_stamps(facts, NOW)[0]) == frozenset()


class TestRecord:
    def test_words_come_from_the_most_trusted_format_and_who_said_them_is_kept(self) -> None:
        seen = look(
            says("html", title="Bridge | News", summary="From the page", lang="en"),
            says("json", title="Bridge", summary=None, topics=("roads",)),
        )
        assert (seen.record.title, seen.record.summary) == ("Bridge", "From the page")
        assert (seen.record.lang, seen.record.topics) == ("en", ("roads",))
        assert seen.said["title"] == "json"
        assert seen.said["summary"] == seen.said["lang"] == "html"
        assert "entities" not in seen.said

    def test_a_format_that_nobody_ranked_speaks_last(self) -> None:
        facts = {"new": Facts(source="new", extractor="new/1"), "text": says("text", T1)}
        assert list(trusted(facts)) == ["text", "new"]

    def test_markdown_gives_the_body_before_the_json_does(self) -> None:
        seen = look(says("json", body="<p>Closed</p>"), says("markdown", body="Closed"))
        assert (seen.record.body_md, seen.said["body_md"]) == ("Closed", "markdown")

    def test_a_record_of_the_seeds_shape_gives_its_own_body(self) -> None:
        assert look(says("record", body=A), says("markdown", body=B)).record.body_md == A

    def test_the_extracted_page_text_is_no_body(self) -> None:
        assert look(says("html", body=A)).record.body_md is None

    def test_nobody_said_is_null(self) -> None:
        record = look(says("html", title=None, body=None)).record
        assert record == Record(slug="bridge", url=URL, alternates={"html": f"{URL}.html"})

    def test_a_published_time_with_a_zone_goes_before_one_without(self) -> None:
        seen = look(
            says("json", published_at=stamp("2026-06-18T01:00:00")),
            says("html", published_at=stamp(T0)),
        )
        assert (seen.record.published_at, seen.said["published_at"]) == (at(T0), "html")

    def test_a_published_time_without_a_zone_is_better_than_none(self) -> None:
        record = look(says("html", published_at=stamp("2026-06-18T01:00:00"))).record
        assert record.published_at == at("2026-06-18T01:00:00Z")

    def test_a_formats_findings_are_kept(self) -> None:
        found = Finding(kind="charset", detail="windows-1252", formats=("html",))
        assert look(says("html", T1, findings=(found,))).findings == (found,)

    def test_a_declared_title_goes_before_a_heading_that_looks_like_one(self) -> None:
        heading = says("markdown", title="Read me", title_guessed=True)
        seen = look(heading, says("html", title="The bridge, told"))
        assert (seen.record.title, seen.said["title"]) == ("The bridge, told", "html")
        # That heading was no title after all: it stays in the words.
        assert seen.record.body_md == f"# Read me\n\n{A}"

    def test_a_heading_that_is_the_title_in_other_white_space_is_not_said_twice(self) -> None:
        heading = says("markdown", title="The  bridge", title_guessed=True)
        assert look(heading, says("html", title="The bridge")).record.body_md == A

    def test_a_heading_comes_back_where_the_records_file_gives_the_title(self) -> None:
        listed = Record(slug="x", url=URL, title="Listed")
        guessed = says("markdown", title=None, title_guessed=True)
        assert look(guessed, hint=listed).record.body_md == A

    def test_a_bodys_own_title_is_no_heading_of_it(self) -> None:
        seen = look(says("markdown", title="Read me"), says("jsonld", title="The bridge, told"))
        assert (seen.record.title, seen.record.body_md) == ("The bridge, told", A)

    @pytest.mark.parametrize("over", [0, 1, 2])
    def test_a_long_title_is_cut_to_what_is_kept_of_one(self, over: int) -> None:
        title = "x" * (MAX_TITLE + over)
        seen = look(says("html", title=title))
        detail = f"its title is longer than {MAX_TITLE:,} characters"
        found = Finding(kind="too-long", detail=detail, formats=("html",))
        assert seen.findings == ((found,) if over else ())
        assert seen.record.title == (f"{title[: MAX_TITLE - 1]}…" if over else title)

    def test_the_findings_of_all_formats_are_kept(self) -> None:
        one, two = (
            Finding(kind="charset", detail="x", formats=(name,)) for name in ("json", "html")
        )
        seen = look(says("json", findings=(one,)), says("html", findings=(two,)))
        assert seen.findings == (one, two)

    def test_of_headings_the_most_trusted_formats_is_the_title(self) -> None:
        window = says("html", title="The bridge | News", title_guessed=True)
        seen = look(says("markdown", title_guessed=True), window)
        assert (seen.record.title, seen.record.body_md) == ("The bridge", A)


class TestHint:
    HINT = Record(
        slug="other",
        url="https://news.example/other",
        title="Listed",
        summary="Listed too",
        body_md="listed words",
        canonical_source="https://origin.example/x",
        published_at=stamp(T0).at,
        updated_at=stamp(T2).at,
        lang="de",
        topics=("listed",),
        entities=("Nobody",),
    )

    def test_the_records_file_fills_what_no_format_gives(self) -> None:
        seen = look(says("html", title=None, body=None), hint=self.HINT)
        given = seen.record
        assert (given.title, given.summary, given.body_md) == (
            "Listed",
            "Listed too",
            "listed words",
        )
        assert (given.lang, given.topics, given.entities) == ("de", ("listed",), ("Nobody",))
        assert given.canonical_source == "https://origin.example/x"
        assert (given.published_at, given.updated_at) == (at(T0), at(T2))
        names = {*["title", "summary", "body_md", "lang", "topics", "entities", "canonical_source"]}
        times = {"published_at", "updated_at"}
        assert {name for name, by in seen.said.items() if by == "records-file"} == names | times

    def test_it_is_silent_where_a_format_speaks(self) -> None:
        page = says("json", T1, published_at=stamp(T1), lang="en", topics=("roads",))
        seen = look(page, hint=self.HINT)
        assert (seen.record.title, seen.record.body_md, seen.record.lang) == ("The bridge", A, "en")
        assert (seen.record.updated_at, seen.record.published_at) == (at(T1), at(T1))
        assert seen.record.topics == ("roads",)
        assert (seen.key.source, seen.key.updated_at) == ("json", at(T1))

    def test_it_never_gives_slug_or_url(self) -> None:
        record = look(says("html"), hint=self.HINT).record
        assert (record.slug, record.url) == ("bridge", URL)

    def test_its_time_is_a_key_before_the_inferred_ones_and_no_declaration(self) -> None:
        key = look(says("html"), hint=self.HINT, sitemap=T1).key
        assert (key.source, key.updated_at, key.declared) == ("records-file", at(T2), False)
        assert (key.unit, key.zone_assumed, key.offset) == ("microsecond", False, 0)

    def test_a_time_of_a_whole_second_is_one(self) -> None:
        whole = Record(slug="x", url=URL, updated_at=datetime(2026, 6, 19, 9, tzinfo=UTC))
        key = look(says("html"), hint=whole).key
        assert (key.unit, key.offset) == ("second", 0)

    def test_its_published_time_is_to_the_microsecond_and_zoned(self) -> None:
        listed = Record(slug="x", url=URL, published_at=datetime(2026, 6, 19, 9, 1, tzinfo=UTC))
        key = look(says("html"), hint=listed).key
        assert (key.source, key.updated_at) == ("published", listed.published_at)
        assert (key.unit, key.offset) == ("microsecond", 0)

    def test_its_implausible_time_is_dropped(self) -> None:
        hint = Record(slug="x", url=URL, updated_at=datetime(1970, 1, 1, tzinfo=UTC))
        seen = look(says("html"), hint=hint)
        assert (seen.key.source, seen.record.updated_at) == ("observed", None)

    def test_its_words_enter_no_digest(self) -> None:
        assert look(says("html"), hint=self.HINT).content == look(says("html")).content


class TestContent:
    def test_each_source_has_a_digest_of_its_own(self) -> None:
        seen = look(says("html"), says("markdown"), says("json", body=B))
        assert seen.content.keys() == {"html", "markdown", "json"}
        assert isinstance(seen.content["html"], ContentDigest)
        assert seen.content["markdown"].digest != seen.content["json"].digest

    def test_a_source_without_words_has_none(self) -> None:
        assert look(says("json", T1, title=None, body=None)).content == {}

    def test_only_sources_with_a_body_can_speak_for_the_words(self) -> None:
        seen = look(says("jsonld", body=None), says("markdown"), says("html"))
        assert seen.bodied == {"markdown"}


@settings(max_examples=60, deadline=None)
@given(fact_sets())
def test_assembling_the_same_facts_under_their_own_key_changes_nothing(
    facts: tuple[Facts, ...],
) -> None:
    once = look(*facts, sitemap=T1)
    assert look(*facts, sitemap=T1, known=once.key) == once


@settings(max_examples=60, deadline=None)
@given(fact_sets(), st.data())
def test_the_order_of_the_formats_makes_no_difference(
    facts: tuple[Facts, ...], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(facts))
    one, other = look(*facts), look(*shuffled)
    assert (one.key, one.record, one.said, one.stamps) == (
        other.key,
        other.record,
        other.said,
        other.stamps,
    )
    assert set(one.findings) == set(other.findings)


@settings(max_examples=60, deadline=None)
@given(fact_sets())
def test_a_declared_key_is_a_time_that_somebody_declared(facts: tuple[Facts, ...]) -> None:
    seen = look(*facts)
    assert seen.key.declared is bool(seen.stamps)
    if seen.key.declared:
        moments = [each.at for each in seen.stamps.values()]
        assert seen.key.updated_at in moments
        assert seen.record.updated_at == seen.key.updated_at
        assert any(same_moment(as_stamp(seen.key), each) for each in seen.stamps.values())


def test_digests_made_before_are_taken_as_they_are() -> None:
    facts = {"markdown": says("markdown", T0), "other": Facts(source="other", extractor="none/1")}
    digests = contents(facts)
    assert list(digests) == ["markdown"]
    for before in (None, digests, {}):
        assembly = assemble(
            facts,
            slug="bridge",
            url=URL,
            alternates={},
            inferred=Inferred(observed=NOW),
            content=before,
        )
        assert assembly.content == (digests if before is None else before)
