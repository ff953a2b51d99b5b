"""Content codings (RFC 9110 section 8.4) that lie, break, or hold gigabytes.

A body stands at an article's page, and again at the Markdown of a second, otherwise healthy one.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import brotli
import pytest
import zstandard

from tests.hostile.fault_server import answer, article, fault_server
from tests.hostile.faults import HTML, PAGE
from tests.hostile.harness import MOST_MEMORY, mirror

MIB = 1 << 20
ZEROS = bytes(16 * MIB)
PAST = "past the limit (2097152 bytes)"


@cache
def bomb(coding: str, times: int = 1) -> bytes:
    """Pack 16 MiB of zeros; ``times`` over, as members or frames that follow each other."""
    if coding == "br":
        packed: bytes = brotli.compress(ZEROS * times, quality=1)
        return packed
    if coding == "deflate":
        return zlib.compress(ZEROS * times, 1)
    one = gzip.compress(ZEROS, 1) if coding == "gzip" else zstandard.compress(ZEROS)
    return one * times


@cache
def nested(times: int) -> bytes:
    packed = bomb("gzip")
    for _ in range(times - 1):
        packed = gzip.compress(packed)
    return packed


def coded(coding: str, body: bytes) -> bytes:
    return answer(body=body, headers=(HTML, f"Content-Encoding: {coding}"))


def flipped(body: bytes, at: int) -> bytes:
    return body[:at] + bytes([body[at] ^ 255]) + body[at + 1 :]


ZIPPED = gzip.compress(PAGE)
BODIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "gzip bomb": (lambda: coded("gzip", bomb("gzip")), PAST),
    "deflate bomb": (lambda: coded("deflate", bomb("deflate")), PAST),
    "br bomb": (lambda: coded("br", bomb("br")), PAST),
    "zstd bomb": (lambda: coded("zstd", bomb("zstd")), PAST),
    "gzip bomb in gzip in gzip": (lambda: coded("gzip, gzip, gzip", nested(3)), PAST),
    "gzip bomb in two fields": (
        lambda: coded("gzip\r\nContent-Encoding: gzip", nested(2)),
        PAST,
    ),
    "20,000 gzip members": (lambda: coded("gzip", gzip.compress(b"") * 20_000), "16384 members"),
    "20 codings": (lambda: coded(", ".join(["gzip"] * 20), ZIPPED), "past the limit (20 codings)"),
    "10,000 codings": (lambda: coded(",".join(["gzip"] * 10_000), ZIPPED), "10000 codings"),
    "says gzip and is not": (lambda: coded("gzip", PAGE), "'gzip': corrupt"),
    "says br and is not": (lambda: coded("br", PAGE), "'br': "),
    "says zstd and is not": (lambda: coded("zstd", PAGE), "'zstd': corrupt"),
    "says deflate and is not": (lambda: coded("deflate", PAGE), "'deflate': "),
    "says gzip and is br": (lambda: coded("gzip", brotli.compress(PAGE)), "'gzip': "),
    "says gzip twice and is once": (lambda: coded("gzip, gzip", ZIPPED), "'gzip': corrupt"),
    "unknown coding": (lambda: coded("sdch", PAGE), "'sdch': unknown"),
    "coding of 9,000 letters": (lambda: coded("x" * 9000, PAGE), "': unknown"),
    "coding with a terminal's codes": (lambda: coded("\x1b[2J", PAGE), "': unknown"),
    "nothing as gzip": (lambda: coded("gzip", b""), "'gzip': cut short"),
    "gzip cut short": (lambda: coded("gzip", ZIPPED[:-20]), "'gzip': cut short"),
    "gzip without its checksum": (lambda: coded("gzip", ZIPPED[:-8]), "'gzip': cut short"),
    "gzip with a wrong checksum": (lambda: coded("gzip", flipped(ZIPPED, -6)), "'gzip': corrupt"),
    "br cut short": (lambda: coded("br", brotli.compress(PAGE)[:-9]), "'br': cut short"),
    "zstd cut short": (lambda: coded("zstd", zstandard.compress(PAGE)[:-4]), "'zstd': cut short"),
    "zstd with a window of 2 GiB": (
        lambda: coded("zstd", b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(90)),
        "'zstd': corrupt",
    ),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_that_does_not_decode_is_named_and_not_kept(name: str, tmp_path: Path) -> None:
    make, words = BODIES[name]
    async with fault_server() as site:
        url = site.fault("/news/bad", make())
        site.add("spoilt", healthy=False)
        site.routes["/news/spoilt.md"] = make()
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, words)
        assert outcome.kept(site)["spoilt"] == ["html", "jsonld", "text"]
        assert words in outcome.errors[site.url("/news/spoilt")]
        assert "bad" not in outcome.kept(site)


async def test_gzip_that_nobody_declares_is_no_format(tmp_path: Path) -> None:
    async with fault_server() as site:
        url = site.fault("/news/bad", answer(body=ZIPPED, headers=(HTML,)))
        site.add("spoilt", healthy=False)
        site.routes["/news/spoilt.md"] = answer(body=ZIPPED, headers=(HTML,))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "neither a page nor text")
        assert outcome.kept(site)["spoilt"] == ["html", "jsonld", "text"]
        assert "no markdown" in outcome.errors[site.url("/news/spoilt")]


async def test_bombs_of_gigabytes_are_borne_under_the_default_bounds(tmp_path: Path) -> None:
    """At 64 MiB a body, which is config.toml's, several at once."""
    async with fault_server() as site:
        bombs = {"gzip": 64, "deflate": 16, "br": 16, "zstd": 64}
        urls = [
            site.fault(f"/news/{coding}", coded(coding, bomb(coding, times)))
            for coding, times in bombs.items()
        ]
        outcome = await mirror(site, tmp_path, settings={"max_body": 64 * MIB})
        outcome.holds(site)
        for url in urls:
            assert "past the limit (67108864 bytes)" in outcome.errors[url]
        assert outcome.peak < MOST_MEMORY


