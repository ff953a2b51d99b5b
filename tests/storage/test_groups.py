"""What a draft becomes: numbers, responses and revisits, names."""

from __future__ import annotations

import pytest
from msgspec import structs

from storage.errors import BadDraft
from storage.files import Names
from storage.groups import Builder
from storage.model import Manifest, Payload
from storage.warc import content_encoding
from tests.storage.drafts import SEEN, UPDATED, article, event, hour


def builder() -> Builder:
    return Builder({}, Names())


def types(manifest: Manifest) -> dict[str, str]:
    return {ref.role: ref.type for ref in manifest.records}


def test_numbers_count_within_a_batch_too() -> None:
    at = builder()
    made = [
        at.build(article()).manifest,
        at.build(article(edition=" 2", reason="silent-edit")).manifest,
        at.build(event("gone-seen")).manifest,
        at.build(article(edition=" 3", updated=hour(1), reason="edit")).manifest,
        at.build(article(edition=" 4", updated=UPDATED, reason="reverted")).manifest,
    ]
    assert [one.sequence for one in made] == [1, 2, 3, 4, 5]
    assert [one.revision for one in made] == [0, 1, 0, 0, 2]


def test_a_first_snapshot_is_refused_where_another_writer_has_stored_one() -> None:
    at = builder()
    first = structs.replace(article(), beside=0)
    assert at.build(first).manifest.revision == 0
    with pytest.raises(BadDraft, match="another writer has stored"):
        at.build(first)
    assert at.build(article(edition=" 2", reason="silent-edit")).manifest.revision == 1


def test_an_edit_is_refused_where_another_writer_has_stored_one_since_it_was_judged() -> None:
    at = builder()
    at.build(article())
    edit = structs.replace(article(edition=" 2", updated=hour(1), reason="edit"), beside=1)
    at.build(event("gone-seen"))
    assert at.build(edit).manifest.sequence == 3
    with pytest.raises(BadDraft, match="another writer has stored"):
        at.build(edit)
    assert at.build(structs.replace(edit, beside=3)).manifest.sequence == 4


def test_the_same_payload_again_is_a_revisit_to_the_first_response() -> None:
    at = builder()
    first = at.build(article()).manifest
    for _ in range(2):
        again = at.build(article(seen=hour(1))).manifest
        assert types(again) == {"html": "revisit", "markdown": "revisit"}
        assert [one.target_id for one in again.representations] == [
            one.record_id for one in first.representations
        ]


def test_another_content_coding_is_another_response() -> None:
    at = builder()
    at.build(article())
    coded = at.build(article(coding="gzip")).manifest
    assert types(coded) == {"html": "response", "markdown": "response"}
    assert [one.content_encoding for one in coded.representations] == ["gzip", "gzip"]
    again = at.build(article(coding="gzip")).manifest
    assert [one.target_id for one in again.representations] == [
        one.record_id for one in coded.representations
    ]


def test_other_articles_and_formats_are_never_targets() -> None:
    at = builder()
    at.build(article("story"))
    other = article("story")
    moved = structs.replace(other, manifest=structs.replace(other.manifest, slug="copy"))
    assert types(at.build(moved).manifest) == {"html": "response", "markdown": "response"}


def test_a_304_refers_to_the_stored_body_and_takes_its_description() -> None:
    at = builder()
    first = at.build(article(coding="gzip")).manifest
    draft = article(edition=" 2", seen=hour(1), coding="", not_modified=("html",))
    old = first.representation("html")
    told = tuple(
        structs.replace(one, digest=old.digest) if one.format == "html" and old else one
        for one in draft.manifest.representations
    )
    again = at.build(
        structs.replace(draft, manifest=structs.replace(draft.manifest, representations=told))
    ).manifest
    html = again.representation("html")
    assert old is not None
    assert html is not None
    assert types(again) == {"html": "revisit", "markdown": "response"}
    assert (html.target_id, html.payload_digest) == (old.record_id, old.payload_digest)
    assert (html.content_encoding, html.length) == ("gzip", old.length)


