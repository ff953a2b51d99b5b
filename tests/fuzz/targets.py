"""The table of fuzz targets, and the bounds that each is held to besides its own contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from zlib import crc32

from msgspec import Struct

from crawler.formats.table import FORMATS
from tests.fuzz import readers, seeds, stores

#: Processor seconds that one input may take. The longest here is some 64 KiB, which every reader is
#: through within a few tenths, the fuzzer's own counting included.
MAX_SECONDS = 2.0
#: Bytes that a short input is repeated to: what is quadratic shows at this length.
STRETCHED = 64 << 10
#: One input in so many is stretched as well; which, its bytes decide, so that a finding repeats.
_ONE_IN = 64


class TooSlow(AssertionError):
    """A reader that took longer than MAX_SECONDS over one input."""


class Target(Struct, frozen=True):
    """One reader under test: ``run`` takes bytes and raises where the contract is broken."""

    name: str
    run: Callable[[bytes], None]
    seeds: seeds.Seeds

    def check(self, data: bytes) -> None:
        """Run on ``data``, now and then on a long repetition of it too."""
        self._timed(data)
        if data and not crc32(data) % _ONE_IN and len(data) < STRETCHED:
            self._timed(data * (STRETCHED // len(data)))

    def _timed(self, data: bytes) -> None:
        began = time.process_time()
        self.run(data)
        took = time.process_time() - began
        if took > MAX_SECONDS:
            raise TooSlow(f"{self.name} took {took:.1f} s over {len(data):,} bytes")


#: Where a format's fuzzing begins; elsewhere with some of each kind.
_OF_FORMAT: dict[str, seeds.Seeds] = {
    "html": seeds.html,
    "markdown": seeds.markdown,
    "text": seeds.texts,
    "jsonld": seeds.json,
    "json": seeds.json,
}
TARGETS: dict[str, Target] = {
    name: Target(name, run, start)
    for name, run, start in (
        ("link-header", readers.link_header, seeds.LINKS),
        ("front-matter", readers.front_matter, seeds.markdown),
        ("claims", readers.claims, seeds.every_format),
        ("charset", readers.charset, seeds.charsets),
        ("sitemap", readers.sitemap, seeds.sitemaps),
        ("resourcesync", readers.resourcesync, seeds.lists),
        ("feed", readers.feed, seeds.feeds),
        ("llms-txt", readers.llms_txt, seeds.texts),
        ("anchors", readers.anchors, seeds.PAGES),
        ("robots", readers.robots, seeds.ROBOTS),
        ("records", readers.records, seeds.json_lines),
        ("config", readers.config, seeds.CONFIG),
        ("codings", readers.codings, seeds.coded),
        ("header-fields", readers.header_fields, seeds.FIELDS),
        ("times", readers.times, seeds.TIMES),
        ("warc-record", stores.record, seeds.records),
        ("gzip-member", stores.gzip_member, seeds.members),
        ("segment", stores.segment, seeds.segments),
        ("manifest", stores.manifest, seeds.manifests),
        ("url", stores.url, seeds.PAGES),
        ("names", stores.names, seeds.PAGES),
        ("slugs", stores.slugs, seeds.PAGES),
        ("diff", stores.diff, seeds.SIDES),
    )
} | {
    name: Target(name, partial(readers.facts, name), _OF_FORMAT.get(name, seeds.every_format))
    for name in FORMATS
}
