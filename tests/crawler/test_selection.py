"""Which URLs the user wants."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.selection import Selection

HOME = "https://news.example"


@pytest.mark.parametrize(
    ("glob", "path", "wanted"),
    [
        ("/2026/*", "/2026/a", True),
        ("/2026/*", "/2026/06/a", True),
        ("/2026/*", "/2025/a", False),
        ("/2026/*", "/x/2026/a", False),
        ("*.html", "/a.html", True),
        ("*.html", "/a.html?page=2", False),
        ("*page=*", "/a.html?page=2", True),
        ("/A*", "/a", False),
        ("/a", "/a", True),
        ("/a", "/a/b", False),
        ("/[ab]", "/b", True),
        ("/[ab", "/b", False),
    ],
)
def test_a_glob_is_held_against_path_and_query(glob: str, path: str, wanted: bool) -> None:
    assert Selection(include=(glob,)).wants(HOME + path) is wanted
    assert Selection(exclude=(glob,)).wants(HOME + path) is not wanted


def test_a_glob_with_a_scheme_is_held_against_the_whole_url() -> None:
    selection = Selection(include=(f"{HOME}/2026/*",))
    assert selection.wants(f"{HOME}/2026/a")
    assert not selection.wants("https://other.example/2026/a")


def test_without_globs_everything_is_wanted() -> None:
    assert Selection().wants(f"{HOME}/a")


def test_one_include_of_several_is_enough() -> None:
    selection = Selection(include=("/a*", "/b*"))
    assert [selection.wants(HOME + path) for path in ("/a1", "/b1", "/c1")] == [True, True, False]


def test_exclude_wins_over_include() -> None:
    selection = Selection(include=("/a*",), exclude=("/x*", "*draft*"))
    assert selection.wants(f"{HOME}/a1")
    assert not selection.wants(f"{HOME}/a-draft")


@settings(deadline=None)
@given(st.text(alphabet="ab/?*[]", max_size=8), st.text(alphabet="ab/?=", max_size=8))
def test_what_is_included_alone_is_what_would_be_excluded(glob: str, path: str) -> None:
    url = f"{HOME}/{path}"
    assert Selection(include=(glob,)).wants(url) is not Selection(exclude=(glob,)).wants(url)