def test_a_304_for_bytes_judged_equal_refers_to_the_newest_stored_body() -> None:
    at = builder()
    at.build(article())
    second = at.build(article(edition=" 2")).manifest
    third = at.build(article(edition=" churned", not_modified=("html", "markdown"))).manifest
    assert [one.target_id for one in third.representations] == [
        one.record_id for one in second.representations
    ]


def test_a_304_without_a_stored_body_is_refused() -> None:
    with pytest.raises(BadDraft, match="304, and no body"):
        builder().build(article(not_modified=("html",)))


def test_hops_and_evidence_are_records_beside_the_formats() -> None:
    draft = article()
    hop = Payload(role="hop", url="https://news.example/old", status=301, fetched_at=SEEN)
    made = builder().build(structs.replace(draft, payloads=(hop, *draft.payloads)))
    assert [ref.role for ref in made.manifest.records] == ["hop", "html", "markdown"]
    assert types(builder().build(event("gone")).manifest) == {"evidence": "response"}


def test_a_format_without_a_payload_is_told_and_not_stored() -> None:
    draft = structs.replace(article(), payloads=())
    made = builder().build(draft).manifest
    assert made.records == ()
    assert {(one.record_id, one.file) for one in made.representations} == {("", "")}


def test_a_name_once_chosen_stays() -> None:
    at = builder()
    first = at.build(article()).manifest
    second = at.build(article(edition=" 2")).manifest
    assert [one.file for one in first.representations] == [
        "news.example/news/story.html",
        "news.example/news/story.md",
    ]
    assert [one.file for one in second.representations] == [
        one.file for one in first.representations
    ]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": None}, "no key"),
        ({"reason": None}, "no reason"),
        ({"title": "a lone surrogate"}, "can't be stored"),
    ],
)
def test_a_draft_that_can_not_be_stored_says_why(changes: dict[str, object], why: str) -> None:
    draft = article()
    if "title" in changes:
        assert draft.manifest.record is not None
        record = structs.replace(draft.manifest.record, title="\ud800")
        changes = {"record": record}
    with pytest.raises(BadDraft, match=why):
        builder().build(structs.replace(draft, manifest=structs.replace(draft.manifest, **changes)))


def test_a_refused_draft_takes_no_number() -> None:
    at = builder()
    with pytest.raises(BadDraft):
        at.build(article(key=None))
    assert at.build(article()).manifest.sequence == 1


def test_a_format_twice_is_refused() -> None:
    draft = article()
    double = structs.replace(draft, payloads=(*draft.payloads, draft.payloads[0]))
    with pytest.raises(BadDraft, match="twice"):
        builder().build(double)


def test_an_event_must_say_what_happened() -> None:
    with pytest.raises(BadDraft, match="what happened"):
        builder().build(event("gone", event=None))


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((), ""),
        (("GZip",), "gzip"),
        (("gzip, br",), "gzip, br"),
        (("gzip", " BR "), "gzip, br"),
        (("identity",), ""),
    ],
)
def test_content_codings_are_read_from_the_answer(values: tuple[str, ...], wanted: str) -> None:
    headers = tuple(("Content-Encoding", value) for value in values)
    payload = Payload(role="html", url="https://x/", status=200, headers=headers, fetched_at=SEEN)
    assert content_encoding(payload) == wanted


def test_a_format_that_stands_twice_is_refused() -> None:
    draft = article(formats=("html",))
    twice = structs.replace(draft.manifest, representations=draft.manifest.representations * 2)
    with pytest.raises(BadDraft, match="has a format twice"):
        builder().build(structs.replace(draft, manifest=twice))
    with pytest.raises(BadDraft, match="has a format twice"):
        builder().build(structs.replace(draft, payloads=draft.payloads * 2))