async def test_no_body_that_does_not_decode_replaces_what_was_good(tmp_path: Path) -> None:
    patient = {"strikes": 1000}
    async with fault_server() as site:
        slugs = {f"body-{n}": name for n, name in enumerate(BODIES)}
        for slug, name in slugs.items():
            site.add(slug, words=f"On this day somebody told us of {name}. " * 8)
        (await mirror(site, tmp_path, settings=patient)).holds(site)
        for slug, name in slugs.items():
            site.routes[f"/news/{slug}"] = site.routes[f"/news/{slug}.md"] = BODIES[name][0]()
        outcome = await mirror(site, tmp_path, settings=patient)
        outcome.holds(site)
        assert outcome.summary["snapshots"] == 0


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "raw", "br", "zstd", "gzip, br"])
async def test_codings_nobody_asked_for_are_kept_and_read(coding: str, tmp_path: Path) -> None:
    async with fault_server() as site:
        made = site.add("coded")["html"]
        packer = zlib.compressobj(wbits=-15)
        packed = {
            "gzip": gzip.compress(made) + b"garbage after the end",
            "x-gzip": gzip.compress(made[:99]) + gzip.compress(made[99:]),
            "deflate": zlib.compress(made),
            "raw": packer.compress(made) + packer.flush(),
            "br": brotli.compress(made),
            "zstd": zstandard.compress(made),
            "gzip, br": brotli.compress(gzip.compress(made)),
        }[coding]
        site.routes["/news/coded"] = coded("deflate" if coding == "raw" else coding, packed)
        (await mirror(site, tmp_path)).holds(site)


async def test_many_formats_that_each_fit_do_not_fit_together(tmp_path: Path) -> None:
    """Every body is within its bound; the set of them is not."""
    async with fault_server() as site:
        made = article("sum", site.base)
        site.add("sum", healthy=False)
        for suffix in (".md", ".txt"):
            body = made["text"] + b"More and more of it. " * 60_000
            site.routes[f"/news/sum{suffix}"] = coded("gzip", gzip.compress(body, 1))
        outcome = await mirror(site, tmp_path, settings={"max_document_set": 2 * MIB})
        outcome.holds(site, site.url("/news/sum"), "the set is larger than 2,097,152 bytes")
