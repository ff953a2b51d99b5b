"""Mirrors whose index is in PostgreSQL: made, written and counted, by several at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from storage import layout
from storage.files import Names
from storage.groups import Builder
from storage.index.deriving import Rows, rows_of
from storage.index.index import Batch, Index
from storage.index.reader import Reader
from storage.index.rows import Place
from storage.index.standing import standings
from storage.model import Draft
from tests.storage.drafts import article

SEGMENT = "{site}/s-1.warc.gz"


def mirror(root: Path, url: str, **more: object) -> Path:
    """Make a mirror with its index in the schema ``news`` of a database."""
    asked = "&".join(f"{name}={value}" for name, value in {"schema": "news", **more}.items())
    layout.make(root, index=f"{url}{'&' if '?' in url else '?'}{asked}")
    return root


def numbered(index: Index, drafts: Sequence[Draft]) -> tuple[Rows, ...]:
    """Return the rows of drafts, numbered as the index then stands."""
    builder = Builder(standings(index, drafts), Names())
    made = []
    for draft in drafts:
        group = builder.build(draft)
        segment = SEGMENT.format(site=draft.manifest.site)
        place = Place(id=group.id, segment=segment, offset=0, length=len(group.blob))
        made.append(rows_of(group.manifest, place))
    return tuple(made)


def write(root: Path, sites: Sequence[str], times: int, name: str) -> None:
    index = Index.to_write(root)
    for number in range(times):
        drafts = [article(site=site, edition=f" {name} {number}") for site in sites]
        with index.holding(sites):
            index.apply(Batch(rows=numbered(index, drafts)))
    index.close()


def sequences(root: Path) -> dict[str, list[int]]:
    index = Reader.to_read(root)
    found: dict[str, list[int]] = {}
    for row in index.ask("SELECT site, sequence FROM snapshots ORDER BY n"):
        found.setdefault(row["site"], []).append(row["sequence"])
    index.close()
    return found


def at_once(*work: Callable[[], object]) -> None:
    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(each) for each in work]:
            done.result()
