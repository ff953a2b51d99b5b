"""Where a mirror's segments are: in its folder, or in the bucket that mirror.json names.

The bucket's half, and obstore with it, is loaded where a mirror has its segments there, and nowhere
else.
"""

from __future__ import annotations

from pathlib import Path

from storage import layout
from storage.segments.kinds import Segments
from storage.segments.local import LocalSegments


def open_segments(root: Path) -> Segments:
    """Return the segments of the mirror at ``root``.

    Raises NotAMirror and the like (layout.check), and MissingExtra.
    """
    return open_at(root, layout.check(root).segments)


def open_at(root: Path, url: str | None) -> Segments:
    """Return the segments at ``url`` as those of a mirror at ``root``; None: in its folder."""
    if url is None:
        return LocalSegments(root)
    from storage.segments.bucket import BucketSegments  # noqa: PLC0415  - an extra

    return BucketSegments(root, url)
