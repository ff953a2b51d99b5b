"""search: articles by their words, for people and for programs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from storage import layout
from storage.writer import Writer
from tests.crawler.commands.archives import draft, fill
from tests.crawler.commands.calling import KEY, complaint, lines, slugline


@pytest.fixture
def own(tmp_path: Path) -> Path:
    asyncio.run(fill(tmp_path / "m"))
    return tmp_path / "m"


async def add(root: Path, slug: str, words: str) -> None:
    async with Writer(root) as writer:
        await writer.commit(draft(slug, words))


def test_articles_are_found_with_what_stands_around_the_word(mirror: Path) -> None:
    shown = slugline("search", "second", "--mirror", mirror)
    assert shown.stdout.splitlines() == [
        "SLUG\tTITLE\tUPDATED\tTEXT",
        f"alpha\tOn alpha\t{KEY}.r1\tSecond words.",
    ]
    assert (shown.exit_code, shown.stderr) == (0, "")


def test_only_the_newest_words_are_searched(mirror: Path) -> None:
    shown = slugline("search", "first", "--mirror", mirror)
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == "slugline: no article has all of first\n"


def test_a_line_for_programs_is_lists_with_the_snippet(mirror: Path) -> None:
    (row,) = lines(slugline("search", '"here"', "--json", "--mirror", mirror))
    (listed,) = [
        each
        for each in lines(slugline("list", "--json", "--mirror", mirror))
        if (each["site"], each["slug"]) == ("example.org", "shared")
    ]
    assert row == {**listed, "snippet": "Here.", "found": [[0, 4]]}


def test_a_search_is_narrowed_down(mirror: Path) -> None:
    def found(*options: str) -> list[object]:
        rows = lines(slugline("search", "shared", *options, "--json", "--mirror", mirror))
        return [row["site"] for row in rows]

    assert sorted(map(str, found())) == ["example.net", "example.org"]
    assert found("--site", "example.net") == ["example.net"]
    assert len(found("--limit", "1")) == 1
    assert found("--lang", "de") == found("--topic", "x") == found("--entity", "x") == []
    assert found("--since", "2030-01-01") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--lang", "xx"), "--lang xx"),
        (("--since", "2030-01-01", "--topic", "x"), "--topic x, --since 2030-01-01"),
        (("--site", "example.net"), "--site example.net"),
    ],
)
def test_what_the_options_left_out_is_not_said_to_be_nowhere(
    options: tuple[str, ...], told: str, mirror: Path
) -> None:
    shown = slugline("search", "second", *options, "--mirror", mirror)
    assert (shown.exit_code, shown.stdout) == (0, "")
    assert shown.stderr == f"slugline: what has all of second was left out by {told}\n"
    nowhere = slugline("search", "first", *options, "--mirror", mirror)
    assert nowhere.stderr == "slugline: no article has all of first\n"


def test_findings_and_captured_originals_are_asked_for(mirror: Path) -> None:
    def found(*options: str) -> list[object]:
        rows = lines(slugline("search", *options, "--json", "--mirror", mirror))
        return [row["slug"] for row in rows]

    assert found("words", "--finding", "date-only") == ["beta"]
    assert found("original") == []
    assert found("original", "--canonicals") == ["tale"]


def test_what_is_new_is_found_by_the_next_search(own: Path) -> None:
    assert slugline("search", "fresh", "--mirror", own).stdout == ""
    asyncio.run(add(own, "new", "Fresh words."))
    assert "\nnew\t" in slugline("search", "fresh", "--mirror", own).stdout


def test_without_its_file_it_is_made_again(own: Path) -> None:
    before = slugline("search", "words", "--mirror", own).stdout
    (own / layout.FULLTEXT).unlink()
    assert slugline("search", "words", "--mirror", own).stdout == before


def test_a_link_in_its_files_place_is_not_followed(own: Path, tmp_path: Path) -> None:
    (own / layout.FULLTEXT).symlink_to(tmp_path / "elsewhere")
    assert "is not a file" in complaint(slugline("search", "words", "--mirror", own))
    assert not (tmp_path / "elsewhere").exists()


def test_what_cannot_be_looked_for_is_said(mirror: Path) -> None:
    assert "holds no word" in complaint(slugline("search", "...", "--mirror", mirror))
    assert "--site nowhere" in complaint(
        slugline("search", "x", "--site", "nowhere", "--mirror", mirror)
    )
    assert "--since" in complaint(slugline("search", "x", "--since", "soon", "--mirror", mirror))


def test_no_question_is_a_syntax_error(own: Path) -> None:
    for words in ('"unclosed -*', "a AND (b", "title:x^2", "NEAR(a b, 2)"):
        assert slugline("search", words, "--mirror", own).exit_code == 0
