"""Searching: what is found, in which order, narrowed down by what, and with what around it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import layout
from storage.archive import Archive
from storage.errors import ReadOnly, StoreFailed, TextIndexUnusable
from storage.model import Finding
from storage.search.filling import FulltextFiller
from storage.search.fulltext import MOST_RANKED, Fulltext, Question
from storage.search.opening import opened, search
from tests.storage.drafts import SEEN, SITE, UPDATED, event, hour, stored
from tests.storage.texts import found, text_file, told


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("texts")
    stored(
        root,
        told("solar", "Panels on every roof.", said={"title": "Rails and rain", "lang": "en-GB"}),
        told("rails", "New rails for the north. " + "Other words. " * 40, seen=hour(1)),
        told(
            "accents", "Crème brûlée in Łódź; naïve Ærø. Ёлка. हिन्दी 新聞記者 한국어를",
            said={"topics": ("Food", "Cities & towns"), "entities": ("Zoë Müller",), "lang": "fr"},
            findings=(Finding(kind="date-only"),), updated=UPDATED - timedelta(days=3),
        ),
        told("other", "Panels again.", site="other.example", seen=hour(2)),
        told("original", "Panels elsewhere.", site="origin.example", implicit=True),
    )  # fmt: skip
    return root


def test_every_word_must_be_there(root: Path) -> None:
    assert found(root, "panels roof") == ["solar"]
    assert found(root, "panels north") == []
    assert found(root, "PANELS -roof") == ["other"]


def test_a_title_counts_more_than_the_text(root: Path) -> None:
    assert found(root, "rails") == ["solar", "rails"]


@pytest.mark.parametrize(
    "words",
    ["creme brulee", "NAIVE", "crème", "zoe muller", "food", "Łódź", "新聞", "記者", "हिन्दी",
     "한국어", "accents", "ёлка", '"cities & towns"', "cre*", '"in Łód"*'],
)  # fmt: skip
def test_accents_beginnings_and_other_scripts(root: Path, words: str) -> None:
    assert found(root, words) == ["accents"]


def test_a_phrase_is_in_that_order(root: Path) -> None:
    assert found(root, '"every roof"') == ["solar"]
    assert found(root, '"roof every"') == []


@pytest.mark.parametrize(
    ("narrowed", "slugs"),
    [
        ({"site": SITE}, ["solar"]),
        ({"site": "other.example"}, ["other"]),
        ({"canonicals": True}, ["original", "other", "solar"]),
        ({"language": "en"}, ["solar"]),
        ({"language": "en-gb"}, ["solar"]),
        ({"language": "de"}, []),
        ({"topic": "food"}, []),
        ({"since": hour(2)}, ["other"]),
        ({"until": SEEN}, ["solar"]),
        ({"most": 0}, []),
    ],
)
def test_a_search_is_narrowed_down(
    root: Path, narrowed: dict[str, object], slugs: list[str]
) -> None:
    assert sorted(found(root, "panels", **narrowed)) == slugs


def test_topic_entity_finding_and_the_articles_own_date_narrow_down_too(root: Path) -> None:
    assert found(root, "in", topic="CITIES & towns", entity="zoë müller", finding="date-only")
    assert found(root, "in", entity="zoe") == []
    assert found(root, "the*", by="updated", until=UPDATED - timedelta(days=1)) == ["accents"]


def test_a_hit_says_where_its_words_stand(root: Path) -> None:
    with Archive.open(root) as archive:
        (hit,) = search(archive, Question(words="roof"))
        (by_title,) = search(archive, Question(words="rain"))
        assert search(archive, Question(words="of every roof", most=5)) == ()
    assert hit.snippet == (("Panels on every ", False), ("roof", True), (".", False))
    assert by_title.snippet == (("Panels on every roof.", False),)
    assert (hit.site, hit.slug, hit.sequence, hit.updated_at) == (SITE, "solar", 1, UPDATED)


def test_the_summary_is_shown_where_the_words_are_in_it(tmp_path: Path) -> None:
    stored(tmp_path, told("one", "Text.", said={"summary": "In short."}))
    with Archive.open(tmp_path) as archive:
        (hit,) = search(archive, Question(words="short"))
        (other,) = search(archive, Question(words="text"))
    assert hit.snippet == (("In ", False), ("short", True), (".", False))
    assert other.snippet == (("Text", True), (".", False))


def test_of_what_many_have_the_titles_are_looked_through(tmp_path: Path) -> None:
    plain = [told(f"n{n}", "word", said={"title": "None"}) for n in range(MOST_RANKED)]
    stored(tmp_path, told("oldest", "word", said={"title": "Word"}), *plain)
    last = [f"n{MOST_RANKED - n}" for n in range(1, 4)]
    assert found(tmp_path, "word", most=4) == ["oldest", *last]


word = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(word, min_size=1, max_size=12), after=st.sampled_from(" ,.-\n_()…"))
def test_whatever_word_is_in_a_text_finds_it(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], after: str
) -> None:
    root = tmp_path_factory.mktemp("any")
    stored(root, told("it", after.join(words)), files=False)
    with Archive.open(root) as archive:
        for one in words:
            hits = search(archive, Question(words=f'"{one}"'))
            assert [hit.slug for hit in hits] == ["it"], one


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.index_file("FTS5's syntax; PostgreSQL's is test_postgres.py's")
@given(words=st.text(), site=st.text(max_size=5))
def test_nothing_that_is_typed_is_an_error(root: Path, words: str, site: str) -> None:
    with Fulltext.to_read(_made(root)) as index:
        index.search(Question(words=words))
        index.search(Question(words=f"panels {words}", site=site, topic=words))


def _made(root: Path) -> Path:
    if not text_file(root).exists():
        found(root, "any")
    return text_file(root)


def test_what_is_no_text_index_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / layout.FULLTEXT
    with pytest.raises(TextIndexUnusable, match="slugline search"):
        Fulltext.to_read(path)
    path.write_bytes(b"no database" * 100)
    with pytest.raises(TextIndexUnusable, match="it is broken"):
        Fulltext.to_read(path)


def test_a_text_index_with_more_than_our_tables_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / layout.FULLTEXT
    index = FulltextFiller.open(path)
    with index._transaction("trying") as connection:  # noqa: SLF001  - a stranger's file
        connection.execute("CREATE VIEW more AS SELECT 1")
    index.close()
    with pytest.raises(TextIndexUnusable, match="another slugline"):
        Fulltext.to_read(path)


def test_the_databases_errors_say_whose_fault_it_is(tmp_path: Path) -> None:
    with pytest.raises(ReadOnly, match="may not write"):
        FulltextFiller.open(tmp_path / "no-folder" / layout.FULLTEXT)
    path = tmp_path / layout.FULLTEXT
    with (
        FulltextFiller.open(path) as one,
        one._transaction("writing"),  # noqa: SLF001  - another process at work
        FulltextFiller.open(path) as other,
    ):
        other._connection.execute("PRAGMA busy_timeout = 0")  # noqa: SLF001  - no wait in a test
        with pytest.raises(StoreFailed, match="locked"), other._transaction("writing"):  # noqa: SLF001  - as above
            pass


def test_it_says_how_many_have_the_words_where_they_can_be_counted(tmp_path: Path) -> None:
    several = (told(f"n{n}", "some word" if n < 3 else "word") for n in range(MOST_RANKED + 1))
    stored(tmp_path, *several)
    assert found(tmp_path, "word")  # all is read
    with opened(tmp_path) as index:
        some = index.search(Question(words="some", most=2))
        many = index.search(Question(words="word", most=2))
        none = index.search(Question(words="nowhere"))
    assert (len(some.hits), some.number) == (2, 3)
    assert (len(many.hits), many.number) == (2, None)
    assert (none.hits, none.number) == ((), 0)


@pytest.mark.index_file("PostgreSQL ranks the latest of them")
def test_of_what_many_have_what_stands_for_the_article_comes_before_its_text(
    tmp_path: Path,
) -> None:
    stored(
        tmp_path,
        *(told(f"n{n}", "word") for n in range(MOST_RANKED)),
        told("summed", "text", said={"summary": "A word."}),
        told("titled", "text", said={"title": "Word"}),
        told("topical", "word", said={"topics": ("Word",)}),
        told("plain", "word"),
        told("newest", "word"),
        told("out", "word unwanted", said={"title": "Word"}),
    )
    assert found(tmp_path, "word -unwanted", most=9)[0] == "titled"
    assert set(found(tmp_path, "word -unwanted", most=3)[1:]) == {"topical", "summed"}
    assert found(tmp_path, "word -unwanted", most=9)[3:5] == ["newest", "plain"]


def test_those_that_are_gone_are_told_from_those_that_are_there(tmp_path: Path) -> None:
    stored(
        tmp_path, told("here", "panels"), told("lost", "panels"), told("back", "panels"),
        event("gone", "lost", seen=hour(1)), event("gone", "back", seen=hour(1)),
    )  # fmt: skip
    assert found(tmp_path, "panels", gone=False) == ["here"]
    assert sorted(found(tmp_path, "panels", gone=True)) == ["back", "lost"]
    stored(tmp_path, event("returned", "back", seen=hour(2)), now=hour(2))
    assert sorted(found(tmp_path, "panels", gone=False)) == ["back", "here"]
    assert found(tmp_path, "panels", gone=True) == ["lost"]
    assert len(found(tmp_path, "panels")) == 3
