"""What a look at an article shows: the formats that came, those that did not, what they say."""

from __future__ import annotations

from msgspec import structs

from crawler.article.copies import Copy
from crawler.article.reading import Reading
from crawler.facts import Facts
from crawler.frontier import Entry
from crawler.looks import article_look
from storage.model import Finding, Validator
from tests.crawler.readings import NOW, T1, T2, URL, says, shown


def copy(facts: Facts, **usage: str) -> Copy:
    one = shown(facts.source)
    return Copy(
        facts=facts,
        representation=one,
        payloads=(),
        validator=Validator(url=one.url, digest=""),
        usage=usage,
    )


def reading(*copies: Copy) -> Reading:
    return Reading(
        entry=Entry(url=URL),
        url=URL,
        copies={each.representation.format: each for each in copies},
        alternates={},
        missing={},
    )


def test_it_is_named_as_it_would_be_filed() -> None:
    found = article_look(reading(copy(says("html", T1))), NOW)
    assert (found.url, found.slug, found.title) == (URL, "bridge", "The bridge")
    assert found.said["updated_at"] == "html"


def test_a_format_that_is_missing_is_shown_with_its_reason() -> None:
    read = structs.replace(
        reading(copy(says("html"))),
        alternates={"text": f"{URL}.txt"},
        missing={"text": "it is not there", "json": "nobody says where it is"},
    )
    shown_formats = {each.format: (each.url, each.why) for each in article_look(read, NOW).formats}
    assert shown_formats["html"][1] == ""
    assert shown_formats["text"] == (f"{URL}.txt", "it is not there")
    assert shown_formats["json"] == ("", "nobody says where it is")


def test_only_fields_of_which_formats_differ_are_disagreements() -> None:
    found = article_look(reading(copy(says("html", T1)), copy(says("markdown", T2))), NOW)
    assert "updated_at" in {each.field for each in found.disagreements}
    assert "title" not in {each.field for each in found.disagreements}


def test_a_finding_is_shown_once() -> None:
    twice = Finding(kind="odd", detail="as it is")
    read = structs.replace(reading(copy(says("html"))), findings=(twice, twice))
    assert article_look(read, NOW).findings.count(twice) == 1


def test_what_the_publisher_says_of_copies_is_gathered_from_all_formats() -> None:
    read = reading(copy(says("html"), robots="noai"), copy(says("text"), tdm="1"))
    assert article_look(read, NOW).usage == {"robots": "noai", "tdm": "1"}
