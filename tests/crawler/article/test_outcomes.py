"""What came of a reading: the event that tells it, and the validators that are left of it."""

from __future__ import annotations

import pytest

from crawler.article.copies import Copy
from crawler.article.outcomes import not_stored, told
from crawler.article.reading import Reading
from crawler.events import Happened, Stored
from crawler.frontier import Entry
from storage.model import Finding, Manifest, Validator
from tests.crawler.readings import NOW, URL, says, shown


def copy(name: str, validator: Validator) -> Copy:
    return Copy(facts=says("text"), representation=shown(name), payloads=(), validator=validator)


def test_a_snapshot_is_told_with_what_it_lacks_and_what_was_found() -> None:
    manifest = Manifest(
        site="s",
        scope="https://news.example/",
        slug="bridge",
        url=URL,
        observed_at=NOW,
        run="r",
        reason="edit",
        state="partial",
        missing={"text": "404"},
        representations=(shown("html"),),
        findings=(Finding(kind="date-only"),),
    )
    event = told(manifest, NOW)
    assert isinstance(event, Stored)
    assert (event.reason, event.state, event.formats) == ("edit", "partial", ("html",))
    assert (event.missing, event.findings) == ({"text": "404"}, ("date-only",))
    assert event.updated_at == NOW


def test_an_event_is_told_as_one() -> None:
    manifest = Manifest(
        kind="event",
        event="moved",
        site="s",
        scope="https://news.example/",
        slug="bridge",
        url=URL,
        observed_at=NOW,
        run="r",
    )
    event = told(manifest, NOW)
    assert isinstance(event, Happened)
    assert (event.slug, event.event) == ("bridge", "moved")


@pytest.mark.parametrize(("all_of_them", "left"), [(True, ["a", "b"]), (False, ["b"])])
def test_validators_of_bodies_that_are_not_stored_are_emptied(
    all_of_them: bool, left: list[str]
) -> None:
    copies = {
        "html": copy("html", Validator(url="a", etag='"1"', digest="d")),
        "text": copy("text", Validator(url="b", digest="d")),
    }
    reading = Reading(entry=Entry(url=URL), url=URL, copies=copies, alternates={}, missing={})
    assert not_stored(reading, all_of_them=all_of_them) == [
        Validator(url=url, digest="d") for url in left
    ]
