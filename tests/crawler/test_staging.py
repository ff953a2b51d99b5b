"""A site mirrored from a staging server: names resolved by hand, one's own authority."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from crawler.commands.request import read_records
from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from storage.archive import Archive
from storage.model import Record
from tests.crawler.runs import run
from tests.newsroom_site import seed_json

ARTICLE = "https://courier.example/news/tide-clock-of-marren-is-wound-again"
ORIGINAL = "https://wire.example/news/marren-tide-clock"
RECORD = Record(
    slug="tide-clock-of-marren-is-wound-again",
    title="The tide clock of Marren is wound again",
    summary="After forty years the harbour's clock runs, and nobody knows who winds it.",
    body_md=(
        "#### In short\n\nThe clock [runs](https://wire.example/clock).\n\n"
        "### Who winds it?\n\nNobody “knows”."
    ),
    url=ARTICLE,
    canonical_source=ORIGINAL,
    published_at=datetime(2026, 6, 19, 8, 9, 44, tzinfo=UTC),
    updated_at=datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC),
    lang="en",
    topics=("harbours", "clocks"),
    entities=("Marren", "Harbour Office"),
    alternates={
        "html": ARTICLE,
        "markdown": f"{ARTICLE}.md",
        "text": f"{ARTICLE}.txt",
        "jsonld": f"{ARTICLE}.jsonld",
    },
)


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, Path]:
    ca = trustme.CA()
    bundle = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(str(bundle))
    return ca, bundle


def tls_for(ca: trustme.CA, *hosts: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*hosts).configure_cert(context)
    return context


def original_of(record: Record) -> Record:
    return Record(
        slug="marren-tide-clock",
        title=record.title,
        summary=record.summary,
        body_md=record.body_md,
        url=ORIGINAL,
        published_at=record.published_at,
        updated_at=record.updated_at,
        lang="en",
        alternates={"html": ORIGINAL},
    )


async def test_a_record_served_over_tls_is_a_complete_snapshot_with_its_source_kept(
    authority: tuple[trustme.CA, Path], tmp_path: Path
) -> None:
    ca, bundle = authority
    records = tmp_path / "record.json"
    records.write_bytes(seed_json(RECORD))
    tls = tls_for(ca, "courier.example", "wire.example")
    newsroom = Newsroom.of("https://courier.example", (RECORD,))
    source = Newsroom.of("https://wire.example", (original_of(RECORD),))
    async with (
        NewsroomServer(lambda _: newsroom, tls=tls, base="https://courier.example") as site,
        NewsroomServer(lambda _: source, tls=tls, base="https://wire.example") as wire,
    ):
        ran = await run(
            "https://courier.example/",
            tmp_path / "m",
            records=read_records(records),
            resolve=(
                f"courier.example:443:127.0.0.1:{site.port}",
                f"wire.example:443:127.0.0.1:{wire.port}",
            ),
            ca_bundle=bundle,
        )
    assert ran.failures == {}
    with Archive.open(tmp_path / "m") as archive:
        (row,) = archive.newest_all()
        assert (row.slug, row.state) == (RECORD.slug, "complete")
        assert archive.manifest(row).record == RECORD
        originals = [each for each in archive.newest_all(canonicals=True) if each.implicit]
        assert [each.url for each in originals] == [ORIGINAL]
    kept = json.loads(seed_json(RECORD))
    assert list(kept)[:3] == ["slug", "title", "summary"]


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    authority: tuple[trustme.CA, Path], tmp_path: Path
) -> None:
    ca, _ = authority
    newsroom = Newsroom.of("https://courier.example", (RECORD,))
    tls = tls_for(ca, "courier.example")
    async with NewsroomServer(lambda _: newsroom, tls=tls, base="https://courier.example") as site:
        ran = await run(
            ARTICLE, tmp_path / "m", resolve=(f"courier.example:443:127.0.0.1:{site.port}",)
        )
    assert ran.summary.snapshots == 0
    assert ran.failures
