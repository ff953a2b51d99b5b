"""The full-text index in PostgreSQL: several that fill it, and whatever is typed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import layout
from storage.archive import Archive
from storage.search.filling import Filler
from storage.search.fulltext import Question
from storage.search.opening import opened, search
from storage.upkeep.forget import forget
from tests.storage.drafts import SEEN, SITE, hour, stored
from tests.storage.texts import found, told


@pytest.fixture
def root(tmp_path: Path, database: str) -> Path:
    layout.make(tmp_path, index=f"{database}&schema=news")
    return tmp_path


@pytest.fixture
def texts(root: Path) -> Iterator[Filler]:
    stored(root, told("one", "alpha beta"))
    with Archive.open(root) as archive:
        search(archive, Question(words="alpha"))
    with opened(root) as index:
        yield index


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(), site=st.text(max_size=5))
def test_nothing_that_is_typed_is_an_error(texts: Filler, words: str, site: str) -> None:
    texts.search(Question(words=words))
    texts.search(Question(words=f"{words} alpha", site=site, topic=words, since=SEEN))


def test_several_fill_it_at_once(root: Path) -> None:
    stored(root, *(told(f"a{n}", f"word{n} alpha") for n in range(30)))
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(found, root, "alpha", most=50) for _ in range(4)]:
            assert len(done.result()) == 30


def test_a_long_text_is_no_error(root: Path) -> None:
    body = " ".join(f"word{n}" for n in range(200_000))
    stored(root, told("long", body), told("cjk", "新聞記者" * 100_000, seen=hour(1)))
    assert found(root, "word7") == ["long"]
    assert found(root, "記者") == ["cjk"]


def test_what_is_forgotten_is_nowhere_in_it(root: Path) -> None:
    stored(root, told("one", "alpha"), told("two", "alpha beta"))
    assert found(root, "beta") == ["two"]
    forget(root, "two", reason="asked for", now=hour(2), site=SITE)
    assert found(root, "alpha") == ["one"]
    assert found(root, "beta") == []
