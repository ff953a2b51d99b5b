"""Which database an index is in, and what is said where its client is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from storage import layout
from storage.errors import MissingExtra
from storage.index.opening import is_there, places_of, to_read

DATABASE = "postgresql://db.example/news?schema=news"


def test_a_folder_that_is_no_mirror_yet_has_all_in_it(tmp_path: Path) -> None:
    assert places_of(tmp_path).local
    assert not is_there(tmp_path)


def test_without_the_extra_a_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout.make(tmp_path, index=DATABASE)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    for name in [name for name in sys.modules if name.startswith("storage.index.postgres")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingExtra, match=r"psycopg: pip install 'slugline\[cluster\]'"):
        to_read(places_of(tmp_path))


def test_a_mirror_in_a_folder_needs_no_client_of_a_database() -> None:
    loaded = "import sys, storage.archive, storage.store, storage.search.filling as f;"
    asked = (
        "print({'psycopg', 'sqlalchemy', 'alembic', 'tenacity', 'obstore'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", loaded + asked], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
