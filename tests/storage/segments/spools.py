"""What is safe in a mirror's spool and not seen yet, made and looked at."""

from __future__ import annotations

import shutil
from pathlib import Path

from storage.archive import Archive
from storage.model import Draft
from storage.notes import Notes
from storage.store import Store
from tests.storage.drafts import (
    SEEN,
    article,
    keep,
    open_store,
)


def slugs(root: Path) -> list[str]:
    with Archive.open(root) as archive:
        return [row.slug for row in archive.all_history()]


def spooled(root: Path) -> list[str]:
    return [path.name for path in (root / "spool").glob("*/*.warc.gz")]


def safe(root: Path, *slugs: str) -> Store:
    """Return a store that has stored articles, none of them published."""
    store = open_store(root, files=False)
    for slug in slugs:
        store.commit([article(slug)], Notes(at=SEEN))
    return store


def abandoned(store: Store) -> None:
    """Leave a store as a killed process does: nothing is published."""
    store._index.close()  # noqa: SLF001  - what the system does for the dead
    store._lock.release()  # noqa: SLF001


def noted(root: Path) -> tuple[str, ...]:
    store = open_store(root, files=False)
    store.close()
    return store.notes


def kept(root: Path, *names: str) -> Path:
    before = root.parent / f"{root.name}-before"
    for name in names:
        if (root / name).is_dir():
            shutil.copytree(root / name, before / name)
        else:
            before.mkdir(exist_ok=True)
            for path in root.glob(f"{name}*"):
                shutil.copy(path, before / path.name)
    return before


def bring_back(root: Path, before: Path) -> None:
    for path in before.iterdir():
        for old in root.glob(f"{path.name}*"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.copytree(before, root, dirs_exist_ok=True)


def orphaned(root: Path, *drafts: Draft) -> None:
    """Put an object as a writer does that dies before it is indexed, and its disk with it."""
    store = open_store(root, files=False)
    store.commit(drafts, Notes(at=SEEN))
    store._appender.seal()  # type: ignore[union-attr]  # noqa: SLF001  - what publishing begins with
    waiting = store._publisher._gathering.pending  # noqa: SLF001
    store._segments.publish(waiting.segments())  # noqa: SLF001
    abandoned(store)
    shutil.rmtree(root / "spool")


def keep_two(root: Path) -> None:
    store = open_store(root)
    keep(store, article("c"))
    store.close()
    assert slugs(root) == ["a", "b", "c"]
