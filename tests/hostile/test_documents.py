"""Documents that lie, swell, nest or break: each run keeps what is good and names what is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from storage.archive import Archive
from storage.model import Manifest
from tests.hostile.fault_server import FORMATS, UPDATED, FaultServer, answer, article, fault_server
from tests.hostile.harness import Outcome, mirror

MIB = 1 << 20
WORDS = b"The quick brown fox jumps over the lazy dog, and goes on about it for long. "
#: Room for bodies of tens of MiB and for slow machines.
ROOM = {"max_body": 64 * MIB, "read_timeout": 20, "total_timeout": 40}


def spoil(site: FaultServer, slug: str, name: str, body: bytes, kind: str = "") -> str:
    """Add an article whose format ``name`` is ``body`` under ``kind``; returns that one's URL."""
    if f"/news/{slug}" not in site.routes:
        site.add(slug, healthy=False)
    suffix, usual = FORMATS[name]
    path = f"/news/{slug}{suffix}"
    site.routes[path] = answer(body=body, headers=(f"Content-Type: {kind or usual}",))
    return site.url(path)


def page(site: FaultServer, slug: str, text: bytes = b"", head: bytes = b"") -> bytes:
    """Write an article's page with ``text`` in front of its words and ``head`` in its head."""
    html = article(slug, site.base)["html"]
    return html.replace(b"<p>", b"<p>" + text, 1).replace(b"</head>", head + b"</head>", 1)


def newest(outcome: Outcome, site: FaultServer, slug: str) -> Manifest:
    """Return the article's newest snapshot."""
    with Archive.open(outcome.mirror) as archive:
        manifest = archive.newest(site.host.replace(":", "+"), slug)
    assert manifest is not None, f"{slug} was not kept:\n{outcome.stderr}"
    return manifest


def findings(outcome: Outcome, site: FaultServer, slug: str) -> set[str]:
    return {finding.kind for finding in newest(outcome, site, slug).findings}


