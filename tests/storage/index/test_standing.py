"""What the next commit is numbered by, and which bodies it may refer to."""

from __future__ import annotations

from pathlib import Path

from storage.index.index import Index
from storage.index.rows import to_micros
from storage.index.standing import (
    Standing,
    ends_of,
    file_names,
    held_paths,
    known_segments,
    standings,
)
from storage.model import Draft
from tests.storage.drafts import SEEN, SITE, UPDATED, article, event, hour, segments_of, stored

STORY = (SITE, "story")


def standing(root: Path, *drafts: Draft) -> dict[tuple[str, str], Standing]:
    index = Index.to_read(root)
    try:
        return standings(index, drafts)
    finally:
        index.close()


def test_an_article_that_nobody_knows_begins_at_nothing(tmp_path: Path) -> None:
    stored(tmp_path, article())
    unknown = (SITE, "unknown")
    assert standing(tmp_path, article("unknown")) == {unknown: Standing()}


def test_events_count_in_the_sequence_and_not_in_the_revisions(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("gone-seen"))
    found = standing(tmp_path, article())[STORY]
    assert found.sequence == 2
    assert found.keys == {to_micros(UPDATED): 1}


def test_revisions_are_counted_by_the_key_asked_for(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition=" b", reason="silent-edit"))
    stored(tmp_path, article(edition=" c", updated=hour(9), reason="edit"))
    assert standing(tmp_path, article())[STORY].keys == {to_micros(UPDATED): 2}
    assert standing(tmp_path, article(updated=hour(9)))[STORY].keys == {to_micros(hour(9)): 1}
    assert standing(tmp_path, article(updated=hour(10)))[STORY].keys == {}


def test_only_responses_of_the_same_bytes_may_be_referred_to(tmp_path: Path) -> None:
    first, second = stored(
        tmp_path,
        article(formats=("html",)),
        article(formats=("html",), seen=hour(1), not_modified=("html",), reason="edit"),
    )
    (third,) = stored(tmp_path, article(formats=("html",), edition=" b", reason="edit"))
    assert second.representations[0].target_id == first.representations[0].record_id
    for draft, manifest in (
        (article(formats=("html",)), first),
        (article(formats=("html",), edition=" b"), third),
    ):
        (one,) = standing(tmp_path, draft)[STORY].responses
        assert one.record_id == manifest.representations[0].record_id
        assert one.digest == manifest.representations[0].digest
        assert one.fetched_at == SEEN


def test_a_304_of_bytes_that_were_not_kept_may_refer_to_the_newest_response(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",)))
    (newer,) = stored(tmp_path, article(formats=("html",), edition=" b", reason="edit"))
    stored(tmp_path, article(formats=("html",), edition=" b", seen=hour(2), reason="edit"))
    draft = article(formats=("html",), edition=" never stored", not_modified=("html",))
    (one,) = standing(tmp_path, draft)[STORY].responses
    assert one.record_id == newer.representations[0].record_id


def test_a_file_name_that_was_given_stays_with_its_url_and_format(tmp_path: Path) -> None:
    stored(tmp_path, article())
    url = f"https://{SITE}/news/story"
    names = {
        (url, "html"): f"{SITE}/news/story.html",
        (f"{url}.md", "markdown"): f"{SITE}/news/story.md",
    }
    index = Index.to_read(tmp_path)
    assert file_names(index, [*names, ("https://other.example/", "html")]) == names
    index.close()


def test_paths_in_use_are_found_folded_with_the_folders_above_them(tmp_path: Path) -> None:
    stored(tmp_path, article("Story"))
    index = Index.to_read(tmp_path)
    asked = [SITE, f"{SITE}/news", f"{SITE}/news/story.html", f"{SITE}/news/other.html"]
    assert held_paths(index, asked) == {
        SITE: True,
        f"{SITE}/news": True,
        f"{SITE}/news/story.html": False,
    }
    index.close()


def test_articles_of_one_slug_on_two_sites_stand_apart(tmp_path: Path) -> None:
    other = ("other.example", "story")
    stored(tmp_path, article(), article(site=other[0]), article(site=other[0], edition=" b"))
    found = standing(tmp_path, article(), article(site=other[0]))
    assert {name: one.sequence for name, one in found.items()} == {STORY: 1, other: 2}


def test_a_large_batch_is_answered_whole(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{number}", formats=()) for number in range(1100)), files=False)
    names = [(SITE, f"a{number}") for number in range(1200)]
    found = standing(tmp_path, *(article(slug, formats=()) for _, slug in names))
    assert [found[name].sequence for name in names] == [1] * 1100 + [0] * 100


def test_segments_are_known_with_the_length_that_is_committed(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("gone"))
    (path,) = segments_of(tmp_path)
    index = Index.to_read(tmp_path)
    name = f"{SITE}/{path.name}"
    assert known_segments(index) == {name: len(path.read_bytes())}
    (first, start, length), (last, end, rest) = ends_of(index, name)
    assert first != last
    assert start + length == end
    assert end + rest == len(path.read_bytes())
    assert ends_of(index, "none.warc.gz") == []
    index.close()
