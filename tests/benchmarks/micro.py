"""Single parts by pytest-benchmark: parse, judge, write, commit, look up, reindex, discover.

    pip install -e '.[dev,bench]'
    pytest tests/benchmarks/micro.py -p no:randomly
    pytest tests/benchmarks/micro.py --benchmark-save=before    # then change, then
    pytest tests/benchmarks/micro.py --benchmark-compare

No name here begins with ``test_`` as a file, so the suite never collects it. The stories are the
demo's; the archive has 10,000 snapshots, ten editions of a thousand articles.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest
from msgspec import Struct, structs

from crawler.article.assemble import Assembly, Inferred, assemble
from crawler.article.judge import Formats, Judgement, judge
from crawler.demo.newsroom import Newsroom
from crawler.discovery.sitemap import MAX_URLS, Sitemap, parse_sitemap
from crawler.facts import Facts
from crawler.formats import parse
from crawler.links import parse_link_header
from storage.archive import Archive, SnapshotRow
from storage.diff import Diff, Side, compare, side_name
from storage.model import Draft, Manifest, Record
from storage.notes import Notes
from storage.reindex import ReindexReport, reindex
from storage.store import Store
from storage.warc import build_response, new_record_id
from storage.writer import BATCH_DRAFTS
from tests.storage.drafts import SEEN, SITE, SUFFIXES, TYPES, article, open_store

BASE = f"https://{SITE}"
ARTICLES, EDITIONS = 1000, 10
#: Rounds of what takes long or may not be done twice on the same state.
ROUNDS, FEW = 20, 3
NEWSROOM = Newsroom.create(BASE, 8)
STORY: Record = NEWSROOM.records[0]


class Benchmark(Protocol):
    """What is used of pytest-benchmark's fixture."""

    def __call__(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Time ``function`` as often as it takes; gives what it returned."""

    def pedantic(
        self,
        function: Callable[..., Any],
        *,
        setup: Callable[[], Any] | None = None,
        args: tuple[Any, ...] = (),
        rounds: int = 1,
    ) -> Any:
        """Time ``function`` once a round, each after ``setup``, which may give its arguments."""


def bytes_of(name: str) -> bytes:
    return NEWSROOM.page(f"/news/{STORY.slug}{SUFFIXES[name]}").body


def facts() -> dict[str, Facts]:
    return {name: parse(name, bytes_of(name), STORY.alternates[name]) for name in SUFFIXES}


def merged(found: Mapping[str, Facts], now: datetime) -> Assembly:
    return assemble(
        found,
        slug=STORY.slug,
        url=STORY.url,
        alternates=STORY.alternates,
        inferred=Inferred(observed=now),
    )


class Edition(Struct, frozen=True):
    """A body as it is in one edition, as it is sent, and its digest."""

    plain: bytes
    coded: bytes
    digest: str


@cache
def edited(name: str, edition: int) -> Edition:
    plain = bytes_of(name) + f"<!-- edition {edition} -->\n".encode()
    return Edition(plain, gzip.compress(plain, 1, mtime=0), hashlib.sha256(plain).hexdigest())


def draft(slug: str, edition: int = 0) -> Draft:
    """Return a story of real size in four formats, as it comes from a server that gzips."""
    seen = SEEN + timedelta(hours=edition)
    made = article(
        slug,
        formats=tuple(SUFFIXES),
        coding="gzip",
        seen=seen,
        updated=seen,
        reason="edit" if edition else "first",
    )
    bodies = {name: edited(name, edition) for name in SUFFIXES}
    shown = tuple(
        structs.replace(
            one,
            digest=bodies[one.format].digest,
            length=len(bodies[one.format].plain),
        )
        for one in made.manifest.representations
    )
    payloads = tuple(structs.replace(one, body=bodies[one.role].coded) for one in made.payloads)
    return Draft(manifest=structs.replace(made.manifest, representations=shown), payloads=payloads)


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("micro") / "mirror"
    store = open_store(root, files=False)
    for edition in range(EDITIONS):
        for first in range(0, ARTICLES, BATCH_DRAFTS):
            slugs = range(first, min(first + BATCH_DRAFTS, ARTICLES))
            store.commit([draft(f"story-{n}", edition) for n in slugs], Notes(at=SEEN))
    store.close()
    return root


@pytest.fixture
def archive(mirror: Path) -> Iterator[Archive]:
    with Archive.open(mirror) as opened:
        yield opened


@pytest.mark.parametrize("name", SUFFIXES)
def test_parse(benchmark: Benchmark, name: str) -> None:
    found: Facts = benchmark(parse, name, bytes_of(name), STORY.alternates[name])
    assert found.title == STORY.title or name == "text"


def test_link_header(benchmark: Benchmark) -> None:
    header = ", ".join(
        f'<{url}>; rel="alternate"; type="{name}"' for name, url in STORY.alternates.items()
    )
    assert len(benchmark(parse_link_header, [header], STORY.url)) == len(SUFFIXES)


def test_assemble_and_judge(benchmark: Benchmark) -> None:
    found = facts()
    newest = structs.replace(draft(STORY.slug).manifest, key=merged(found, SEEN).key)
    newest = structs.replace(newest, content=merged(found, SEEN).content)

    def looked_at() -> Judgement:
        return judge(newest, merged(found, SEEN), Formats(present=frozenset(found)))

    judgement: Judgement = benchmark(looked_at)
    assert judgement.edited == frozenset()


@pytest.mark.parametrize("name", ["html", "text"])
def test_warc_record(benchmark: Benchmark, name: str) -> None:
    payload = next(each for each in draft("a").payloads if each.role == name)
    ids = {"record_id": new_record_id(), "concurrent_to": new_record_id()}
    assert benchmark(build_response, payload, **ids).member


def test_warc_record_of_a_body_without_coding(benchmark: Benchmark) -> None:
    coded = next(each for each in draft("a").payloads if each.role == "html")
    payload = structs.replace(coded, headers=(), body=bytes_of("html"))
    ids = {"record_id": new_record_id(), "concurrent_to": new_record_id()}
    assert benchmark(build_response, payload, **ids).member


def test_commit_of_a_batch(benchmark: Benchmark, tmp_path: Path) -> None:
    store: Store = open_store(tmp_path / "mirror", files=False)
    numbers = count()

    def batch() -> tuple[tuple[list[Draft], Notes], dict[str, object]]:
        drafts = [draft(f"story-{next(numbers)}") for _ in range(BATCH_DRAFTS)]
        return (drafts, Notes(at=SEEN)), {}

    done = benchmark.pedantic(store.commit, setup=batch, rounds=ROUNDS)
    store.close()
    assert all(isinstance(outcome, Manifest) for outcome in done.outcomes)


def test_log(benchmark: Benchmark, archive: Archive) -> None:
    assert len(benchmark(archive.history, SITE, "story-500")) == EDITIONS


def test_newest(benchmark: Benchmark, archive: Archive) -> None:
    assert benchmark(archive.newest, SITE, "story-500").sequence == EDITIONS


def test_find(benchmark: Benchmark, archive: Archive) -> None:
    assert benchmark(archive.find, f"{BASE}/news/story-500") == (SITE, "story-500")


def test_show(benchmark: Benchmark, archive: Archive) -> None:
    def shown() -> bytes:
        manifest = archive.newest(SITE, "story-500")
        assert manifest is not None
        return archive.body(manifest, "markdown").decoded

    assert benchmark(shown).startswith(bytes_of("markdown"))


def test_show_as_it_was(benchmark: Benchmark, archive: Archive) -> None:
    at = SEEN + timedelta(hours=4)

    def shown() -> bytes:
        row = archive.pick(SITE, "story-500", at=at)
        return archive.body(archive.manifest(row), "markdown").decoded

    assert b"edition 4" in benchmark(shown)


def test_diff(benchmark: Benchmark, archive: Archive) -> None:
    def side(row: SnapshotRow) -> Side:
        manifest = archive.manifest(row)
        body = archive.body(manifest, "markdown")
        return Side(
            name=side_name(manifest, "markdown"), body=body.decoded, content_type=TYPES["markdown"]
        )

    def compared() -> Diff:
        older, newer = map(side, archive.history(SITE, "story-500")[-2:])
        return compare(older, newer)

    assert benchmark(compared).kind == "text"


def test_list(benchmark: Benchmark, archive: Archive) -> None:
    listed: list[Any] = benchmark.pedantic(lambda: list(archive.newest_all()), rounds=ROUNDS)
    assert len(listed) == ARTICLES


def test_reindex(benchmark: Benchmark, mirror: Path) -> None:
    report: ReindexReport = benchmark.pedantic(reindex, args=(mirror, SEEN), rounds=FEW)
    assert report.snapshots == ARTICLES * EDITIONS


def test_sitemap(benchmark: Benchmark) -> None:
    urls = "".join(
        f"<url><loc>{BASE}/news/story-{n}</loc><lastmod>2026-06-19T09:13:50Z</lastmod></url>\n"
        for n in range(MAX_URLS)
    )
    body = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()
    found: Sitemap = benchmark.pedantic(
        parse_sitemap, args=(body, f"{BASE}/sitemap.xml"), rounds=FEW
    )
    assert len(found.entries) == MAX_URLS
