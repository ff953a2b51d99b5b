"""What the catalogue is asked: lists by date and by value, counts by day."""

from __future__ import annotations

from pathlib import Path

from msgspec import structs

from storage.index.rows import to_micros
from storage.model import Finding
from storage.web.catalogue import Wanted
from storage.web.cataloguing import STEP
from tests.storage.drafts import SITE, UPDATED, article, hour, stored
from tests.storage.web.catalogues import filled, slugs, told


def test_articles_are_listed_by_what_their_record_says(tmp_path: Path) -> None:
    stored(
        tmp_path / "m",
        told("rails", lang="en", topics=("Rail", "Roads"), entities=("Council",)),
        told("roads", lang="de", topics=("Roads",), canonical_source="https://orig.example/"),
        article("odd", findings=(Finding(kind="date-only"),)),
    )
    filling = filled(tmp_path / "m", tmp_path / "c")
    assert slugs(filling) == ["rails", "roads", "odd"][::-1] or len(slugs(filling)) == 3
    assert slugs(filling, topic="Rail") == ["rails"]
    assert sorted(slugs(filling, topic="Roads")) == ["rails", "roads"]
    assert slugs(filling, topic="Roads", language="de") == ["roads"]
    assert slugs(filling, topic="Rail", language="de") == []
    assert slugs(filling, finding="date-only") == ["odd"]
    assert filling.commonest(SITE, "topic", 9) == [("Roads", 2), ("Rail", 1)]
    assert filling.of_original("https://orig.example/", 9) == [(SITE, "roads")]
    assert filling.titled(["on", "ra"], SITE, 9) == [(SITE, "rails")]
    assert filling.titled(['"', "rails"], None, 9) == [(SITE, "rails")]
    wanted = Wanted(site=SITE, values={"topic": "Roads"})
    assert filling.among(wanted, [(SITE, "rails"), (SITE, "odd"), (SITE, "none")]) == {
        (SITE, "rails")
    }
    filling.close()


def test_lists_go_by_the_articles_own_date_and_can_be_cut_and_gone_on_with(tmp_path: Path) -> None:
    keys = {f"s{n}": hour(-n) for n in range(STEP + 9)}
    drafts = []
    for slug, at in keys.items():
        draft = article(slug)
        assert draft.manifest.key is not None
        key = structs.replace(draft.manifest.key, updated_at=at)
        drafts.append(structs.replace(draft, manifest=structs.replace(draft.manifest, key=key)))
    stored(tmp_path / "m", *drafts)
    filling = filled(tmp_path / "m", tmp_path / "c")
    wanted = Wanted(site=SITE)
    first = filling.page(wanted, 5)
    assert [one.slug for one in first] == ["s0", "s1", "s2", "s3", "s4"]
    assert [one.slug for one in filling.page(wanted, 2, first[-1].mark)] == ["s5", "s6"]
    cut = Wanted(site=SITE, since=to_micros(hour(-3)), until=to_micros(hour(-2)))
    assert [one.slug for one in filling.page(cut, 9)] == ["s2", "s3"]
    assert filling.among(cut, [(SITE, "s1"), (SITE, "s2")]) == {(SITE, "s2")}
    filling.close()


def test_days_count_articles_edits_and_bytes(tmp_path: Path) -> None:
    stored(
        tmp_path / "m",
        article("a"),
        article("b", seen=hour(30)),
        article("a", edition="1", reason="edit", seen=hour(24)),
        article("a", edition="2", reason="silent-edit", seen=hour(25), state="partial"),
    )
    filling = filled(tmp_path / "m", tmp_path / "c")
    days = filling.days(SITE, 0)
    day = to_micros(UPDATED) // 86_400_000_000
    assert days["articles"] == {day: 2}
    assert days["edits"] == {day + 2: 2}
    assert days["silent"] == days["partial"] == {day + 2: 1}
    assert set(days["bytes"]) == {day + 1, day + 2}
    assert filling.last_day(SITE) == day + 2
    filling.close()
