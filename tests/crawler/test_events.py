"""The one stream of a run: every kind of event can be written down and read back."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from crawler import events
from crawler.events import Event, Summary
from tests.crawler.fetching import NOW

SUMMARY = Summary(run="r", errors=(events.ErrorLine(url="http://h/a", reason="404"),))
SAMPLES: tuple[Event, ...] = (
    events.RunStarted(at=NOW, run="r", command="mirror", scopes=("http://h/",)),
    events.SiteStarted(at=NOW, site="s", scope="http://h/", rate=2.0),
    events.Discovered(at=NOW, site="s", source="sitemap", url="http://h/s", count=2, new=1),
    events.Requested(at=NOW, url="http://h/a", status=200, size=9),
    events.Began(at=NOW, site="s", url="http://h/a"),
    events.Stored(
        at=NOW,
        site="s",
        slug="a",
        url="http://h/a",
        updated_at=NOW,
        revision=0,
        reason="first",
        state="partial",
        formats=("html",),
        missing={"text": "404"},
        findings=("date-only",),
    ),
    events.Happened(at=NOW, site="s", slug="a", url="http://h/a", event="alias"),
    events.Unchanged(at=NOW, site="s", slug="a", url="http://h/a"),
    events.Passed(at=NOW, site="s", url="http://h/t", verdict="page", why="links"),
    events.Failed(at=NOW, site="s", url="http://h/a", reason="404", known=True),
    events.Waiting(at=NOW, host="h:80", seconds=3.0, why="it asked"),
    events.Note(at=NOW, message="read once"),
    events.RunFinished(at=NOW, summary=SUMMARY, interrupted=True),
)


def test_every_kind_has_a_sample_and_a_name_of_its_own() -> None:
    kinds = get_args(Event)
    assert {type(sample) for sample in SAMPLES} == set(kinds)
    assert len({kind.__struct_config__.tag for kind in kinds}) == len(kinds)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_an_event_comes_back_from_its_line_as_it_was(sample: Event) -> None:
    line = msgspec.json.encode(sample)
    assert b"\n" not in line
    assert msgspec.json.decode(line, type=Event) == sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: type(sample).__name__)
def test_every_event_has_its_moment_and_none_changes(sample: Event) -> None:
    assert sample.at == NOW
    with pytest.raises(AttributeError):
        sample.at = NOW  # type: ignore[misc]  # that is the point


def test_the_summary_has_the_names_and_the_order_of_the_contract() -> None:
    assert list(msgspec.to_builtins(SUMMARY)) == [
        "run",
        "sites",
        "articles",
        "requests",
        "bytes",
        "snapshots",
        "unchanged",
        "silent_edits",
        "torn",
        "partial",
        "gone",
        "failed",
        "seconds",
        "verify_bound_days",
        "errors",
    ]
