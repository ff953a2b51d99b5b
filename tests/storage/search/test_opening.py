"""The mirror's full-text index, asked, brought up and cleaned: whoever may write."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import layout
from storage.archive import Archive
from storage.errors import ReadOnly
from storage.search.filling import STEP, FulltextFiller
from storage.search.fulltext import Question
from storage.search.opening import catch_up, forget, opened, search
from tests.modes import unwritable
from tests.storage.drafts import SITE, event, hour, stored
from tests.storage.texts import found, text_file, told, vocabulary


def read(root: Path) -> int:
    """Bring the text index up; returns how many rows were new."""
    with Archive.open(root) as archive, opened(root) as filling:
        new = filling.behind(archive.index)
        while filling.step(archive):
            pass
        return new


@pytest.mark.index_file("its file is what is looked at")
def test_the_first_search_makes_it_and_runs_do_not(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    assert not text_file(tmp_path).exists()
    assert found(tmp_path, "alpha") == ["one"]
    assert text_file(tmp_path).exists()


@pytest.mark.index_file("its file is looked for")
def test_after_a_run_it_is_brought_up_where_there_is_one(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    with Archive.open(tmp_path) as archive:
        catch_up(archive)
    assert not text_file(tmp_path).exists()
    found(tmp_path, "alpha")
    stored(tmp_path, told("two", "alpha"))
    with Archive.open(tmp_path) as archive:
        catch_up(archive)
    assert read(tmp_path) == 0


def test_nothing_is_made_where_nothing_is_stored(tmp_path: Path) -> None:
    Archive.create(tmp_path / "m").close()
    assert found(tmp_path / "m", "alpha") == []
    assert not text_file(tmp_path / "m").exists()
    stored(tmp_path / "n", event("gone"))
    assert found(tmp_path / "n", "alpha") == []


def test_a_long_first_reading_is_told(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"), told("two", "alpha"))
    said: list[str] = []
    with Archive.open(tmp_path) as archive:
        search(archive, Question(words="alpha"), said.append, worth_telling=1)
    assert said == ["reading 2 changes into the full-text index, once"]


def test_a_forgotten_articles_words_are_in_no_byte_of_the_file(tmp_path: Path) -> None:
    plain = [told(f"n{n}", f"alpha filler{n} " * 50) for n in range(40)]
    stored(tmp_path, *plain, told("secret", "xyzzyplugh unmentionable " * 30))
    assert found(tmp_path, "xyzzyplugh") == ["secret"]
    forget(tmp_path, SITE, "secret")
    held = b"".join(path.read_bytes() for path in tmp_path.glob(f"{layout.FULLTEXT}*"))
    assert b"xyzzyplugh" not in held
    assert b"nmentionable" not in held
    assert not vocabulary(text_file(tmp_path)) & {"xyzzyplugh", "unmentionable", "secret"}
    assert len(found(tmp_path, "alpha", most=50)) == 40


def test_a_text_index_that_cannot_be_cleaned_is_removed(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    forget(tmp_path, SITE, "one")
    assert not text_file(tmp_path).exists()
    read(tmp_path)
    with FulltextFiller.open(text_file(tmp_path)) as reader:
        reader._connection.execute("PRAGMA busy_timeout = 0")  # noqa: SLF001  - no wait in a test
        reader._connection.execute("BEGIN")  # noqa: SLF001  - a reader that holds on
        reader.note("n")
        forget(tmp_path, SITE, "one")
        assert not text_file(tmp_path).exists()


FILE = pytest.mark.index_file("a mode of its file is what counts")


@FILE
def test_a_mirror_that_cannot_be_written_and_has_none_says_how_it_gets_one(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    with unwritable(tmp_path), pytest.raises(ReadOnly, match="run `slugline search` once"):
        found(tmp_path, "alpha")
    assert found(tmp_path, "alpha") == ["one"]


@FILE
def test_a_mirror_that_cannot_be_written_is_searched_as_it_is(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "alpha"))
    read(tmp_path)
    with unwritable(tmp_path, text_file(tmp_path)):
        assert found(tmp_path, "alpha") == ["one"]


@FILE
@pytest.mark.parametrize("folder", [True, False])
def test_what_an_old_text_index_does_not_have_is_counted(tmp_path: Path, folder: bool) -> None:
    stored(tmp_path, told("one", "alpha"))
    read(tmp_path)
    stored(tmp_path, told("two", "alpha", seen=hour(1)), told("three", "alpha", seen=hour(2)))
    said: list[str] = []
    closed = [tmp_path] if folder else []
    with unwritable(*closed, text_file(tmp_path)), Archive.open(tmp_path) as archive:
        hits = search(archive, Question(words="alpha"), said.append)
    assert [hit.slug for hit in hits] == ["one"]
    assert said == [f"{tmp_path} can't be written: its 2 newest changes are not searched"]


@FILE
def test_words_are_not_said_to_be_forgotten_where_they_cannot_be(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "xyzzyplugh"))
    read(tmp_path)
    with unwritable(tmp_path, text_file(tmp_path)), pytest.raises(ReadOnly):
        forget(tmp_path, SITE, "one")
    assert "xyzzyplugh" in vocabulary(text_file(tmp_path))


@FILE
def test_a_broken_text_index_goes_with_what_was_to_be_forgotten(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "xyzzyplugh"))
    read(tmp_path)
    data = text_file(tmp_path).read_bytes()
    text_file(tmp_path).write_bytes(data[:4096] + bytes(len(data) - 4096))
    forget(tmp_path, SITE, "one")
    assert "xyzzyplugh" not in vocabulary(text_file(tmp_path))


@pytest.mark.index_file("PostgreSQL ranks the latest of them")
def test_all_there_is_is_read_however_much(tmp_path: Path) -> None:
    stored(tmp_path, *(told(f"a{n}", "alpha") for n in range(STEP + 1)))
    assert len(found(tmp_path, "alpha", most=2 * STEP)) == STEP + 1
    stored(tmp_path, *(told(f"b{n}", "alpha") for n in range(STEP + 1)))
    with Archive.open(tmp_path) as archive:
        catch_up(archive)
    assert len(found(tmp_path, "alpha", most=3 * STEP)) == 2 * (STEP + 1)
