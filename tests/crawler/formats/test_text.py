"""Plain text is words and nothing else."""

from __future__ import annotations

from crawler.formats.text import parse_text

URL = "https://example.org/a.txt"


def test_gives_the_words_and_no_guess() -> None:
    facts = parse_text(b"Title\r\nUpdated 2024-01-01T12:11:00Z\r\n\r\nWords\r\n", URL)
    assert facts.body == "Title\nUpdated 2024-01-01T12:11:00Z\n\nWords"
    assert (facts.title, facts.updated_at, facts.source) == (None, None, "text")


def test_nothing_but_white_space_is_no_body() -> None:
    assert parse_text(b" \n", URL).body is None


def test_reads_the_charset_it_is_told() -> None:
    assert parse_text("Ж".encode("cp1251"), URL, "text/plain; charset=windows-1251").body == "Ж"
