"""What the index holds of a URL, a format and the file under files/ that they were given. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from storage.files import file_name, folded, folders_above, is_file_name
from storage.index.packing import mark_of

#: Stands for the file that files.file_name gives to a URL and format: nearly every one.
AS_ITS_URL = "="
#: Characters of a URL, format and file that are remembered together: a history names them over and
#: over.
_COMMON = 400

#: Rows of the table ``files``, each once.
Folders: TypeAlias = dict[tuple[Any, ...], None]
#: A URL's mark, what stands for the file, the file's own mark (None: it is no name that may be
#: used), and the rows of the folders above it.
Known: TypeAlias = tuple[int, str, int | None, Folders]


def file_of(row: Mapping[Any, Any]) -> str:
    """Return the name under files/ of a row with its URL, format and file. Raises ValueError."""
    if row["file"] != AS_ITS_URL:
        return str(row["file"])
    return file_name(str(row["url"]), str(row["format"]))


def known(url: str, name: str, file: str) -> Known:
    """Return what follows from a URL, a format and a file alone."""
    if len(url) + len(name) + len(file) <= _COMMON:
        return _common_names(url, name, file)
    return _names_of(url, name, file)


def _names_of(url: str, name: str, file: str) -> Known:
    try:
        own = bool(file) and file == file_name(url, name)
    except ValueError:
        own = False  # another make's, of a URL that ours can't be
    short = AS_ITS_URL if own else file
    if not own and not is_file_name(file):
        return mark_of(url), short, None, {}
    path = folded(file)
    return mark_of(url), short, mark_of(path), _folders(path.rpartition("/")[0])


@lru_cache(maxsize=256)  # files of one folder stand together
def _folders(folder: str) -> Folders:
    return dict.fromkeys((mark_of(path), True) for path in (*folders_above(folder), folder))


_common_names = lru_cache(maxsize=8_192)(_names_of)
