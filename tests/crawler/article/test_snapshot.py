"""From a reading to a draft: what a manifest says, and what a publisher forbids to keep."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

import pytest
from msgspec import structs

from crawler.article.copies import Copy
from crawler.article.reading import Reading
from crawler.article.snapshot import (
    Candidate,
    Context,
    alias_event,
    consider,
    declared_slug,
    draft,
    happened,
)
from crawler.facts import Facts
from crawler.frontier import Entry
from crawler.vanishing import Proofs
from storage.model import Finding, Manifest, Payload, Record, Site, Validator
from tests.crawler.readings import NOW, T0, T1, T2, URL, B, says, shown, stamp

SITE = Site(name="news.example", scope="https://news.example/")
CONTEXT = Context(site=SITE, run="a-run", now=NOW)
HTTP_T1 = "Fri, 19 Jun 2026 09:13:50 GMT"
HTTP_T2 = "Fri, 19 Jun 2026 15:30:00 GMT"


def copy(facts: Facts, last_modified: str | None = None, **changes: Any) -> Copy:
    name = facts.source
    seen = structs.replace(shown(name), last_modified=last_modified)
    payload = Payload(role=name, url=seen.url, status=200, body=b"bytes", fetched_at=NOW)
    copied = Copy(
        facts=facts,
        representation=seen,
        payloads=(payload,),
        validator=Validator(url=seen.url, digest=""),
    )
    return structs.replace(copied, **changes)


def reading(*copies: Copy, entry: Entry | None = None, **changes: Any) -> Reading:
    read = Reading(
        entry=entry or Entry(url=URL),
        url=URL,
        copies={each.representation.format: each for each in copies},
        alternates={each.representation.format: each.representation.url for each in copies},
        missing={},
    )
    return structs.replace(read, **changes)


def considered(*copies: Copy, newest: Manifest | None = None, **changes: Any) -> Candidate:
    return consider(reading(*copies, **changes), "bridge", newest, CONTEXT)


def written(*copies: Copy, **changes: Any) -> Manifest:
    return draft(considered(*copies, **changes), CONTEXT).manifest


def barred(value: str, agent: str = "slugline") -> bool:
    """Say whether an X-Robots-Tag of ``value`` keeps the body out of the draft."""
    usage = {"markdown: x-robots-tag": value}
    candidate = considered(copy(says("html", T1)), copy(says("markdown"), usage=usage))
    drafted = draft(candidate, structs.replace(CONTEXT, agent=agent))
    assert drafted.manifest.usage == usage
    assert (drafted.payloads == ()) is (drafted.manifest.record.body_md is None)  # type: ignore[union-attr]  # a snapshot has one
    return drafted.payloads == ()


class TestSlug:
    def test_the_records_own_goes_first(self) -> None:
        both = (copy(says("json", slug="from-json")), copy(says("record", slug="from-record")))
        assert declared_slug(reading(*both)) == "from-record"
        assert declared_slug(reading(*both[:1])) == "from-json"

    def test_a_record_without_one_leaves_it_to_the_json(self) -> None:
        both = (copy(says("record")), copy(says("json", slug="from-json")))
        assert declared_slug(reading(*both)) == "from-json"

    def test_a_records_file_speaks_where_no_format_does(self) -> None:
        entry = Entry(url=URL, hint=Record(slug="listed", url=URL))
        assert declared_slug(reading(copy(says("html")), entry=entry)) == "listed"
        stated = reading(copy(says("json", slug="from-json")), entry=entry)
        assert declared_slug(stated) == "from-json"

    def test_other_formats_have_no_say(self) -> None:
        assert declared_slug(reading(copy(says("jsonld", slug="x")))) is None


class TestConsider:
    def test_the_sitemaps_time_without_a_zone_is_of_utc(self) -> None:
        key = considered(
            copy(says("html")), entry=Entry(url=URL, lastmod="2026-06-19")
        ).assembly.key
        assert (key.source, key.unit, key.zone_assumed) == ("sitemap", "day", False)

    def test_a_zone_that_the_sitemap_gives_is_kept(self) -> None:
        entry = Entry(url=URL, lastmod="2026-06-19T11:13:50+02:00")
        key = considered(copy(says("html")), entry=entry).assembly.key
        assert (key.updated_at, key.offset) == (stamp("2026-06-19T09:13:50Z").at, 120)

    @pytest.mark.parametrize("lastmod", ["", "yesterday"])
    def test_no_lastmod_leaves_the_newest_last_modified(self, lastmod: str) -> None:
        copies = (
            copy(says("html"), HTTP_T2),
            copy(says("markdown"), HTTP_T1),
            copy(says("text"), "2026"),
        )
        key = considered(*copies, entry=Entry(url=URL, lastmod=lastmod)).assembly.key
        assert (key.source, key.updated_at) == ("last-modified", stamp("2026-06-19T15:30:00Z").at)

    def test_an_edge_that_no_format_states_is_the_records_canonical_source(self) -> None:
        origin = "https://origin.example/x"
        record = considered(copy(says("html")), canonical_source=origin).assembly.record
        assert record.canonical_source == origin
        stated = copy(says("json", canonical_source="https://stated.example/x"))
        record = considered(stated, canonical_source=origin).assembly.record
        assert record.canonical_source == "https://stated.example/x"

    def test_it_is_judged_beside_the_newest_snapshot_and_its_key(self) -> None:
        newest = written(copy(says("json", T1)))
        again = considered(copy(says("json", "2026-06-19T09:13:50Z")), newest=newest)
        assert (again.judgement.reason, again.assembly.key) == (None, newest.key)
        silent = considered(copy(says("json", T1, B)), newest=newest)
        assert silent.judgement.reason == "silent-edit"

    def test_it_knows_which_formats_were_withdrawn_and_which_failed(self) -> None:
        newest = written(copy(says("html", T1)), copy(says("markdown")))
        left = copy(says("html", T1))
        gone = considered(left, newest=newest, withdrawn=frozenset({"markdown"}))
        assert gone.judgement.reason == "format-removed"
        failed = considered(left, newest=newest, missing={"markdown": "the server answered 500"})
        assert failed.judgement.reason is None

    def test_earlier_snapshots_tell_a_revert(self) -> None:
        old = written(copy(says("json", T1)))
        newest = written(copy(says("json", T2, B)))
        again = reading(copy(says("json", T2)))
        candidate = consider(again, "bridge", newest, CONTEXT, [old.content])
        assert candidate.judgement.reason == "reverted"


class TestFileWithoutWords:
    """A PDF beside the page: what counts is its bytes and its Last-Modified together."""

    @staticmethod
    def file(last_modified: str | None, digest: str, name: str = "pdf", **said: Any) -> Copy:
        facts = Facts(source="other" if name == "pdf" else name, extractor="other/1", **said)
        seen = structs.replace(
            shown(name), digest=digest, last_modified=last_modified, record_id="urn:uuid:1"
        )
        return structs.replace(copy(facts), representation=seen)

    def judged(
        self, before: str | None, now: Copy, name: str = "pdf", **said: Any
    ) -> tuple[str | None, bool]:
        """Judge a page beside which ``now`` is found, and was another file ``before``."""
        page = copy(says("html", T1))
        newest = written(page, self.file(before, "a" * 64, name, **said))
        judgement = considered(page, now, newest=newest).judgement
        return judgement.reason, judgement.is_edit

    @pytest.mark.parametrize(
        ("before", "after"), [(HTTP_T1, HTTP_T2), (HTTP_T2, HTTP_T1)], ids=["newer", "older"]
    )
    def test_another_file_is_a_snapshot_and_no_edit_of_the_article(
        self, before: str, after: str
    ) -> None:
        assert self.judged(before, self.file(after, "b" * 64)) == ("undated", False)

    def test_equal_bytes_are_none(self) -> None:
        assert self.judged(HTTP_T1, self.file(HTTP_T2, "a" * 64)) == (None, False)

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (HTTP_T1, HTTP_T1),
            (HTTP_T1, None),
            (None, HTTP_T2),
            (HTTP_T1, "yesterday"),
            (HTTP_T1, format_datetime(NOW, usegmt=True)),
        ],
        ids=["same", "silent", "never told", "unreadable", "made when asked"],
    )
    def test_bytes_alone_are_none(self, before: str | None, after: str | None) -> None:
        assert self.judged(before, self.file(after, "b" * 64)) == (None, False)

    def test_made_when_asked_is_told_by_the_servers_own_clock(self) -> None:
        made = self.file(HTTP_T2, "b" * 64)
        payload = structs.replace(made.payloads[-1], headers=(("Date", HTTP_T2),))
        late = structs.replace(made, payloads=(payload,))
        assert self.judged(HTTP_T1, late) == (None, False)

    def test_a_page_without_words_is_none(self) -> None:
        now = self.file(HTTP_T2, "b" * 64, "jsonld")
        assert self.judged(HTTP_T1, now, "jsonld") == (None, False)

    def test_a_title_alone_is_no_words(self) -> None:
        now = self.file(HTTP_T2, "b" * 64, "slides", title="The bylaw")
        assert self.judged(HTTP_T1, now, "slides", title="The bylaw") == ("undated", False)

    def test_words_are_compared_where_there_are_any(self) -> None:
        now = self.file(HTTP_T2, "b" * 64, "slides", body="Dogs on a lead")
        assert self.judged(HTTP_T1, now, "slides", body="Dogs on a lead") == (None, False)

    def test_one_that_nobody_could_read_before_goes_by_its_bytes(self) -> None:
        now = self.file(HTTP_T2, "b" * 64, "slides", body="Dogs on a lead")
        assert self.judged(HTTP_T1, now, "slides") == ("undated", False)


class TestDraft:
    def test_a_manifest_says_where_when_and_what(self) -> None:
        manifest = written(copy(says("json", T1)))
        assert (manifest.site, manifest.scope, manifest.run) == (SITE.name, SITE.scope, "a-run")
        assert (manifest.slug, manifest.url, manifest.observed_at) == ("bridge", URL, NOW)
        assert (manifest.reason, manifest.state, manifest.missing) == ("first", "complete", {})
        assert manifest.stamps == {"json": stamp(T1)}
        assert manifest.said["title"] == "json"
        assert [each.format for each in manifest.representations] == ["json"]

    def test_a_format_that_could_not_be_had_makes_it_partial_and_says_why(self) -> None:
        manifest = written(copy(says("html", T1)), missing={"text": "the server answered 500"})
        assert manifest.state == "partial"
        assert manifest.missing == {"text": "the server answered 500"}

    def test_the_record_states_the_key_that_it_is_filed_under(self) -> None:
        newest = written(copy(says("json", T1)))
        candidate = considered(copy(says("json", "2026-06-19T09:13Z", B)), newest=newest)
        manifest = draft(candidate, CONTEXT).manifest
        assert manifest.key == newest.key
        assert manifest.record is not None
        assert manifest.record.updated_at == stamp(T1).at

    def test_the_record_states_no_time_that_is_only_inferred(self) -> None:
        manifest = written(copy(says("html"), HTTP_T1))
        assert manifest.key is not None
        assert manifest.key.source == "last-modified"
        assert manifest.record is not None
        assert manifest.record.updated_at is None

    def test_findings_come_from_facts_reading_and_judgement_each_once(self) -> None:
        charset = Finding(kind="charset", formats=("html",))
        torn = Finding(kind="formats-disagree", formats=("html",))
        newest = written(copy(says("json", T1)))
        now = (copy(says("json", T0)), copy(says("html", findings=(charset,))))
        manifest = written(*now, newest=newest, findings=(torn, torn))
        kinds = [each.kind for each in manifest.findings]
        assert kinds == ["charset", "formats-disagree", "date-only", "went-backwards"]

    def test_a_slug_that_is_anothers_is_said(self) -> None:
        candidate = consider(reading(copy(says("html"))), "b", None, CONTEXT, taken=True)
        assert [each.kind for each in draft(candidate, CONTEXT).manifest.findings] == ["slug-taken"]

    def test_every_canonical_claim_and_alias_is_kept(self) -> None:
        claims = {"html": URL, "header": f"{URL}?x"}
        aliases = frozenset({f"{URL}/b", f"{URL}/a"})
        manifest = written(copy(says("html")), claims=claims, aliases=aliases)
        assert (manifest.canonical, manifest.aliases) == (claims, (f"{URL}/a", f"{URL}/b"))

    def test_what_was_cut_is_named_and_one_private_copy_makes_it_private(self) -> None:
        copies = (
            copy(says("html"), redacted=("set-cookie", "authorization")),
            copy(says("text"), redacted=("set-cookie",), private=True),
        )
        manifest = written(*copies)
        assert (manifest.redacted, manifest.private) == (("authorization", "set-cookie"), True)
        assert not written(copies[0]).private

    def test_every_answer_goes_along_in_order(self) -> None:
        candidate = considered(copy(says("html")), copy(says("markdown")))
        assert [each.role for each in draft(candidate, CONTEXT).payloads] == ["html", "markdown"]


class TestNoarchive:
    @pytest.mark.parametrize(
        "value",
        [
            "noarchive",
            "NoArchive",
            "noindex, noarchive",
            "slugline: noarchive",
            "Slugline: noindex, noarchive",
            "otherbot: nofollow, slugline: noarchive",
            "max-image-preview:large, noarchive",
            "max-snippet: 50, max-video-preview: -1, noarchive",
            "unavailable_after: 25 Jun 2027 15:00:00 GMT, noarchive",
            "slugline: max-snippet: 5, noarchive",
        ],
    )
    def test_it_binds_for_all_and_for_our_own_name(self, value: str) -> None:
        assert barred(value)

    @pytest.mark.parametrize(
        "value",
        [
            "otherbot: noarchive",
            "otherbot: noindex, noarchive",
            "otherbot: max-snippet:5, noarchive",
            "noindex",
            "none",
            "all",
            "noarchives",
        ],
    )
    def test_other_rules_and_other_agents_do_not_bind(self, value: str) -> None:
        assert not barred(value)

    def test_our_own_name_is_the_configured_one(self) -> None:
        assert barred("mybot: noarchive", agent="MyBot")
        assert not barred("slugline: noarchive", agent="MyBot")

    def test_a_page_that_says_it_itself_binds_too(self) -> None:
        drafted = draft(
            considered(copy(says("html", robots="noarchive")), copy(says("text"))), CONTEXT
        )
        assert drafted.payloads == ()
        assert drafted.manifest.usage == {"html: meta robots": "noarchive"}

    def test_what_a_page_says_of_data_mining_is_a_signal_and_binds_no_copy(self) -> None:
        drafted = draft(
            considered(copy(says("html", tdm={"tdm-reservation": "1"})), copy(says("text"))),
            CONTEXT,
        )
        assert drafted.payloads != ()
        assert drafted.manifest.usage == {"html: meta tdm-reservation": "1"}

    def test_no_text_is_kept_and_the_reason_is(self) -> None:
        page = copy(says("html", T1, summary="It is closed."), usage={"html: x": "noarchive"})
        manifest = written(page, copy(says("markdown")))
        assert manifest.record is not None
        assert (manifest.record.body_md, manifest.record.summary) == (None, None)
        assert [each.kind for each in manifest.findings] == ["noarchive"]


def test_an_alias_is_an_event_of_the_article_it_leads_to() -> None:
    newest = written(copy(says("json", T1)))
    drafted = alias_event(newest, f"{URL}/old", CONTEXT)
    event = drafted.manifest
    assert (event.kind, event.event, event.aliases) == ("event", "alias", (f"{URL}/old",))
    assert (event.slug, event.url, event.site) == (newest.slug, newest.url, newest.site)
    assert (event.key, event.reason, drafted.payloads) == (None, None, ())


@pytest.mark.parametrize(("tag", "roles"), [("noindex", ["evidence"]), ("noarchive", [])])
def test_what_happened_is_an_event_with_the_answers_that_may_be_kept(
    tag: str, roles: list[str]
) -> None:
    answer = Payload(
        role="evidence", url=URL, status=404, headers=(("X-Robots-Tag", tag),), fetched_at=NOW
    )
    seen = Proofs(payloads=(answer,), redacted=("set-cookie",), private=True)
    newest = written(copy(says("html")))
    drafted = happened(
        newest, "gone-seen", CONTEXT, detail={"why": "404"}, evidence=seen, url=f"{URL}/new"
    )
    told = drafted.manifest
    assert [each.role for each in drafted.payloads] == roles
    assert (told.kind, told.event, told.slug, told.url) == (
        "event",
        "gone-seen",
        newest.slug,
        f"{URL}/new",
    )
    assert (told.redacted, told.private, told.detail) == (("set-cookie",), True, {"why": "404"})
