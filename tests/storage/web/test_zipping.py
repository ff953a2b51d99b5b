"""Answers made smaller: ours alone, and only for who takes gzip."""

from __future__ import annotations

import gzip

import pytest

from storage.web.answer import Answer
from storage.web.zipping import zipped

LONG = Answer(body=b"words " * 1000)


def test_long_text_is_zipped_for_who_takes_it() -> None:
    made = zipped(LONG, "br;q=1.0, gzip;q=0.5")
    assert ("Content-Encoding", "gzip") in made.headers
    assert ("Vary", "accept-encoding") in made.headers
    assert gzip.decompress(made.body) == LONG.body


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0", "xgzip"])
def test_who_does_not_take_it_gets_it_plain(accepted: str) -> None:
    made = zipped(LONG, accepted)
    assert made.body == LONG.body
    assert ("Vary", "accept-encoding") in made.headers


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=LONG.body, policy="frame"),
        Answer(body=LONG.body, content_type="application/warc"),
        Answer(status=302),
    ],
)
def test_what_a_site_sent_and_what_is_no_text_stays_as_it_is(answer: Answer) -> None:
    assert zipped(answer, "gzip") == answer
