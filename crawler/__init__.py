"""The crawler: discover, fetch, assemble, hand over to the store.

``from crawler import MirrorRequest, mirror`` is a run from Python; both load on first use, so that
``slugline --help`` does not wait for the network's code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crawler.conductor import MirrorRequest, mirror

__all__ = ["MirrorRequest", "mirror"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from crawler import conductor  # noqa: PLC0415  - on first use, see above

        return getattr(conductor, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
