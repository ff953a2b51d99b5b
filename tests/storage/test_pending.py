"""What is safe and not visible yet: the next batch builds on it, and all becomes one."""

from __future__ import annotations

from storage.files import Names
from storage.groups import Builder, Group
from storage.index.index import Batch
from storage.index.standing import Standing
from storage.model import Draft
from storage.pending import Pending
from tests.storage.drafts import SITE, article, hour

ONE = (SITE, "story")


def built(pending: Pending, draft: Draft) -> Group:
    """Build on what is pending, and have the group wait there."""
    known = pending.standings({(draft.manifest.site, draft.manifest.slug): Standing()})
    wanted = {(one.url, one.format) for one in draft.manifest.representations}
    names = Names(held=pending.held)
    group = Builder(known, names, pending.files(wanted)).build(draft)
    pending.add(Batch(segments={f"{SITE}/1.warc.gz": (SITE, len(group.blob))}), [group])
    return group


def test_numbers_and_revisits_go_on_behind_it() -> None:
    pending = Pending(1 << 20)
    first = built(pending, article())
    second = built(pending, article(edition=" 2", seen=hour(1), reason="silent-edit"))
    third = built(pending, article(seen=hour(2), reason="reverted"))
    numbers = [(group.manifest.sequence, group.manifest.revision) for group in (first, second)]
    assert numbers == [(1, 0), (2, 1)]
    assert (third.manifest.sequence, third.manifest.revision) == (3, 2)
    assert {ref.type for ref in third.manifest.records} == {"revisit"}
    files = [[one.file for one in group.manifest.representations] for group in (first, third)]
    assert files[0] == files[1]


def test_a_name_that_waits_is_taken() -> None:
    pending = Pending(1 << 20)
    small, large = built(pending, article("story")), built(pending, article("STORY"))
    names = [one.file.lower() for group in (small, large) for one in group.manifest.representations]
    assert len(set(names)) == len(names)
    assert pending.held(["news.example", "nowhere"]) == {"news.example": True}


def test_of_articles_that_do_not_wait_it_knows_nothing() -> None:
    pending = Pending(1 << 20)
    built(pending, article("other"))
    stored = {ONE: Standing(sequence=7)}
    assert pending.standings(stored) == stored
    assert pending.files({("https://nowhere/", "html")}) == {}


def test_batches_are_one_with_each_segments_last_end() -> None:
    pending = Pending(1 << 20)
    assert not pending
    name = f"{SITE}/1.warc.gz"
    pending.add(Batch(segments={name: (SITE, 10)}, memory=({"key": "a"},)), [])
    pending.add(Batch(segments={name: (SITE, 20)}, memory=({"key": "b"},)), [])
    assert pending
    assert pending.segments() == [name]
    whole = pending.batch()
    assert whole.segments == {name: (SITE, 20)}
    assert whole.memory == ({"key": "a"}, {"key": "b"})


def test_bodies_are_kept_up_to_a_bound() -> None:
    pending = Pending(1)
    assert len(built(pending, article()).bodies) == len(pending.bodies) == 2
    built(pending, article("other"))
    assert len(pending.bodies) == 2