#: What is served in a format's place, and what is said of it.
LIES = {
    "HTML for Markdown": ("markdown", b"<!doctype html><p>Sorry", "HTML under the address of mark"),
    "HTML for plain text": ("text", b"<html><p>Sorry", "HTML under the address of text"),
    "HTML for JSON-LD": ("jsonld", b"<html><p>Sorry", "HTML under the address of jsonld"),
    "nothing for Markdown": ("markdown", b"", "the body is empty"),
    "nothing but blanks for text": ("text", b" \r\n\t ", "the body is empty"),
    "nothing for JSON-LD": ("jsonld", b"", "the body is empty"),
    "a picture for Markdown": ("markdown", b"\x89PNG\r\n\x1a\n" + bytes(99), "it is png"),
    "NUL bytes in text": ("text", b"words\x00" * 20, "it is binary"),
    "JSON-LD cut in half": (
        "jsonld",
        b'{"@context": "https://schema.org", "headline": "x',
        "no JSON",
    ),
    "JSON-LD 10,000 deep": ("jsonld", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nests deeper"),
    "lists 10,000 deep": ("jsonld", b"[" * 10_000 + b"]" * 10_000, "nests deeper"),
    "a number of 1 MB": ("jsonld", b'{"n":' + b"9" * MIB + b"}", "no JSON"),
    "600,000 objects": ("jsonld", b"[" + b"{}," * 600_000 + b"1]", "more than 500,000 values"),
}


@pytest.mark.parametrize("names", [list(LIES)[:7], list(LIES)[7:]], ids=["kinds", "structures"])
async def test_a_format_that_is_not_what_it_claims_is_missing_and_the_rest_is_kept(
    names: list[str], tmp_path: Path
) -> None:
    async with fault_server() as site:
        urls = {}
        for number, name in enumerate(names):
            made, body, _ = LIES[name]
            spoil(site, f"lie{number}", made, body)
            urls[name] = site.url(f"/news/lie{number}")
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        kept = outcome.kept(site)
        for number, name in enumerate(names):
            made, _, words = LIES[name]
            assert f"no {made}: " in outcome.said(urls[name]), name
            assert words in outcome.said(urls[name]), name
            assert kept[f"lie{number}"] == sorted(FORMATS.keys() - {made}), name


#: Bytes and the Content-Type they come with: the text that is read, and whether it is mended.
CHARSETS = {
    "UTF-8 that is Latin-1": ("Grüße".encode("latin-1"), "charset=utf-8", "Grüße", False),
    "Latin-1 that is UTF-8": ("Grüße".encode(), "charset=iso-8859-1", "GrÃ¼ÃŸe", False),
    "an unknown charset": ("Grüße".encode(), "charset=klingon-8", "Grüße", False),
    "UTF-7": (b"Gr+APwA3w-e", "charset=utf-7", "Gr+APwA3w-e", False),
    "a codec of Python's": (b"Grhello", "charset=rot13", "Grhello", False),
    "a name of 1 KB": ("Grüße".encode(), "charset=" + "x" * 1024, "Grüße", False),
    "ASCII that has no meaning": (b"Gr\x81\xff\xfe", "charset=us-ascii", "Gr\ufffdÿþ", True),
    "two names": ("Grüße".encode(), "charset=utf-8; charset=utf-16", "Grüße", False),
}


async def test_a_charset_that_lies_fails_nothing(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, (raw, kind, _, _) in enumerate(CHARSETS.values()):
            spoil(site, f"set{number}", "markdown", b"# Title\n\n" + raw, f"text/markdown; {kind}")
        spoil(site, "utf16", "text", "Grüße".encode("utf-16-le"), "text/plain; charset=utf-16")
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, (name, (raw, _, text, mended)) in enumerate(CHARSETS.items()):
            manifest = newest(outcome, site, f"set{number}")
            assert manifest.state == "complete", name
            assert outcome.body(site, f"set{number}", "markdown").endswith(raw), name
            assert manifest.record is not None
            assert manifest.record.body_md is not None
            if not mended:
                assert manifest.record.body_md.endswith(text), name
            assert ("charset" in findings(outcome, site, f"set{number}")) == mended, name
        # Zero bytes without a mark are binary, whatever the header says.
        outcome.holds(site, site.url("/news/utf16"), "it is binary")


#: JSON-LD whose values are wrong in a way that JSON allows.
VALUES: dict[str, str] = {
    "numbers past all size": '"dateModified": 1e999999, "wordCount": -1e999999',
    "the key twice": f'"headline": "one", "headline": "two", "dateModified": "{UPDATED}"',
    "half a surrogate pair": r'"headline": "\ud800 half", "description": "\udfff\ud800"',
    "NUL in words": r'"headline": "a\u0000b", "articleBody": "c\u0000d"',
    "objects for words": '"headline": {"a": [{"b": {}}]}, "articleBody": [[[]]], "author": 7',
    "100,000 keywords": '"keywords": [' + ",".join(f'"k{n}"' for n in range(100_000)) + "]",
    "encodings without end": '"encoding": ['
    + ",".join(
        f'{{"contentUrl": "/f{n}", "encodingFormat": "application/x-f{n}"}}' for n in range(2_000)
    )
    + "]",
}


async def test_json_of_every_bad_value_is_read_for_what_it_is_worth(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, fields in enumerate(VALUES.values()):
            body = f'{{"@context": "https://schema.org", "@type": "NewsArticle", {fields}}}'
            spoil(site, f"value{number}", "jsonld", body.encode())
        circle = {
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "NewsArticle", "@id": "#a", "headline": "x", "author": {"@id": "#b"}},
                {
                    "@type": "Person",
                    "@id": "#b",
                    "author": {"@id": "#a"},
                    "mainEntity": {"@id": "#b"},
                },
            ],
        }
        spoil(site, "circle", "jsonld", json.dumps(circle).encode())
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, name in enumerate(VALUES):
            if name == "encodings without end":
                continue
            assert newest(outcome, site, f"value{number}").state == "complete", name
        assert newest(outcome, site, "circle").state == "complete"
        half = newest(outcome, site, f"value{list(VALUES).index('100,000 keywords')}")
        assert half.record is not None
        assert len(half.record.topics) <= 500
        # More formats than an article may have are left out, and it is said.
        many = f"value{list(VALUES).index('encodings without end')}"
        assert "too-many-formats" in findings(outcome, site, many)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
#: Front matter, and the finding it leaves.
FRONTS = {
    "a tag that builds objects": ("title: !!python/object/apply:os.system ['touch owned']", ""),
    "aliases, a billion laughs": (LAUGHS + "tags: *i", ""),
    "an alias of itself": ("title: x\ntags: &a [*a, *a]", ""),
    "YAML 1,000 deep": ("tags: " + "[" * 1_000 + "]" * 1_000, "front-matter"),
    "YAML that breaks": ("title: a: b: [", "front-matter"),
    "merge keys in a circle": ("a: &a\n  <<: *a\n  b: 1", ""),
}


async def test_front_matter_builds_nothing_and_grows_to_nothing(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, (block, _) in enumerate(FRONTS.values()):
            body = f"---\n{block}\n---\n# Head\n\nWords {number}.\n"
            spoil(site, f"front{number}", "markdown", body.encode())
        endless = b"---\n" + b"title: x\n" * 100_000 + b"Words.\n"
        spoil(site, "endless", "markdown", endless)
        spoil(site, "toml", "markdown", b"+++\na = " + b"[" * 5_000 + b"\n+++\nWords.\n")
        spoil(site, "dots", "markdown", b"+++\na" + b".a" * 60_000 + b" = 1\n+++\nWords.\n")
        spoil(site, "braces", "markdown", b'{"a":' * 50_000 + b"\nWords.\n")
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, (name, (_, finding)) in enumerate(FRONTS.items()):
            manifest = newest(outcome, site, f"front{number}")
            assert manifest.state == "complete", name
            assert manifest.record is not None
            assert manifest.record.body_md is not None
            assert manifest.record.body_md.endswith(f"Words {number}."), name
            assert (finding in findings(outcome, site, f"front{number}")) == bool(finding), name
        for slug in ("endless", "toml", "dots", "braces"):
            assert newest(outcome, site, slug).state == "complete", slug


#: HTML in front of an article's words: what is said, "" where the page is read.
TANGLES = {
    "100,000 elements deep": (b"<div>" * 100_000, "nests deeper"),
    "100,000 attributes on a tag": (
        b"<i " + b" ".join(b"a%d=1" % n for n in range(100_000)) + b">",
        "more than 1,000 attributes",
    ),
    "20,000 made-up elements": (
        b"".join(b"<x%d></x%d>" % (n, n) for n in range(20_000)),
        "different names",
    ),
    "comments that never close": (b"<!--" * 50_000, ""),
    "CDATA that never closes": (b"<svg><g/>" + b"<![CDATA[<g/>" * 50_000, ""),
    "styles in SVG that never close": (b"<svg>" + b"<style/>" * 50_000, ""),
    "scripts that never close": (b"<script>" * 50_000, ""),
    "an attribute that never closes": (b'<a href="' * 50_000, "more than 1,000 attributes"),
    "formatting that multiplies": (
        b"".join(b"<p><b id=%d></p>" % n for n in range(2_000)) + b"<p>" * 3_000,
        "so many elements open",
    ),
    "tables in tables": (b"<table><tr><td>" * 1_500, "nests deeper"),
    "NUL bytes": (b"\x00" * 5_000, "it is binary and not HTML"),
}


@pytest.mark.parametrize("part", [0, 1], ids=["first", "second"])
async def test_html_that_tangles_is_read_in_bounded_time_or_refused(
    part: int, tmp_path: Path
) -> None:
    names = list(TANGLES)[part::2]
    async with fault_server() as site:
        for number, name in enumerate(names):
            slug = f"tangle{number}"
            spoil(site, slug, "html", page(site, slug, TANGLES[name][0]))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, name in enumerate(names):
            words = TANGLES[name][1]
            url = site.url(f"/news/tangle{number}")
            assert words in outcome.said(url), name
            if not words:
                kept = [
                    each.format for each in newest(outcome, site, f"tangle{number}").representations
                ]
                assert "html" in kept, name


@pytest.mark.parametrize(
    ("name", "piece", "size"),
    [
        pytest.param("markdown", WORDS * 10 + b"\n\n", 28 * MIB, id="28 MB of Markdown"),
        pytest.param("text", b"a", 20 * MIB, id="one line of 20 MB"),
        pytest.param("text", "\U0001f600 é".encode(), 28 * MIB, id="28 MB that grow fourfold"),
        pytest.param("html", b"<br>", 4 * MIB, id="a million tags"),
        pytest.param("html", WORDS * 10 + b"</p><p>", 20 * MIB, id="a page of 20 MB"),
    ],
)
async def test_a_huge_document_is_kept_to_the_byte_and_read_in_part(
    name: str, piece: bytes, size: int, tmp_path: Path
) -> None:
    async with fault_server() as site:
        body = piece * (size // len(piece))
        body = page(site, "huge", body) if name == "html" else body
        spoil(site, "huge", name, body)
        outcome = await mirror(site, tmp_path, settings=ROOM)
        outcome.holds(site)
        assert outcome.code == 0
        assert outcome.body(site, "huge", name) == body
        assert "too-long" in findings(outcome, site, "huge")


async def test_titles_and_lists_of_names_are_bounded(tmp_path: Path) -> None:
    async with fault_server() as site:
        title = b"A very long title " * (5 * MIB // 18)
        for name, body in article("title", site.base).items():
            spoil(site, "title", name, body.replace(b"What the title is for", title))
        tags = b"".join(b'<meta property="article:tag" content="t%d">' % n for n in range(100_000))
        spoil(site, "topics", "html", page(site, "topics", head=tags))
        lines = b"".join(b"- t%d\n" % n for n in range(20_000))
        spoil(site, "tags", "markdown", b"---\ntags:\n" + lines + b"---\nWords.\n")
        outcome = await mirror(site, tmp_path, settings=ROOM)
        outcome.holds(site)
        for slug in ("title", "topics", "tags"):
            manifest = newest(outcome, site, slug)
            assert manifest.state == "complete", slug
            assert manifest.record is not None
            assert len(manifest.record.topics) <= 500, slug
        longest = newest(outcome, site, "title").record
        assert longest is not None
        assert len(longest.title or "") == 4_096
        assert "too-long" in findings(outcome, site, "title")


#: An update time, and whether it is taken for one (else it is left out, or said to be implausible).
DATES: dict[str, tuple[Any, str]] = {
    "year 0": ("0000-01-01T00:00:00Z", ""),
    "year 1": ("0001-01-01T00:00:00Z", "implausible-date"),
    "year 9999": ("9999-12-31T23:59:59Z", "implausible-date"),
    "year 9999 west of UTC": ("9999-12-31T23:59:59-12:00", ""),
    "year 99999": ("99999-01-01T00:00:00Z", ""),
    "before the common era": ("-0044-03-15T12:00:00Z", ""),
    "30 February": ("2026-02-30T12:00:00Z", ""),
    "hour 25": ("2026-06-19T25:00:00Z", ""),
    "a zone of 99 hours": ("2026-06-19T12:00:00+99:99", ""),
    "a name for a zone": ("2026-06-19 12:00:00 Europe/Berlin", ""),
    "a date string of 1 MB": ("2026-06-19T12:00:00Z" * (MIB // 20), ""),
    "digits of other scripts": (
        "".join(chr(0x630 + ord(c)) if c.isdigit() else c for c in UPDATED),
        "",
    ),
    "the year 2062": ("2062-01-01T00:00:00Z", "implausible-date"),
    "before 1990": ("1989-12-31T23:59:59Z", "implausible-date"),
    "a number past all clocks": (10**30, ""),
    "a negative number": (-1, ""),
    "infinity": (1e308, ""),
    "true": (True, ""),
    "a list": ([[], {}], ""),
    "an object": ({"@value": {"@value": []}}, ""),
}


async def test_a_date_of_every_bad_kind_is_no_key(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, (date, _) in enumerate(DATES.values()):
            slug = f"date{number}"
            site.add(slug, healthy=False)
            html = article(slug, site.base)["html"]
            stated = b'<meta property="article:modified_time" content="%b">' % UPDATED.encode()
            site.routes[f"/news/{slug}"] = answer(
                body=html.replace(stated, b""), headers=("Content-Type: text/html",)
            )
            record = {"@context": "https://schema.org", "@type": "Article", "headline": slug}
            spoil(site, slug, "jsonld", json.dumps({**record, "dateModified": date}).encode())
            text = b"---\nupdated: %b\n---\nWords of %b.\n" % (str(date).encode(), slug.encode())
            spoil(site, slug, "markdown", text)
        leap = "2016-12-31T23:59:60Z"
        leaping = json.dumps(
            {"@context": "https://schema.org", "@type": "Article", "dateModified": leap}
        )
        spoil(site, "leap", "jsonld", leaping.encode())
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, (name, (_, finding)) in enumerate(DATES.items()):
            manifest = newest(outcome, site, f"date{number}")
            assert manifest.state == "complete", name
            assert manifest.key is not None
            assert manifest.key.source in {"observed", "last-modified"}, name
            assert not finding or finding in findings(outcome, site, f"date{number}"), name
        assert newest(outcome, site, "leap").state == "complete"
