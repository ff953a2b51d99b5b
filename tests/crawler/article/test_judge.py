"""What is an edit: each scenario, and the symmetries behind them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from msgspec import structs

from crawler.article.judge import Formats, judge, stamps_moved
from crawler.facts import Facts
from storage.model import Finding, Manifest
from tests.crawler.readings import (
    NOW,
    T0,
    T1,
    T2,
    A,
    B,
    beside,
    fact_sets,
    first,
    kept,
    look,
    says,
    stamp,
    then,
)

DAY = "2026-06-19"


def kinds(findings: tuple[Finding, ...]) -> list[str]:
    return [each.kind for each in findings]


class TestFirst:
    def test_an_article_nobody_has_seen_is_first(self) -> None:
        judgement = beside(None, says("json", T1))
        assert (judgement.reason, judgement.key.updated_at) == ("first", stamp(T1).at)
        assert judgement.findings == ()


class TestEdit:
    def test_new_words_under_a_new_time_are_an_edit(self) -> None:
        judgement = beside(first(says("json", T1)), says("json", T2, B))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)
        assert judgement.findings == ()

    def test_new_words_under_the_same_time_are_a_silent_edit(self) -> None:
        newest = first(says("json", T1))
        judgement = beside(newest, says("json", T1, B))
        assert (judgement.reason, judgement.key) == ("silent-edit", newest.key)

    def test_the_same_time_in_other_writing_does_not_excuse_a_silent_edit(self) -> None:
        newest = first(says("json", T1))
        judgement = beside(newest, says("json", "2026-06-19T11:13:50+02:00", B))
        assert (judgement.reason, judgement.key) == ("silent-edit", newest.key)

    def test_it_is_silent_while_any_source_still_states_the_time(self) -> None:
        newest = first(says("json", T1), says("html", T1), says("markdown"))
        judgement = beside(newest, says("html", T1), says("markdown", None, B))
        assert (judgement.reason, judgement.key) == ("silent-edit", newest.key)

    @pytest.mark.parametrize("coarse", [DAY, "2026-06-19+02:00", "2026-06", "2026"])
    def test_new_words_under_a_date_are_of_the_same_day_and_no_accusation(
        self, coarse: str
    ) -> None:
        newest = first(says("json", coarse))
        judgement = beside(newest, says("json", coarse, B))
        assert (judgement.reason, judgement.key) == ("same-day", newest.key)

    def test_a_minute_is_no_date(self) -> None:
        newest = first(says("json", "2026-06-19T09:13Z"))
        assert beside(newest, says("json", "2026-06-19T09:13Z", B)).reason == "silent-edit"

    def test_new_words_that_nobody_dates_are_undated(self) -> None:
        newest = first(says("html"), sitemap=T1)
        assert beside(newest, says("html", None, B), sitemap=T1).reason == "undated"
        assert beside(newest, says("html", None, B), sitemap=T2).reason == "undated"

    def test_an_undated_edit_goes_under_the_inferred_time_of_its_own_reading(self) -> None:
        newest = first(says("html"), sitemap=T1)
        key = beside(newest, says("html", None, B), sitemap=T2).key
        assert (key.source, key.updated_at) == ("sitemap", stamp(T2).at)

    def test_new_words_whose_time_is_silent_this_once_are_undated(self) -> None:
        newest = first(says("json", T1), says("html"))
        judgement = beside(newest, says("json", None, B), says("html", None, B))
        assert judgement.reason == "undated"

    def test_an_inferred_time_that_equals_the_key_makes_no_silent_edit(self) -> None:
        newest = first(says("json", T1))
        judgement = beside(newest, says("json", None, B), last_modified="2026-06-19T09:13:50Z")
        assert (judgement.reason, judgement.key) == ("undated", newest.key)

    def test_a_stale_formats_time_catching_up_makes_no_silent_edit(self) -> None:
        newest = first(says("json", T1), says("html", T0), says("markdown"))
        after = beside(newest, says("json", T1), says("html", T1), says("markdown", None, B))
        assert (after.reason, after.key) == ("undated", newest.key)

    def test_an_edit_is_filed_under_the_old_key_while_its_source_stands(self) -> None:
        newest = first(says("html", T1), says("markdown"))
        # The record is new here: a change of source alone moves no key.
        after = beside(
            newest, says("record", T2, None), says("html", T1), says("markdown", None, B)
        )
        assert (after.reason, after.key) == ("silent-edit", newest.key)

    def test_an_edit_goes_under_a_new_sources_time_once_the_old_one_is_silent(self) -> None:
        newest = first(says("json", T1), says("html"))
        judgement = beside(newest, says("json", None, B), says("html", T2))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)

    def test_a_first_declared_time_dates_the_edit_it_comes_with(self) -> None:
        newest = first(says("html"), sitemap=T0)
        judgement = beside(newest, says("html", T1, B))
        assert (judgement.reason, judgement.key.source) == ("edit", "html")

    def test_a_change_of_title_alone_is_an_edit(self) -> None:
        newest = first(says("json", T1))
        assert beside(newest, says("json", T1, title="Bridges")).reason == "silent-edit"

    def test_one_differing_source_of_many_is_enough(self) -> None:
        newest = first(says("json", T1), says("markdown", T1), says("text"))
        after = beside(newest, says("json", T1), says("markdown", T1), says("text", None, B))
        assert after.reason == "silent-edit"


class TestTimeAlone:
    def test_a_time_that_moves_without_words_is_stored_and_said(self) -> None:
        judgement = beside(first(says("json", T1)), says("json", T2))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)
        assert kinds(judgement.findings) == ["date-only"]

    def test_an_older_time_without_words_is_said_twice(self) -> None:
        judgement = beside(first(says("json", T1)), says("json", T0))
        assert kinds(judgement.findings) == ["date-only", "went-backwards"]

    def test_new_words_under_an_older_time_are_stored_and_said(self) -> None:
        judgement = beside(first(says("json", T1)), says("json", T0, B))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T0).at)
        assert kinds(judgement.findings) == ["went-backwards"]

    def test_a_coarser_writing_of_the_key_goes_nowhere(self) -> None:
        assert beside(first(says("json", T1)), says("json", DAY, B)).findings == ()

    def test_a_guess_that_a_declared_time_replaces_went_not_backwards(self) -> None:
        newest = first(says("html"))
        assert newest.key is not None
        assert newest.key.source == "observed"
        assert beside(newest, says("html", T1, B)).findings == ()

    def test_an_inferred_key_older_than_the_newest_is_said(self) -> None:
        newest = first(says("html"), sitemap=T2)
        after = beside(newest, says("html", None, B), sitemap=T1)
        assert (after.reason, kinds(after.findings)) == ("undated", ["went-backwards"])

    @pytest.mark.parametrize(
        "other",
        [
            "2026-06-19T09:13:50Z",
            "2026-06-19T09:13Z",
            "2026-06-19T11:13:50.166750+02:00",
            "2026-06-19T09:13:50.166750",
            DAY,
        ],
    )
    def test_a_source_that_changes_precision_or_zone_opens_nothing(self, other: str) -> None:
        for old, new in ((T1, other), (other, T1)):
            newest = first(says("json", old))
            assert beside(newest, says("json", new)).reason is None

    def test_a_source_that_fails_once_opens_nothing_then_nor_after(self) -> None:
        both = (says("json", T1), says("html", T0))
        newest = first(*both)
        assert beside(newest, says("html", T0)).reason is None
        assert beside(newest, *both).reason is None

    def test_a_source_that_is_silent_once_opens_nothing_then_nor_after(self) -> None:
        newest = first(says("json", T1), says("html"))
        silent = (says("json"), says("html"))
        assert beside(newest, *silent, sitemap=T2, last_modified=T2).reason is None
        assert beside(newest, says("json", T1), says("html")).reason is None

    def test_a_time_implausible_once_opens_nothing(self) -> None:
        newest = first(says("json", T1), says("html", T0))
        assert beside(newest, says("json", "2062-01-01Z"), says("html", T0)).reason is None

    def test_an_inferred_time_opens_nothing(self) -> None:
        newest = first(says("html"), sitemap=T1, last_modified=T1)
        assert beside(newest, says("html"), sitemap=T2, last_modified=T2).reason is None
        later = NOW + timedelta(days=40)
        assert beside(newest, says("html"), observed=later).reason is None

    def test_a_published_date_that_moves_with_nothing_else_is_filed_as_undated(self) -> None:
        newest = first(says("html", published_at=stamp(T0)))
        assert beside(newest, says("html", published_at=stamp(T1))).reason == "undated"

    def test_a_newly_declared_time_opens_nothing(self) -> None:
        newest = first(says("html"), sitemap=T1)
        assert beside(newest, says("html", T2)).reason is None
        newest = first(says("html", T1))
        assert beside(newest, says("html", T1), says("json", T2), undeclared=()).key == newest.key

    def test_a_zoneless_time_beside_a_zoned_one_opens_nothing(self) -> None:
        newest = first(says("json", T1), says("html", "2026-06-19T20:00:00"))
        assert beside(newest, says("json", T1), says("html", "2026-06-20T08:00:00")).reason is None

    def test_a_stale_format_that_catches_up_opens_nothing(self) -> None:
        newest = first(says("json", T1), says("html", T0))
        assert beside(newest, says("json", T1), says("html", T1)).reason is None


class TestStructuralDisagreement:
    """A site whose formats never agree must not open a snapshot at each look."""

    def test_a_constant_one_opens_nothing(self) -> None:
        both = (says("json", T1), says("html", T2))
        assert beside(first(*both), *both).reason is None

    def test_losing_and_regaining_its_newest_side_opens_nothing(self) -> None:
        newest = first(says("json", T1), says("html", T2))
        assert beside(newest, says("json", T1), says("html")).reason is None
        assert beside(newest, says("json", T1)).reason is None

    def test_a_page_that_shows_the_moment_of_the_request_opens_nothing(self) -> None:
        newest = first(says("json", T1), says("html", T2))
        for hour in range(16, 20):
            page = says("html", f"2026-06-19T{hour}:00:00Z")
            assert beside(newest, says("json", T1), page).reason is None

    def test_two_servers_with_two_zones_open_one_at_most(self) -> None:
        ahead, agreeing = says("html", "2026-06-19T12:13:50Z"), says("html", T1)
        newest = first(says("json", T1), agreeing)
        seen = {id(newest)}
        for page in (ahead, agreeing) * 3:
            newest = then(newest, says("json", T1), page)
            seen.add(id(newest))
        assert len(seen) <= 2

    def test_the_trusted_sources_time_still_counts(self) -> None:
        newest = first(says("json", T1), says("html", T0))
        judgement = beside(newest, says("json", T2), says("html", T0))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)

    def test_a_time_that_its_own_words_went_with_still_counts(self) -> None:
        newest = first(says("markdown", T0), says("html", T1))
        judgement = beside(newest, says("markdown", T0), says("html", T2, B))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)

    def test_the_first_disagreement_goes_under_the_newest_declared_time(self) -> None:
        newest = first(says("markdown", T1), says("html", T1))
        judgement = beside(newest, says("markdown", T1), says("html", T2))
        assert (judgement.reason, judgement.key.updated_at) == ("edit", stamp(T2).at)


class TestRevert:
    def test_going_back_to_older_words_is_kept(self) -> None:
        old = first(says("json", T1))
        newest = kept(look(says("json", T2, B)))
        after = beside(newest, says("json", T2, A), earlier=[old.content])
        assert (after.reason, after.key) == ("reverted", newest.key)

    def test_going_back_to_the_older_time_as_well_is_kept(self) -> None:
        old = first(says("json", T1))
        newest = kept(look(says("json", T2, B)))
        after = beside(newest, says("json", T1, A), earlier=[old.content])
        assert (after.reason, after.key.updated_at) == ("reverted", stamp(T1).at)
        assert kinds(after.findings) == ["went-backwards"]

    def test_new_words_are_no_revert(self) -> None:
        old = first(says("json", T1))
        newest = kept(look(says("json", T2, B)))
        after = beside(newest, says("json", T2, "Else"), earlier=[old.content])
        assert after.reason == "silent-edit"

    def test_only_the_newest_snapshot_is_compared_with(self) -> None:
        old = first(says("json", T1, B))
        newest = kept(look(says("json", T2, A)))
        assert beside(newest, says("json", T2, A), earlier=[old.content]).reason is None

    def test_an_older_snapshot_without_the_edited_source_proves_no_revert(self) -> None:
        card = says("jsonld", T1, None)
        partial = first(card, missing=["markdown"])
        newest = kept(look(card, says("markdown", None, A)))
        after = beside(newest, card, says("markdown", None, B), earlier=[partial.content])
        assert after.reason == "silent-edit"

    def test_a_format_that_is_new_since_then_does_not_hide_a_revert(self) -> None:
        old = first(says("markdown", T1, A))
        newest = kept(look(says("markdown", T1, B), says("text", None, B)))
        now = (says("markdown", T1, A), says("text", None, B))
        assert beside(newest, *now, earlier=[old.content]).reason == "reverted"


class TestFormats:
    BOTH = (says("html", T1), says("markdown", T1))

    def test_a_format_missing_in_one_reading_and_back_in_the_next_is_no_edit(self) -> None:
        newest = first(*self.BOTH)
        assert beside(newest, says("html", T1)).reason is None
        assert beside(newest, *self.BOTH).reason is None

    def test_a_format_that_was_missing_completes_its_snapshot(self) -> None:
        newest = first(says("html", T1), missing=["markdown"])
        after = beside(newest, *self.BOTH)
        assert (after.reason, after.key) == ("completed", newest.key)

    def test_a_format_still_missing_opens_nothing(self) -> None:
        newest = first(says("html", T1), missing=["markdown"])
        assert beside(newest, says("html", T1)).reason is None

    def test_a_format_that_appears_is_no_edit(self) -> None:
        newest = first(says("html", T1))
        after = beside(newest, says("html", T1), says("markdown", T1, B))
        assert (after.reason, after.key) == ("format-added", newest.key)

    def test_a_format_that_vanishes_is_no_edit(self) -> None:
        newest = first(*self.BOTH)
        after = beside(newest, says("html", T1), undeclared=["markdown"])
        assert (after.reason, after.key) == ("format-removed", newest.key)

    def test_a_vanished_format_is_said_once(self) -> None:
        newest = first(says("html", T1))
        assert beside(newest, says("html", T1), undeclared=["markdown"]).reason is None

    def test_a_missing_format_that_is_withdrawn_ends_the_partial_snapshot(self) -> None:
        newest = first(says("html", T1), missing=["markdown"])
        after = beside(newest, says("html", T1), undeclared=["markdown"])
        assert after.reason == "format-removed"

    def test_an_edit_goes_before_a_change_of_formats(self) -> None:
        newest = first(says("markdown", T1))
        after = beside(newest, says("markdown", T2, B), says("text", None, B))
        assert after.reason == "edit"

    def test_a_change_of_formats_does_not_take_a_newly_declared_time_for_the_key(self) -> None:
        newest = first(says("html", T1))
        assert beside(newest, says("html", T1), says("json", T2)).key == newest.key

    def test_a_guessed_key_gives_way_to_the_time_that_a_completing_format_declares(self) -> None:
        newest = first(says("html"), missing=["json"])
        after = beside(newest, says("html"), says("json", T1))
        assert (after.reason, after.key.updated_at) == ("completed", stamp(T1).at)
        assert after.findings == ()

    def test_a_guessed_key_gives_way_to_no_other_guess(self) -> None:
        newest = first(says("html"), missing=["text"], sitemap=T1)
        after = beside(newest, says("html"), says("text"), sitemap=T2)
        assert (after.reason, after.key) == ("completed", newest.key)

    def test_a_format_without_words_of_its_own_counts_as_well(self) -> None:
        newest = first(says("html", T1))
        formats = Formats(present=frozenset({"html", "pdf"}))
        assert judge(newest, look(says("html", T1)), formats).reason == "format-added"


class TestPageBesideText:
    def test_a_difference_of_the_page_alone_is_no_edit(self) -> None:
        newest = first(says("html", T1), says("markdown"))
        after = beside(newest, says("html", T1, B), says("markdown"))
        assert (after.reason, after.html_differs) == (None, True)
        assert kinds(after.findings) == ["html-only"]

    def test_it_is_found_where_something_else_is_stored(self) -> None:
        newest = first(says("html", T1), says("markdown"))
        after = beside(newest, says("html", T1, B), says("markdown"), says("text"))
        assert (after.reason, kinds(after.findings)) == ("format-added", ["html-only"])
        after = beside(newest, says("html", T2, B), says("markdown"))
        assert kinds(after.findings) == ["date-only", "html-only"]

    @pytest.mark.parametrize("source", ["record", "json", "markdown", "text", "jsonld"])
    def test_every_text_source_silences_it(self, source: str) -> None:
        text = says(source)  # type: ignore[arg-type]  # a name of the list above
        newest = first(says("html", T1), text)
        assert beside(newest, says("html", T1, B), text).reason is None

    def test_the_page_counts_where_it_stands_alone(self) -> None:
        newest = first(says("html", T1))
        assert beside(newest, says("html", T1, B)).reason == "silent-edit"

    def test_the_page_counts_beside_a_card_without_a_body(self) -> None:
        card = says("jsonld", T1, None)
        newest = first(says("html"), card)
        assert beside(newest, says("html", None, B), card).reason == "silent-edit"

    def test_the_page_counts_where_the_text_is_not_in_both_readings(self) -> None:
        newest = first(says("html", T1), missing=["markdown"])
        assert beside(newest, says("html", T1, B), says("markdown")).reason == "silent-edit"
        newest = first(says("html", T1), says("markdown"))
        assert beside(newest, says("html", T1, B)).reason == "silent-edit"

    def test_a_page_as_it_was_is_not_said_to_differ(self) -> None:
        newest = first(says("html", T1), says("markdown"))
        after = beside(newest, says("html", T1), says("markdown"))
        assert (after.html_differs, after.findings) == (False, ())


def test_sources_are_compared_with_themselves_only() -> None:
    newest = first(says("markdown", T1, A), says("json", T1, B))
    swapped = (says("markdown", T1, A), says("json", T1, B))
    assert beside(newest, *swapped).reason is None
    assert beside(first(says("markdown", T1, A)), says("json", T1, B)).reason == "format-added"


def test_stamps_are_compared_with_their_own_sources() -> None:
    old = {"json": stamp(T1), "html": stamp(T0)}
    assert stamps_moved(old, {"json": stamp(T0), "html": stamp(T0)}) == {"json"}
    assert stamps_moved(old, {"markdown": stamp(T2)}) == frozenset()
    assert stamps_moved({}, old) == frozenset()


@settings(max_examples=60, deadline=None)
@given(fact_sets())
def test_a_second_look_at_the_same_article_stores_nothing(facts: tuple[Facts, ...]) -> None:
    after = beside(first(*facts), *facts, observed=NOW + timedelta(minutes=5))
    assert (after.reason, after.findings) == (None, ())


@settings(max_examples=60, deadline=None)
@given(fact_sets(), fact_sets())
def test_what_was_stored_is_settled(old: tuple[Facts, ...], new: tuple[Facts, ...]) -> None:
    newest = first(*old)
    settled = then(newest, *new)
    if settled is not newest:
        assert then(settled, *new) is settled


@settings(max_examples=60, deadline=None)
@given(fact_sets(), fact_sets())
def test_a_reason_always_has_a_ground(old: tuple[Facts, ...], new: tuple[Facts, ...]) -> None:
    newest = first(*old)
    after = beside(newest, *new)
    assert newest.key is not None
    if after.reason in ("silent-edit", "same-day"):
        assert after.key == newest.key
        assert after.key.declared
    if after.reason == "edit":
        assert after.key.declared
        assert after.key != newest.key
    if after.reason is None:
        assert after.key == newest.key


@settings(max_examples=60, deadline=None)
@given(fact_sets())
def test_a_lost_format_never_opens_a_snapshot(facts: tuple[Facts, ...]) -> None:
    newest = first(*facts)
    for lost in facts:
        left = tuple(each for each in facts if each is not lost)
        assert beside(newest, *left).reason is None


@settings(max_examples=60, deadline=None)
@given(fact_sets())
def test_no_times_at_all_open_no_snapshot(facts: tuple[Facts, ...]) -> None:
    newest = first(*facts)
    dumb = tuple(structs.replace(each, updated_at=None) for each in facts)
    assert beside(newest, *dumb, sitemap=T2, last_modified=T2).reason is None


def test_an_event_without_a_key_is_no_snapshot_to_compare_with() -> None:
    newest = Manifest(
        kind="event",
        site="s",
        scope="s",
        slug="x",
        url="u",
        observed_at=NOW,
        run="r",
        event="alias",
    )
    assert beside(newest, says("json", T1)).reason == "first"
