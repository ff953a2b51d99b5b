"""What a URL, a format and a file come to in the index."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.files import file_name
from storage.index.naming import AS_ITS_URL, file_of, known
from storage.index.packing import mark_of

URL = "https://news.example/a/b/story"


def test_a_file_that_its_url_gives_is_not_written_out() -> None:
    file = file_name(URL, "html")
    mark, short, own, folders = known(URL, "html", file)
    assert (mark, short, own) == (mark_of(URL), AS_ITS_URL, mark_of(file))
    assert len(folders) == 3
    assert file_of({"url": URL, "format": "html", "file": short}) == file


@pytest.mark.parametrize("file", ["news.example/a/b/story~1234abcd.html", "else/where.md"])
def test_a_file_of_another_name_is(file: str) -> None:
    _, short, own, _ = known(URL, "html", file)
    assert (short, own) == (file, mark_of(file))
    assert file_of({"url": URL, "format": "html", "file": short}) == file


@pytest.mark.parametrize("file", ["", "../out", "/etc/passwd", "a//b", "a/./b"])
def test_what_is_no_name_of_a_file_has_no_mark(file: str) -> None:
    _, short, own, folders = known(URL, "html", file)
    assert (short, own, folders) == (file, None, {})


def test_names_that_differ_in_case_alone_are_one_file() -> None:
    assert known(URL, "html", "A/Story.html")[2] == known(URL, "html", "a/story.HTML")[2]


@given(st.text(max_size=600), st.text(max_size=9), st.text(max_size=30))
def test_any_text_comes_to_the_same_each_time(url: str, name: str, file: str) -> None:
    assert known(url, name, file) == known(url, name, file)
