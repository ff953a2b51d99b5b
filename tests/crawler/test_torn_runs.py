"""Articles that are edited while they are read: no snapshot mixes two editions and keeps quiet."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from storage.archive import Archive
from tests.crawler.runs import run
from tests.crawler.small_site import Page, SmallSite, article

FIRST = datetime(2026, 6, 19, 9, 0, tzinfo=UTC)
_EDITION = re.compile(rb"edition (\d+)")


class Restless:
    """One article in three formats whose editor publishes at given requests. Mutable: requests."""

    def __init__(self, edits: set[int]) -> None:
        self._edits = edits
        self._requests = 0

    def page(self, made: Callable[[int, str], Page]) -> Callable[[object], Page]:
        def answer(_: object) -> Page:
            self._requests += 1
            edition = sum(edit <= self._requests for edit in self._edits)
            return made(edition, (FIRST + timedelta(minutes=edition)).isoformat())

        return answer


def html(edition: int, moment: str) -> Page:
    links = "".join(
        f'<link rel="alternate" type="{kind}" href="/live.{suffix}">'
        for kind, suffix in (("text/markdown", "md"), ("application/ld+json", "jsonld"))
    )
    return article("Live", modified=moment, head=links, words=f"This is edition {edition}. " * 40)


def markdown(edition: int, moment: str) -> Page:
    body = f"---\ntitle: Live\nupdated_at: {moment}\n---\n\nThis is edition {edition}.\n"
    return Page(body=body, type="text/markdown")


def json_ld(edition: int, moment: str) -> Page:
    said = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": "Live",
        "articleBody": f"This is edition {edition}.",
        "dateModified": moment,
    }
    return Page(body=json.dumps(said), type="application/ld+json")


async def mirrored(edits: set[int], rounds: int, root: Path) -> None:
    restless = Restless(edits)
    async with SmallSite() as site:
        site.pages["/live"] = restless.page(html)
        site.pages["/live.md"] = restless.page(markdown)
        site.pages["/live.jsonld"] = restless.page(json_ld)
        site.list("/live")
        for _ in range(rounds):
            await run(f"{site.base}/", root, probe=False)


def editions(root: Path) -> list[tuple[set[bytes], set[str]]]:
    """Return, for each snapshot, the editions its bytes are of and the kinds of its findings."""
    seen = []
    with Archive.open(root) as archive:
        for row in archive.all_history():
            manifest = archive.manifest(row)
            bodies = [archive.body(manifest, each).decoded for each in row.formats]
            found = {match[1] for body in bodies if (match := _EDITION.search(body))}
            seen.append((found, {finding.kind for finding in row.findings}))
    return seen


@settings(max_examples=15)
@given(edits=st.sets(st.integers(1, 40), max_size=12), rounds=st.integers(1, 3))
def test_no_snapshot_mixes_two_editions_without_a_finding(edits: set[int], rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "m"
        asyncio.run(mirrored(edits, rounds, root))
        for found, findings in editions(root):
            assert len(found) == 1 or "formats-disagree" in findings
