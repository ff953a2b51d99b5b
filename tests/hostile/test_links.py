"""Links of every bad kind: alternates, canonicals, Link headers, base addresses.

What a link leads to is fetched or refused in words; the article that carries it, and all others,
are kept whole.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.archive import Archive
from storage.model import Manifest
from tests.hostile.fault_server import FORMATS, FaultServer, answer, article, fault_server, stall
from tests.hostile.harness import Outcome, mirror

MIB = 1 << 20
HTML = "Content-Type: text/html; charset=utf-8"


def put(
    site: FaultServer, slug: str, head: str = "", *headers: str, canonical: str | None = None
) -> str:
    """Add an article with more in its page's head and header; ``canonical`` in place of its own."""
    site.add(slug, healthy=False)
    html = article(slug, site.base)["html"].decode()
    url = site.url(f"/news/{slug}")
    if canonical is not None:
        html = html.replace(f'rel="canonical" href="{url}"', f'rel="canonical" href="{canonical}"')
    html = html.replace("</title>", f"</title>{head}", 1)
    site.routes[f"/news/{slug}"] = answer(body=html.encode(), headers=(HTML, *headers))
    return url


def newest(outcome: Outcome, site: FaultServer, slug: str) -> Manifest:
    """Return the article's newest snapshot."""
    with Archive.open(outcome.mirror) as archive:
        manifest = archive.newest(site.host.replace(":", "+"), slug)
    assert manifest is not None, f"{slug} was not kept:\n{outcome.stderr}"
    return manifest


def whole(outcome: Outcome, site: FaultServer, slug: str, case: str) -> Manifest:
    """Return the article's newest snapshot, which is complete in its four formats."""
    manifest = newest(outcome, site, slug)
    assert manifest.state == "complete", f"{case}: {manifest.missing}"
    assert {each.format for each in manifest.representations} == FORMATS.keys(), case
    return manifest


def findings(manifest: Manifest) -> set[str]:
    return {finding.kind for finding in manifest.findings}


#: Addresses that are no http or https URL, or that lead to this very page: no link at all.
NOWHERE = {
    "a fragment": "#top",
    "JavaScript": "javascript:alert(1)",
    "data": "data:text/markdown,# Hello",
    "mail": "mailto:a@example.org",
    "a file": "file:///etc/passwd",
    "nothing": "",
    "blanks": " \t\n ",
    "100 KB": "/" + "a" * 100_000,
    "an invalid port": "http://example.org:99999999/a.md",
    "IDNA garbage": "http://xn--\u2028\uffff.xn--a/x.md",
    "credentials": "http://user:secret@127.0.0.1/x.md",
    "no host": "http://?x",
    "half an address in brackets": "http://[::1/x.md",
    "a NUL": "http://exa%00mple.org/x.md",
    "ftp": "ftp://127.0.0.1/x.md",
    "a blob": "blob:http://127.0.0.1/x.md",
    "view-source": "view-source:http://127.0.0.1/",
}


