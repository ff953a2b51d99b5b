"""The crawler: discover, fetch, assemble, hand over to the store.

``from crawler import MirrorRequest, mirror`` is a run from Python, and so is ``from crawler import
sync`` with a config.toml; they load on first use, so that ``slugline --help`` does not wait for the
network's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.conductor import mirror
    from crawler.request import MirrorRequest
    from crawler.syncing import sync

__all__ = ["MirrorRequest", "mirror", "sync"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from crawler import syncing  # noqa: PLC0415  - on first use, see above

        return getattr(syncing, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
