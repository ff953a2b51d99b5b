"""Export files: the same tree anywhere, and the mirror's own brought up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from storage.archive import Archive
from storage.errors import LockHeld
from storage.export.choosing import Chosen
from storage.export.files import export_files
from storage.model import Draft
from storage.reindex import reindex
from tests.storage.drafts import SEEN, article, hour, open_store, stored, tree, words


def test_a_rebuild_gives_the_tree_that_the_runs_gave(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, article("a", formats=("html", "text")), article("b", coding="gzip"))
    stored(root, article("a", edition=" 2", seen=hour(1)))
    with Archive.open(root) as archive:
        done = export_files(archive, tmp_path / "out" / "files", SEEN)
    assert tree(tmp_path / "out") == tree(root)
    assert done.files == len(tree(root)) == 5
    for path in (root / "files").rglob("*.*"):
        other = tmp_path / "out" / "files" / path.relative_to(root / "files")
        if path.is_file():
            assert other.stat().st_mtime_ns == path.stat().st_mtime_ns
    assert not list((tmp_path / "out").rglob("*part*"))


def test_at_gives_the_tree_as_it_was(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition=" 2", seen=hour(2)), files=False)
    with Archive.open(tmp_path) as archive:
        export_files(archive, tmp_path / "out" / "files", SEEN, Chosen(at=hour(1)))
    assert tree(tmp_path / "out")["news.example/news/story.html"] == words("story", "html", "")


def test_private_snapshots_stay_at_home(tmp_path: Path) -> None:
    stored(tmp_path, article("open"), article("closed", private=True))
    with Archive.open(tmp_path) as archive:
        export_files(archive, tmp_path / "out" / "files", SEEN)
    assert list(tree(tmp_path / "out")) == [
        "news.example/news/open.html",
        "news.example/news/open.md",
    ]


def test_the_mirrors_own_tree_is_mended_under_the_lock(tmp_path: Path) -> None:
    stored(tmp_path, article(), files=True)
    page = tmp_path / "files" / "news.example" / "news" / "story.html"
    page.write_bytes(b"scribbled over")
    (tmp_path / "files" / "news.example" / "news" / "story.md").unlink()
    with Archive.open(tmp_path) as archive:
        export_files(archive, tmp_path / "files", SEEN)
        assert page.read_bytes() == words("story", "html", "")
        assert len(tree(tmp_path)) == 2
        store = open_store(tmp_path)
        with pytest.raises(LockHeld):
            export_files(archive, tmp_path / "files", SEEN)
        store.close()


def at_url(draft: Draft, url: str) -> Draft:
    shown = tuple(structs.replace(r, url=url) for r in draft.manifest.representations)
    return structs.replace(
        draft, manifest=structs.replace(draft.manifest, url=url, representations=shown)
    )


def test_a_url_that_another_article_took_over_has_the_bytes_fetched_last(tmp_path: Path) -> None:
    mirror, out = tmp_path / "mirror", tmp_path / "out"
    old, new = "https://news.example/a", "https://news.example/b"
    stored(
        mirror,
        at_url(article("zebra", formats=("html",)), old),
        at_url(article("zebra", edition=" 2", seen=hour(1), formats=("html",)), new),
        at_url(article("apple", seen=hour(2), formats=("html",)), old),
    )
    wanted = {
        "news.example/a.html": words("apple", "html", ""),
        "news.example/b.html": words("zebra", "html", " 2"),
    }
    assert tree(mirror) == wanted
    with Archive.open(mirror) as archive:
        done = export_files(archive, out / "files", SEEN)
        assert done.files == 2
        assert tree(out) == wanted
        export_files(archive, out / "files", SEEN, Chosen(at=hour(1)))
        assert tree(out)["news.example/a.html"] == words("zebra", "html", "")
    reindex(mirror, SEEN)
    for file in (mirror / "files").rglob("*.html"):
        file.unlink()
    stored(mirror)
    assert tree(mirror) == wanted
