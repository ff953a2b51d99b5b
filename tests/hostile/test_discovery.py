"""Lists and paths of every bad kind: sitemaps, feeds, llms.txt, and links that never end."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from tests.hostile.fault_server import FaultServer, Handler, Request, Wire, answer, fault_server
from tests.hostile.harness import mirror

MIB = 1 << 20
XML = "Content-Type: application/xml"
HTML = "Content-Type: text/html; charset=utf-8"
NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def urlset(*locations: str) -> bytes:
    urls = "".join(f"<url><loc>{each}</loc></url>" for each in locations)
    return f'<urlset xmlns="{NAMESPACE}">{urls}</urlset>'.encode()


def index(*locations: str) -> bytes:
    maps = "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in locations)
    return f'<sitemapindex xmlns="{NAMESPACE}">{maps}</sitemapindex>'.encode()


def sitemap(site: FaultServer, path: str, body: bytes, kind: str = XML) -> str:
    """Serve ``body`` and name it in robots.txt; returns its URL."""
    site.routes[path] = answer(body=body, headers=(kind,))
    url = site.url(path)
    site.robots = (site.robots or "User-agent: *\nDisallow:\n") + f"Sitemap: {url}\n"
    return url


_DTD = "<!DOCTYPE urlset [{}]>"
_LAUGHS = "<!ENTITY a0 'ha'>" + "".join(
    f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10)
)
#: Sitemaps that are not read, and what is said of them. ``{}`` is the site's own address.
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "a billion laughs": (
        _DTD.format(_LAUGHS).encode() + urlset("&a9;"),
        "it declares XML entities, which are never expanded",
    ),
    "an entity that is a file": (
        _DTD.format('<!ENTITY x SYSTEM "file:///etc/passwd">').encode() + urlset("&x;"),
        "entities, which are never expanded",
    ),
    "an entity that is an address": (
        _DTD.format('<!ENTITY x SYSTEM "{}/entity">').encode() + urlset("&x;"),
        "entities, which are never expanded",
    ),
    "parameter entities": (
        _DTD.format('<!ENTITY % x SYSTEM "{}/entity"> %x;').encode() + urlset(),
        "entities, which are never expanded",
    ),
    "an HTML page": (b"<!doctype html><html><title>Oh</title>", "the sitemap is unreadable"),
    "binary": (random.Random(4).randbytes(50_000), "lines hold no URL"),
    "nothing": (b"", "it is empty"),
    "some other XML": (b"<?xml version='1.0'?><svg/>", "its root element is <svg>"),
    "600,000 elements deep": (b"<urlset>" + b"<a>" * 600_000, "nested more than 64 deep"),
    "gzip cut short": (gzip.compress(urlset("{}/a") * 99)[:-40], "cut short"),
    "a gzip bomb": (gzip.compress(b"<urlset>" + bytes(80 * MIB), 9), "past the limit"),
}


async def test_sitemaps_that_can_not_be_read_are_named_and_expand_to_nothing(
    tmp_path: Path,
) -> None:
    async with fault_server() as site:
        urls = {
            case: sitemap(site, f"/bad{n}.xml", body.replace(b"{}", site.base.encode()))
            for n, (case, (body, _)) in enumerate(UNREADABLE.items())
        }
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert site.counts["/entity"] == 0
        for case, (_, words) in UNREADABLE.items():
            assert words in outcome.said(urls[case]), case
        assert "root:" not in outcome.stdout + outcome.stderr


#: Sitemaps with one good address among what is wrong with them: what is said, "" for nothing.
MENDED: dict[str, tuple[bytes, str]] = {
    "cut in the middle": (urlset("{}", "http://x/")[:-30], "the XML breaks"),
    "UTF-16": (b"\xff\xfe" + urlset("{}").decode().encode("utf-16-le"), ""),
    "UTF-16 without a mark": (urlset("{}").decode().encode("utf-16-le"), ""),
    "an encoding it is not in": (
        b'<?xml version="1.0" encoding="utf-16"?>' + urlset("{}", "http://127.0.0.1/ü"),
        "",
    ),
    "an encoding nobody has": (b'<?xml version="1.0" encoding="klingon"?>' + urlset("{}"), ""),
    "a mark and blanks in front": (b"\xef\xbb\xbf \n" + urlset("{}"), ""),
    "a warning in front": (b"<br /><b>Warning</b>: x in y\n" + urlset("{}"), ""),
    "bare ampersands": (urlset("{}", "http://127.0.0.1/?a=1&b=2"), "read after repair"),
    "control characters": (urlset("{}", "http://127.0.0.1/\x01\x1b]0;x\x07"), "read after repair"),
    "a DTD of 1 MB": (
        b"<!DOCTYPE urlset [" + b"<!ELEMENT a ANY>" * 65_536 + b"]>" + urlset("{}"),
        "",
    ),
    "other schemes": (
        urlset("{}", "javascript:alert(1)", "file:///etc/passwd", "data:,x", ""),
        "3 entries hold no http or https URL",
    ),
    "dates of every bad kind": (
        urlset("{}").replace(
            b"</loc>", b"</loc><lastmod>0000-13-99T99:99:99+99:99" + b"9" * 9_999 + b"</lastmod>"
        ),
        "",
    ),
    "prefixes and capitals": (
        urlset("{}")
        .replace(b"<", b"<s:")
        .replace(b"<s:/", b"</s:")
        .replace(b"xmlns=", b"xmlns:s="),
        "",
    ),
    "lines of text": (
        b"{}\nhttp://127.0.0.1/other\nwords\n" + b"x" * 100_000,
        "2 lines hold no URL",
    ),
    "an address of 100 KB": (urlset("{}", "http://127.0.0.1/" + "a" * 100_000), ""),
}


async def test_sitemaps_that_are_wrong_in_part_are_read_for_the_rest(tmp_path: Path) -> None:
    async with fault_server() as site:
        urls = {}
        for number, (case, (body, _)) in enumerate(MENDED.items()):
            site.add(f"only{number}")
            site.listed.remove(f"/news/only{number}")
            place = site.url(f"/news/only{number}")
            encoded = body.replace(b"{}", place.encode())
            encoded = encoded.replace("{}".encode("utf-16-le"), place.encode("utf-16-le"))
            urls[case] = sitemap(site, f"/odd{number}.xml", encoded)
        outcome = await mirror(site, tmp_path, settings={"page_depth": 0})
        outcome.holds(site)
        for case, (_, words) in MENDED.items():
            assert words in outcome.said(urls[case]), case


async def test_sitemaps_in_circles_and_without_end_are_read_once_and_to_a_bound(
    tmp_path: Path,
) -> None:
    async with fault_server() as site:
        sitemap(site, "/self.xml", index(site.url("/self.xml")))
        sitemap(site, "/a.xml", index(site.url("/b.xml")))
        site.routes["/b.xml"] = answer(body=index(site.url("/a.xml"), site.url("/b.xml")))
        sitemap(site, "/deep0.xml", index(site.url("/deep1.xml")))
        for n in range(1, 10):
            site.routes[f"/deep{n}.xml"] = answer(body=index(site.url(f"/deep{n + 1}.xml")))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for path in ("/self.xml", "/a.xml", "/b.xml", "/deep0.xml"):
            assert site.counts[path] == 1, path
        assert site.counts["/deep9.xml"] == 0
        assert "left out 1 sitemap" in outcome.stdout + outcome.stderr


async def test_a_sitemap_of_more_than_it_may_list_is_cut_and_an_index_of_thousands_too(
    tmp_path: Path,
) -> None:
    async with fault_server() as site:
        many = (f"{site.base}/outside/{n}" for n in range(50_001))
        long = sitemap(site, "/long.xml", urlset(*many))
        wide = sitemap(site, "/wide.xml", index(*(site.url(f"/m{n}.xml") for n in range(5_000))))
        bounds = {"max_sitemaps": 20}
        outcome = await mirror(
            site, tmp_path, "--exclude", "*/outside/*", settings={**bounds, "max_body": 4 * MIB}
        )
        outcome.holds(site)
        assert "more than 50,000 URLs" in outcome.said(long)
        assert sum(target.startswith("/m") for target in site.counts) < 20
        assert wide not in outcome.errors


_ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom" %b</feed>'
_JSON = b'{"version": "https://jsonfeed.org/version/1.1", "items": '
_RSS = b"<rss version='2.0'><channel><title>x</title>%b</channel></rss>"
_ITEM = "<item><link>{}</link></item>"
#: Feeds, and what is said of them: "" where their one good entry is read.
FEEDS: dict[str, tuple[bytes, str]] = {
    "a billion laughs": (
        b"<?xml version='1.0'?><!DOCTYPE rss ["
        + _LAUGHS.encode()
        + b"]>"
        + _RSS % b"<item>&a9;</item>",
        "entities, which are never expanded",
    ),
    "an entity that is a file": (
        b"<!DOCTYPE rss [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>" + _RSS % b"<item>&x;</item>",
        "entities, which are never expanded",
    ),
    "an HTML page": (b"<!doctype html><title>x</title>", "no RSS, Atom or JSON Feed"),
    "JSON cut in half": (_JSON + b'[{"url"', "JSON"),
    "JSON 100,000 deep": (_JSON + b"[" * 100_000, "nests without end"),
    "30,000 entries": (
        _RSS % (_ITEM.format("http://127.0.0.1/x").encode() * 30_000),
        "more markup",
    ),
    "a gzip bomb": (gzip.compress(b"<rss>" + bytes(40 * MIB), 9), "past the limit"),
    "its own next page": (
        _ATOM % b'><link rel="next" href="{feed}"/><entry><link href="{}"/></entry>',
        "",
    ),
    "a base elsewhere": (
        _ATOM
        % (
            b'xml:base="http://10.0.0.1/"><entry><link href="/news/x"/></entry>'
            b'<entry xml:base="{base}"><link href="{}"/></entry>'
        ),
        "",
    ),
    "scripts for links": (
        _RSS % b"<item><link>javascript:alert(1)</link></item><item><link>{}</link></item>",
        "",
    ),
    "elements 5,000 deep": (_RSS % (b"<a>" * 5_000), "the XML breaks"),
}


async def test_feeds_of_every_bad_kind_are_read_or_named(tmp_path: Path) -> None:
    async with fault_server() as site:
        site.routes["/sitemap.xml"] = answer("404 Not Found")
        links = "".join(f'<a href="/news/{slug}">{slug}</a> ' for slug in site.articles)
        urls = {}
        for number, (case, (body, words)) in enumerate(FEEDS.items()):
            urls[case] = url = site.url(f"/feed{number}.xml")
            if not words:
                site.add(f"only{number}")
            place = site.url(f"/news/only{number}").encode()
            here = body.replace(b"{}", place).replace(b"{feed}", url.encode())
            here = here.replace(b"{base}", f"{site.base}/".encode())
            site.routes[f"/feed{number}.xml"] = answer(body=here, headers=(XML,))
        heads = "".join(
            f'<link rel="alternate" type="application/rss+xml" href="{url}">'
            for url in urls.values()
        )
        page = f"<!doctype html><title>News</title>{heads}<h1>News</h1>{links}"
        site.routes["/"] = answer(body=page.encode(), headers=(HTML,))
        outcome = await mirror(site, tmp_path, settings={"max_body": 32 * MIB})
        outcome.holds(site)
        for case, (_, words) in FEEDS.items():
            assert words in outcome.said(urls[case]), case
        assert site.counts["/feed7.xml"] == 1


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"- [x](/news/bridge): y\n" * (10 * MIB // 24), id="10 MB"),
        pytest.param(b"[x](" * (5 * MIB // 4), id="one line of 5 MB"),
        pytest.param(random.Random(4).randbytes(MIB), id="binary"),
        pytest.param(
            b"- [x](javascript:alert(1)) [y](file:///etc/passwd) <http://[>\n", id="schemes"
        ),
    ],
)
async def test_llms_txt_of_every_bad_kind_is_read_in_linear_time(
    body: bytes, tmp_path: Path
) -> None:
    async with fault_server() as site:
        site.routes["/llms.txt"] = answer(body=body, headers=("Content-Type: text/plain",))
        outcome = await mirror(site, tmp_path, settings={"max_body": 16 * MIB})
        outcome.holds(site)
        assert outcome.code == 0


def _page(links: str, words: str = "Days") -> bytes:
    html = f"<!doctype html><title>{words}</title><h1>{words}</h1><ul>{links}</ul>"
    return answer(body=html.encode(), headers=(HTML,))


def _link(path: str) -> str:
    return f'<li><a href="{path}">{path}</a></li>'


def _calendar(path: str) -> str:
    """Two links: the next month, and the one before."""
    year, month = (int(part) for part in path.removeprefix("/trap/").split("-"))
    after = year * 12 + month
    before = after - 2
    return _link(f"/trap/{after // 12}-{after % 12 + 1}") + _link(
        f"/trap/{before // 12}-{before % 12 + 1}"
    )


def _sessions(path: str) -> str:
    """Every page gives every link a new session id."""
    seed = random.Random(path)
    return "".join(_link(f"/trap/s/{seed.randbytes(12).hex()}/list{n}") for n in range(5))


def _facets(path: str) -> str:
    """One more filter on each page."""
    number = path.count("=")
    return "".join(
        _link(f"/trap/list?{path.partition('?')[2]}&f{n}={number}".replace("?&", "?"))
        for n in range(5)
    )


def _letters(path: str) -> str:
    """Offer each letter on each page: filters in words."""
    return "".join(_link(f"{path.rstrip('/')}/{letter}") for letter in "abcdefgh")


def _deepening(path: str) -> str:
    """Lead one folder deeper each time, by relative links."""
    return '<li><a href="a/">more</a></li><li><a href="b/">more</a></li>'


def _pages(path: str) -> str:
    """Lead to a next page of the list, always."""
    number = int(path.rpartition("=")[2])
    return f'<a rel="next" href="/trap/list?page={number + 1}">next</a>'


#: A trap: its first path, what it links to, and the most pages it may cost.
TRAPS = {
    "a calendar": ("/trap/2026-6", _calendar, 110),
    "session ids in paths": ("/trap/s/00000000000000000000000a/list0", _sessions, 500),
    "facets in the query": ("/trap/list?", _facets, 1_000),
    "facets in words": ("/trap/", _letters, 400),
    "relative links that deepen": ("/trap/a/", _deepening, 120),
    "pages without end": ("/trap/list?page=1", _pages, 70),
}


@pytest.mark.parametrize("case", TRAPS)
async def test_a_trap_costs_a_bounded_number_of_pages(case: str, tmp_path: Path) -> None:
    first, links, most = TRAPS[case]
    async with fault_server() as site:
        start = "".join(_link(f"/news/{slug}") for slug in site.articles) + _link(first)
        site.routes["/"] = _page(start, "News")
        asked: list[str] = []

        def trap() -> Handler:
            async def handle(request: Request, wire: Wire) -> None:
                asked.append(request.target)
                if request.target.startswith("/trap/"):
                    await wire.send(_page(links(request.target)))
                else:
                    await wire.send(answer("404 Not Found"))

            return handle

        site.otherwise = trap()
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert len([each for each in asked if each.startswith("/trap/")]) <= most


async def test_thousands_of_addresses_with_one_body_are_no_articles(tmp_path: Path) -> None:
    sham = (
        "<!doctype html><title>Oh</title><meta property='og:type' content='article'>"
        "<article><h1>Oh</h1><p>" + "There is nothing here at all. " * 40
    )
    async with fault_server() as site:
        shams = [f"/news/gone-{n}" for n in range(300)]
        for path in shams:
            site.fault(path, answer(body=sham.encode(), headers=(HTML,)))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert sorted(outcome.kept(site)) == sorted(site.articles)
        assert "soft 404" in outcome.said(site.url(shams[0]))
