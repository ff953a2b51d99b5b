"""A small archive for the commands' tests, made through the store's own writer."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.model import (
    ContentDigest,
    Draft,
    Finding,
    Key,
    Manifest,
    Payload,
    Reason,
    Record,
    Representation,
)
from storage.writer import Writer

BASE = datetime(2026, 6, 19, 9, 13, 50, 166750, UTC)
TYPES = {"html": "text/html; charset=utf-8", "markdown": "text/markdown; charset=utf-8"}
SUFFIXES = {"html": "", "markdown": ".md"}


def draft(
    slug: str,
    words: str,
    *,
    site: str = "example.org",
    observed: datetime = BASE + timedelta(hours=1),
    reason: Reason = "first",
    missing: dict[str, str] | None = None,
    source: str | None = None,
    implicit: bool = False,
) -> Draft:
    """Return one snapshot of an article, in HTML and Markdown, as the crawler hands it over."""
    url = f"https://{site}/news/{slug}"
    bodies = {
        "html": f"<!doctype html><title>{slug}</title><p>{words}</p>\n".encode(),
        "markdown": f"# {slug}\n\n{words}\n".encode(),
    }
    kept = {name: body for name, body in bodies.items() if name not in (missing or {})}
    record = Record(
        slug=slug, title=f"On {slug}", body_md=words, url=url, updated_at=BASE,
        canonical_source=source, alternates={name: url + SUFFIXES[name] for name in kept},
    )  # fmt: skip
    manifest = Manifest(
        site=site, scope=f"https://{site}/", slug=slug, url=url, observed_at=observed, run="test",
        implicit=implicit, key=Key(updated_at=BASE, unit="microsecond", source="markdown"),
        reason=reason, state="partial" if missing else "complete", missing=missing or {},
        record=record, findings=(Finding(kind="date-only", detail="no edit"),) if missing else (),
        content={"markdown": ContentDigest(digest=_sha256(words.encode()), extractor="t/1")},
        representations=tuple(_representation(url, name, kept[name], observed) for name in kept),
    )  # fmt: skip
    return Draft(
        manifest=manifest,
        payloads=tuple(_payload(url, name, kept[name], observed) for name in kept),
    )


def _representation(url: str, name: str, body: bytes, at: datetime) -> Representation:
    where = url + SUFFIXES[name]
    return Representation(
        format=name, url=where, final_url=where, status=200,
        media_type=TYPES[name].partition(";")[0], digest=_sha256(body), length=len(body),
        fetched_at=at,
    )  # fmt: skip


def _payload(url: str, name: str, body: bytes, at: datetime) -> Payload:
    headers = (("Content-Type", TYPES[name]), ("Content-Length", str(len(body))))
    where = url + SUFFIXES[name]
    return Payload(role=name, url=where, status=200, headers=headers, body=body, fetched_at=at)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


async def fill(root: Path) -> None:
    """Write an archive of two sites: edits, a silent one, a partial article, a foreign original."""
    later = BASE + timedelta(hours=2)
    async with Writer(root) as writer:
        await writer.begin_run("mirror", ("https://example.org/",), BASE)
        for each in (
            draft("alpha", "First words.", source="https://origin.example/news/tale"),
            draft("alpha", "Second words.", observed=later, reason="silent-edit"),
            draft("beta", "Only words.", missing={"markdown": "404 Not Found"}),
            draft("shared", "Here."),
            draft("shared", "There.", site="example.net"),
            draft("tale", "The original.", site="origin.example", implicit=True),
        ):
            await writer.commit(each)
        await writer.finish_run({}, finished=True)
