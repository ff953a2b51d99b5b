"""The catalogue, filled from the index: who is in which list, and what is new since."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from storage.archive import Archive
from storage.index.reader import Reader
from storage.model import EntryState
from storage.notes import Notes
from storage.web.catalogue import Catalogue
from storage.web.cataloguing import CatalogueFiller
from tests.storage.drafts import SEEN, SITE, article, event, hour, open_store, stored
from tests.storage.indexes import change
from tests.storage.web.catalogues import filled, follow, slugs, told


def test_what_changes_later_is_followed(tmp_path: Path) -> None:
    root = tmp_path / "m"
    stored(root, told("rails", topics=("Rail",)))
    filling = filled(root, tmp_path / "c")
    stored(root, structs.replace(told("rails", topics=("Roads",))), event("gone", "rails"))
    follow(filling, root)
    assert slugs(filling, topic="Rail") == []
    assert slugs(filling, topic="Roads", state="gone") == ["rails"]
    assert filling.count(SITE) == 1
    stored(root, event("returned", "rails", seen=hour(2)))
    follow(filling, root)
    assert slugs(filling, state="gone") == []
    filling.close()


def test_rows_taken_out_of_the_index_are_noticed(tmp_path: Path) -> None:
    stored(tmp_path / "m", article("a"), article("b"))
    filling = filled(tmp_path / "m", tmp_path / "c")
    with Archive.open(tmp_path / "m") as archive:
        assert filling.fits(archive.index)
    change(tmp_path / "m", "DELETE FROM snapshots WHERE slug = 'b'")
    with Archive.open(tmp_path / "m") as archive:
        assert not filling.fits(archive.index)
    filling.close()


def test_what_is_private_is_catalogued_only_when_asked_for(tmp_path: Path) -> None:
    stored(tmp_path / "m", article("a", private=True), article("b"))
    for private, found in ((False, ["b"]), (True, ["a", "b"])):
        filling = filled(tmp_path / "m", tmp_path / f"c{private}", private=private)
        assert sorted(slugs(filling)) == found
        filling.close()


def test_failures_are_counted_by_the_day_they_were_tried(tmp_path: Path) -> None:
    store = open_store(tmp_path / "m")
    entry = EntryState(
        site=SITE, url="https://news.example/x", verdict="failed", checked_at=SEEN, run="r"
    )
    store.commit([article()], Notes(at=SEEN, entries=(entry,)))
    store.close()
    filling = filled(tmp_path / "m", tmp_path / "c")
    with Archive.open(tmp_path / "m") as archive:
        filling.count_failures(archive.index)
        filling.count_failures(archive.index)
    assert list(filling.days(SITE, 0)["failures"].values()) == [1]
    filling.close()
    read = Catalogue.at(tmp_path / "c")
    assert read.count(SITE) == 1
    read.close()


class Overtaken(CatalogueFiller):
    """A filler that another process overtakes between its look at the index and its step."""

    other: CatalogueFiller
    root: Path

    def _behind(self, index: Reader) -> bool:
        behind = super()._behind(index)
        follow(self.other, self.root)
        return behind


def test_what_another_process_filled_meanwhile_is_filled_once(tmp_path: Path) -> None:
    root = tmp_path / "m"
    stored(root, article("rails"))
    filling = Overtaken.open(tmp_path / "c")
    filling.other, filling.root = CatalogueFiller.open(tmp_path / "c"), root
    follow(filling, root)
    assert (slugs(filling), filling.count(SITE)) == (["rails"], 1)
    filling.other.close()
    filling.close()
