"""Catalogues of small mirrors: filled, and asked for slugs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs

from storage.archive import Archive
from storage.model import Draft, Record
from storage.web.catalogue import Catalogue, Wanted
from storage.web.cataloguing import CatalogueFiller
from tests.storage.drafts import SITE, article


def told(slug: str, **facts: Any) -> Draft:
    draft = article(slug)
    record = Record(slug=slug, url=draft.manifest.url, title=f"On {slug}", **facts)
    return structs.replace(draft, manifest=structs.replace(draft.manifest, record=record))


def filled(root: Path, at: Path, *, private: bool = False) -> CatalogueFiller:
    filling = CatalogueFiller.open(at)
    follow(filling, root, private=private)
    return filling


def follow(filling: CatalogueFiller, root: Path, *, private: bool = False) -> None:
    with Archive.open(root) as archive:
        while filling.step(archive, private=private):
            pass


def slugs(catalogue: Catalogue, **values: str) -> list[str]:
    return [one.slug for one in catalogue.page(Wanted(site=SITE, values=values), 99)]