async def test_alternates_that_lead_nowhere_are_no_formats(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, href in enumerate(NOWHERE.values()):
            link = f'<link rel="alternate" type="application/x-odd" href="{href}">'
            put(site, f"no{number}", link)
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0, outcome.errors
        for number, case in enumerate(NOWHERE):
            whole(outcome, site, f"no{number}", case)
        assert "secret" not in outcome.stdout + outcome.stderr
        assert "secret" not in outcome.said("")


async def test_canonicals_that_lead_nowhere_leave_the_article_where_it_is(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, href in enumerate(NOWHERE.values()):
            put(site, f"no{number}", canonical=href)
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0, outcome.errors
        for number, case in enumerate(NOWHERE):
            manifest = whole(outcome, site, f"no{number}", case)
            assert manifest.url == site.url(f"/news/no{number}"), case


#: Alternates that could be asked for, and may not be: what the missing format says.
REFUSED = {
    "the loopback address": ("http://127.0.0.2/x", "is not public"),
    "a private address": ("http://10.0.0.1/x", "is not public"),
    "the cloud's metadata": ("http://169.254.169.254/latest/meta-data/", "is not public"),
    "a name with an empty label": ("http://a..b/x", "is not known"),
    "a name with a long label": (f"http://{'a' * 64}.example/x", "is not known"),
    "an address as a number": ("http://2130706434/x", "is not public"),
    "an address in IPv6": ("http://[::ffff:10.0.0.1]/x", "is not public"),
    "a name nobody has": ("http://nowhere.invalid/x", "is not known"),
    "an odd port": ("http://127.0.0.2:22/x", "is not public"),
    "backslashes": ("http:\\\\127.0.0.2\\x", "is not public"),
    "a host that says nothing": ("http://mute.example/x", "the server was silent"),
}


async def test_alternates_on_hosts_that_may_not_be_asked_are_missing_in_words(
    tmp_path: Path,
) -> None:
    async with fault_server() as site, fault_server(healthy=False) as mute:
        mute.routes.update({"/robots.txt": stall(), "/x": stall()})
        urls = {
            case: put(site, f"ref{n}", f'<link rel=alternate type=application/pdf href="{url}">')
            for n, (case, (url, _)) in enumerate(REFUSED.items())
        }
        resolve = f"mute.example:80:127.0.0.1:{mute.port}"
        outcome = await mirror(site, tmp_path, "--resolve", resolve)
        outcome.holds(site)
        assert outcome.code == 1
        for number, (case, (_, words)) in enumerate(REFUSED.items()):
            assert "no pdf: " in outcome.said(urls[case]), case
            assert words in outcome.said(urls[case]), case
            kept = newest(outcome, site, f"ref{number}")
            assert {each.format for each in kept.representations} == FORMATS.keys(), case


def _circle(site: FaultServer, *slugs: str) -> None:
    """Let each page name the next one as its canonical, the last one the first."""
    for slug, following in zip(slugs, (*slugs[1:], slugs[0]), strict=True):
        put(site, slug, canonical=site.url(f"/news/{following}"))


async def test_canonicals_in_circles_and_to_the_wrong_page_are_conflicts(tmp_path: Path) -> None:
    async with fault_server() as site:
        _circle(site, "one", "two")
        _circle(site, "alpha", "beta", "gamma")
        own = put(site, "self")
        put(site, "stolen", canonical=site.url("/news/bridge"))
        put(site, "dead", canonical=site.url("/news/nothing-here"))
        put(site, "twice", f'<link rel="canonical" href="{site.url("/news/harbour")}">')
        put(site, "mixed", "", f'Link: <{site.url("/news/market")}>; rel="canonical"')
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for slug in ("one", "two", "alpha", "beta", "gamma", "stolen", "dead", "twice"):
            manifest = whole(outcome, site, slug, slug)
            assert manifest.url == site.url(f"/news/{slug}")
            assert "canonical-conflict" in findings(manifest), slug
        assert findings(whole(outcome, site, "self", own)) == set()
        whole(outcome, site, "mixed", "mixed")


async def test_canonicals_on_hosts_that_may_not_be_asked_cost_the_article_nothing(
    tmp_path: Path,
) -> None:
    places = ("http://10.0.0.1/x", "http://nowhere.invalid/x", "http://[fe80::1]/x")
    async with fault_server() as site:
        for number, place in enumerate(places):
            put(site, f"far{number}", canonical=place)
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for number, place in enumerate(places):
            manifest = whole(outcome, site, f"far{number}", place)
            assert manifest.record is not None
            assert manifest.record.canonical_source == place
            assert outcome.said(place).strip(), place


#: Link header fields, and what stays of them.
HEADERS = {
    "1 MB": "Link: <" + "a" * MIB + '>; rel="alternate"',
    "2,000 links": "Link: " + ", ".join(f'</l{n}>; rel="related"' for n in range(2_000)),
    "quotes that never close": 'Link: </x>; rel="alternate; type="text/mark',
    "brackets that never close": "Link: </x" + "<" * 5_000,
    "nothing but commas": "Link: " + "," * 20_000,
    "nothing but backslashes": 'Link: </x>; title="' + "\\" * 20_000,
    "an anchor elsewhere": (
        'Link: </x.epub>; rel="alternate"; type="application/epub+zip"; anchor="/o"'
    ),
}


async def test_link_headers_of_every_bad_kind_are_read_or_refused(tmp_path: Path) -> None:
    async with fault_server() as site:
        urls = {
            case: put(site, f"header{n}", "", field)
            for n, (case, field) in enumerate(HEADERS.items())
        }
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert "header" in outcome.said(urls["1 MB"])
        for number, case in enumerate(HEADERS):
            if case != "1 MB":
                whole(outcome, site, f"header{number}", case)


async def test_thousands_of_alternates_are_cut_and_it_is_said(tmp_path: Path) -> None:
    async with fault_server() as site:
        many = "".join(
            f'<link rel="alternate" type="application/x-f{n}" href="/news/f{n}">'
            for n in range(10_000)
        )
        put(site, "kinds", many)
        same = "".join(
            f'<link rel="alternate" type="text/markdown" href="/news/m{n}">' for n in range(10_000)
        )
        put(site, "copies", same)
        put(site, "anchors", "".join(f'<a rel="next" href="?{n}">n</a>' for n in range(20_000)))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        kinds = newest(outcome, site, "kinds")
        assert "too-many-formats" in findings(kinds)
        assert len(kinds.representations) + len(kinds.missing) <= 20
        assert newest(outcome, site, "copies").missing == {
            "markdown": "the server answered 404 Not Found"
        }
        asked = [target for target in site.counts if target.removeprefix("/news/m").isdigit()]
        assert asked == ["/news/m0"]


async def test_alternates_that_all_articles_share_or_that_lie_are_said(tmp_path: Path) -> None:
    async with fault_server() as site:
        shared = '<link rel="alternate" type="application/epub+zip" href="/all.epub">'
        site.routes["/all.epub"] = answer(
            body=b"PK\x03\x04 the same", headers=("Content-Type: x/y",)
        )
        for slug in ("first", "second", "third"):
            put(site, slug, shared)
        page = '<link rel="alternate" type="application/pdf" href="/">'
        lying = put(site, "lying", page)
        itself = put(site, "itself", '<link rel="alternate" type="application/epub+zip" href="">')
        alone = put(
            site, "alone", '<link rel="alternate" type="application/pdf" href="/news/alone">'
        )
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for slug in ("first", "second", "third"):
            assert "epub" in {each.format for each in newest(outcome, site, slug).representations}
        assert "no pdf: it is HTML under the address of pdf" in outcome.said(lying)
        assert "no pdf: it is HTML under the address of pdf" in outcome.said(alone)
        whole(outcome, site, "itself", itself)


async def test_one_articles_markdown_declared_by_all_stays_that_articles(tmp_path: Path) -> None:
    async with fault_server() as site:
        stolen = site.url("/news/bridge.md")
        for slug in ("first", "second", "third"):
            put(site, slug)
            html = article(slug, site.base)["html"].replace(
                site.url(f"/news/{slug}.md").encode(), stolen.encode()
            )
            site.routes[f"/news/{slug}"] = answer(body=html, headers=(HTML,))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        for slug in ("first", "second", "third"):
            manifest = newest(outcome, site, slug)
            assert manifest.slug == slug
            assert "canonical-conflict" in findings(manifest), slug
            assert manifest.record is not None
            assert slug in (manifest.record.title or ""), slug


@pytest.mark.parametrize(
    "base",
    [
        pytest.param("http://10.0.0.1/", id="a private host"),
        pytest.param("javascript:alert(1)", id="JavaScript"),
        pytest.param("data:text/html,x", id="data"),
        pytest.param("//", id="half an address"),
    ],
)
async def test_a_base_address_of_a_bad_kind_moves_no_link_into_danger(
    base: str, tmp_path: Path
) -> None:
    async with fault_server() as site:
        put(site, "based", f'<base href="{base}"><link rel="next" href="x"><a href="y">y</a>')
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        whole(outcome, site, "based", base)
