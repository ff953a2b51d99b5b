"""The archive of every edition in every format: reading needs nothing but this package.

``from storage import Archive`` is the one door. It is opened on first use, so that a command
that reads no mirror does not wait for the database's code to load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.archive import Archive

__all__ = ["Archive"]


def __getattr__(name: str) -> object:
    if name == "Archive":
        from storage.archive import Archive  # noqa: PLC0415  - on first use, see above

        return Archive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
