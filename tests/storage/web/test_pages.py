"""The pages: what they show of an archive, and that a site's words stay words."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from msgspec import structs

from storage.model import Draft, Finding, Key, Record
from storage.web.answer import FRAME
from tests.storage.drafts import SITE, UPDATED, article, event, hour, stored
from tests.storage.web.serving import client_of

STORY = f"/sites/{SITE}/story"

#: What executes something somewhere if it is not escaped, sanitised or kept from running.
PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus=alert(1) x="',
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</pre><script>alert(1)</script>",
    "<!--<script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<a href=javascript:alert(1)>x</a>",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "&lt;script&gt;alert(1)&lt;/script&gt;<script src=//evil.example/x.js></script>",
    "[x](javascript:alert(1)) ![x](https://evil.example/x.png)",
)  # fmt: skip


def named(title: str, slug: str = "story", **changes: Any) -> Draft:
    """Return a snapshot whose record says more."""
    draft = article(slug)
    url = draft.manifest.url
    facts: dict[str, Any] = {
        "title": title, "body_md": f"{title} body", "lang": "en", "topics": ("Rail", "Roads"),
        "entities": ("City Council",), "updated_at": UPDATED,
    }  # fmt: skip
    record = Record(slug=slug, url=url, **(facts | changes))
    return structs.replace(draft, manifest=structs.replace(draft.manifest, record=record))


def hostile(number: int, payload: str) -> Draft:
    """Return a snapshot with a payload in every place that a site's words come to."""
    draft = article(f"{number}{payload}", formats=("html", "markdown", "text", "jsonld"))
    manifest = draft.manifest
    url = manifest.url
    record = Record(
        slug=manifest.slug, title=payload, summary=payload, body_md=payload, url=payload,
        canonical_source=payload, lang=payload, topics=(payload,), entities=(payload,),
        alternates={payload: payload},
    )  # fmt: skip
    payloads = [
        structs.replace(
            each,
            body=payload.encode(),
            headers=(*each.headers, ("X-Evil", payload), ("Link", payload)),
            reason=payload,
        )
        for each in draft.payloads
    ]
    digests = [
        structs.replace(one, media_type=payload, particulars={payload: payload})
        for one in draft.manifest.representations
    ]
    return Draft(
        manifest=structs.replace(
            manifest,
            record=record,
            findings=(Finding(kind=payload, detail=payload, formats=(payload,)),),
            said={payload: payload},
            canonical={payload: payload, "html": url},
            usage={payload: payload},
            missing={payload: payload},
            state="partial",
            representations=tuple(with_body(one, payload.encode()) for one in digests),
        ),
        payloads=tuple(payloads),
    )


def with_body(one: Any, body: bytes) -> Any:
    return structs.replace(one, digest=sha256(body).hexdigest(), length=len(body))


def assert_inert(text: str) -> None:
    """Make sure that a page of ours has no element or attribute that could run or fetch."""
    tree = html.document_fromstring(text)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        assert element.tag not in {"script", "img", "object", "embed", "base", "math", "mi"}, text
        for name, value in element.attrib.items():
            assert not name.startswith("on"), (name, value)
            if name in {"href", "src", "action", "srcdoc", "formaction"}:
                assert re.match(r"/|#[a-z]+$|https?://", value), (name, value)
                assert not re.match(r"//", value), (name, value)
        if element.tag in {"iframe", "link", "form"}:
            target = element.get("src") or element.get("href") or element.get("action")
            assert re.match(r"/(?!/)", target), target
        assert element.get("http-equiv") is None


@pytest.mark.parametrize("number", range(len(PAYLOADS)))
async def test_a_sites_words_run_nothing_anywhere(tmp_path: Path, number: int) -> None:
    payload = PAYLOADS[number]
    later = hostile(number, payload)
    changed = structs.replace(later.manifest, observed_at=hour(2), reason="silent-edit")
    stored(tmp_path, hostile(number, payload), structs.replace(later, manifest=changed))
    async with client_of(tmp_path) as client:
        seen = {"/"}
        queue = ["/", f"/sites/{SITE}", f"/search?q={number}", "/nothing<script>"]
        while queue:
            path = queue.pop()
            got = await client.get(path)
            assert got.status < 500, (path, got.text)
            policy = got.headers["Content-Security-Policy"]
            if got.type != "text/html" or policy == FRAME:
                assert policy == FRAME or got.type in {
                    "application/atom+xml", "application/json", "application/link-format",
                    "application/xml", "text/css", "text/plain",
                }  # fmt: skip
                continue
            assert_inert(got.text)
            for link in html.document_fromstring(got.text).iterlinks():
                target = link[2]
                if target.startswith("/") and target not in seen and len(seen) < 200:
                    seen.add(target)
                    queue.append(target)
        assert any("/frame" in path for path in seen)


async def test_home_shows_what_changed_newest_first_and_every_site(tmp_path: Path) -> None:
    stored(tmp_path, named("Rails laid"), article("other", seen=hour(1)))
    stored(tmp_path, event("gone", seen=hour(2)))
    async with client_of(tmp_path) as client:
        text = await client.text("/")
        assert text.index(">Gone<") < text.index("The other") < text.rindex("Rails laid")
        assert f'href="/sites/{SITE}"' in text


async def test_a_sites_articles_are_found_by_words_and_filters(tmp_path: Path) -> None:
    old = named("Roads mended", "roads", lang="de", topics=("Roads",), entities=())
    key = Key(updated_at=hour(-90), unit="second", source="json")
    moved = structs.replace(old.manifest, key=key)
    stored(tmp_path, named("Rails laid", "rails"), structs.replace(old, manifest=moved))
    stored(tmp_path, event("gone", "roads", seen=hour(3)))
    async with client_of(tmp_path) as client:
        shown = {}
        for query in (
            "", "q=rail", "q=mended+roads", "q=nothing", "language=de", "topic=Roads", "topic=Rail",
            "entity=City+Council", "state=gone", "state=here", "from=2026-06-18", "to=2026-06-18",
            "topic=Roads&language=en", "q=mended&topic=Rail", "topic=None",
        ):  # fmt: skip
            text = await client.text(f"/sites/{SITE}?{query}")
            shown[query] = ("Rails laid" in text, "Roads mended" in text)
        assert shown == {
            "": (True, True), "q=rail": (True, False), "q=mended+roads": (False, True),
            "q=nothing": (False, False), "language=de": (False, True), "topic=Roads": (True, True),
            "topic=Rail": (True, False), "entity=City+Council": (True, False),
            "state=gone": (False, True), "state=here": (True, False),
            "from=2026-06-18": (True, False), "to=2026-06-18": (False, True),
            "topic=Roads&language=en": (True, False), "q=mended&topic=Rail": (False, False),
            "topic=None": (False, False),
        }  # fmt: skip
        everywhere = await client.text("/search?q=rails")
        assert "Rails laid" in everywhere
        assert "Roads mended" not in everywhere


async def test_a_long_list_goes_on_where_it_stopped(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"story-{n:03}") for n in range(60)))
    async with client_of(tmp_path) as client:
        path: str | None = f"/sites/{SITE}"
        found: list[str] = []
        while path:
            tree = html.document_fromstring(await client.text(path))
            found += tree.xpath("//ol[@class='articles']//h3/a/@href")
            path = next(iter(tree.xpath("//a[@rel='next']/@href")), None)
        assert len(found) == len(set(found)) == 60


async def test_an_article_shows_its_history_record_and_who_declared_what(tmp_path: Path) -> None:
    first = named("Rails laid", body_md="One two three", canonical_source="https://orig.example/1")
    other = named("The copy", "copy", canonical_source="https://orig.example/1")
    second = named("Rails laid", body_md="One 2 three four")
    edited = structs.replace(
        second.manifest, observed_at=hour(1), reason="silent-edit", said={"title": "jsonld"},
        findings=(Finding(kind="went-backwards", detail="a day"),), usage={"x-robots-tag": "noai"},
    )  # fmt: skip
    silent = article(edition="!", seen=hour(1))
    stored(tmp_path, first, other, Draft(
        manifest=structs.replace(edited, representations=silent.manifest.representations),
        payloads=silent.payloads,
    ))  # fmt: skip
    async with client_of(tmp_path) as client:
        text = await client.text(STORY)
        assert "2 snapshots" in text
        assert "\N{MINUS SIGN}1</span> <span" in text
        assert "+2</span>" in text
        for said in ("Edited in silence", "went-backwards", "noai", "jsonld", "City Council"):
            assert said in text
        assert 'rel="version-history"' in (await client.get(STORY)).headers["Link"]
        copy = await client.text(f"/sites/{SITE}/copy")
        assert "https://orig.example/1" in copy
        assert "which is not in this archive" in copy


async def test_what_a_format_alone_can_tell_stands_among_who_declared_what(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",), particulars={"pages": 12}))
    async with client_of(tmp_path) as client:
        page = html.document_fromstring((await client.get(STORY)).text)
    rows = [
        [cell.text_content() for cell in row]
        for row in page.xpath('//table[@class="cards said"]/tbody/tr')
    ]
    assert ["pages", "html", "12"] in rows


async def test_one_snapshot_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("twice"), article("twice", edition="!", seen=hour(1)))
    async with client_of(tmp_path) as client:
        for path, several in ((STORY, False), (f"/sites/{SITE}/twice", True)):
            text = await client.text(path)
            assert [part in text for part in ('name="from"', "Timeline of", "Compare word")] == [
                several
            ] * 3
            assert ">html</a>" in text


async def test_the_same_original_ties_articles_together(tmp_path: Path) -> None:
    one = named("One", "one", canonical_source="https://orig.example/1")
    two = named("Two", "two", canonical_source="https://orig.example/1")
    stored(tmp_path, one, two)
    async with client_of(tmp_path) as client:
        text = await client.text(f"/sites/{SITE}/one")
        assert "Others that name it" in text
        assert f'href="/sites/{SITE}/two"' in text


async def test_a_snapshot_is_found_by_key_moment_and_number(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition="!", reason="silent-edit", seen=hour(5)))
    key = "2026-06-19T09:13:50.166750Z"
    async with client_of(tmp_path) as client:
        for spec, revision in (
            (f"{key}.r0", 0), (f"{key}.r1", 1), (key, 1), ("1", 0), ("2", 1),
            ("2026-06-20T13:00:00Z", 0), ("2026-06-20", 1),
        ):  # fmt: skip
            text = await client.text(f"{STORY}/{spec}")
            assert f"revision {revision}" in text, spec
        links = (await client.get(f"{STORY}/{key}.r0")).headers["Link"]
        assert f'<{STORY}/{key}.r1>; rel="successor-version"' in links


async def test_formats_are_shown_rendered_and_raw(tmp_path: Path) -> None:
    draft = article(formats=("html", "markdown", "text", "jsonld"))
    bodies = {
        "html": b"<h1>Rails</h1><link rel=preconnect href=//evil.example><script>x()</script>",
        "markdown": b"---\ntitle: Rails\n---\n# Rails\n\n*laid* <b>bold</b> [x](javascript:x)\n",
        "text": b"Rails & roads", "jsonld": b'{"headline":"Rails"}',
    }  # fmt: skip
    stored(tmp_path, Draft(
        manifest=structs.replace(draft.manifest, representations=tuple(
            with_body(one, bodies[one.format]) for one in draft.manifest.representations
        )),
        payloads=tuple(structs.replace(one, body=bodies[one.role]) for one in draft.payloads),
    ))  # fmt: skip
    async with client_of(tmp_path) as client:
        page = html.document_fromstring(await client.text(f"{STORY}/1/html"))
        (frame,) = page.xpath("//iframe")
        assert (frame.get("sandbox"), frame.get("srcdoc")) == ("", None)
        framed = await client.get(frame.get("src"))
        assert framed.headers["Content-Security-Policy"] == FRAME
        assert "X-Frame-Options" not in framed.headers
        assert b"<link" not in framed.body
        markdown = await client.text(f"{STORY}/1/markdown/frame")
        assert "<h1>Rails</h1>" in markdown
        assert "<em>laid</em> &lt;b&gt;bold&lt;/b&gt;" in markdown
        assert 'href="javascript' not in markdown
        assert "<pre>---\ntitle: Rails" in markdown
        assert "Rails &amp; roads" in await client.text(f"{STORY}/1/text")
        assert "  &#34;headline&#34;: &#34;Rails&#34;" in await client.text(f"{STORY}/1/jsonld")
        assert "# Rails\n" in await client.text(f"{STORY}/1/markdown?raw")
        raw = await client.get(f"{STORY}/1/html/raw")
        assert (raw.body, raw.type) == (bodies["html"], "text/plain")
        assert raw.headers["Content-Security-Policy"] == FRAME
        assert (await client.get(f"{STORY}/1/text/frame")).status == 404


async def test_two_snapshots_are_compared_word_by_word(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition=" again", reason="silent-edit", seen=hour(5)))
    key = "2026-06-19T09:13:50.166750Z"
    async with client_of(tmp_path) as client:
        query = f"/compare?site={SITE}&slug=story"
        text = await client.text(query)
        assert re.search(r"<ins> ?again", text)
        assert "2 words added" not in text
        back = await client.text(f"{query}&from={key}.r1&to={key}.r0&format=html")
        assert re.search(r"<del> ?again", back)
        assert "1 word taken" in back
        same = await client.text(f"{query}&from=1&to=1")
        assert "is the same in both" in same
        assert "unchanged line" not in await client.text(f"{query}&whole")


async def test_feeds_are_of_all_of_a_site_and_of_an_article(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("other"), article("far", site="far.example"))
    async with client_of(tmp_path) as client:
        counts = [
            (await client.text(path)).count("<entry>")
            for path in (
                "/feed.atom",
                f"/feed.atom?site={SITE}",
                f"/feed.atom?site={SITE}&slug=story",
            )
        ]
        assert counts == [3, 2, 1]
        assert (await client.get("/feed.atom")).type == "application/atom+xml"


async def test_what_is_private_is_shown_only_when_asked_for(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True), article("open", seen=hour(1)))
    paths = [
        STORY, f"{STORY}/1", f"{STORY}/2026-06-19T09:13:50.166750Z.r0", f"{STORY}/1/html",
        f"/timegate/https://{SITE}/news/story", f"/timemap/link/https://{SITE}/news/story",
    ]  # fmt: skip
    async with client_of(tmp_path) as client:
        assert [(await client.get(path)).status for path in paths] == [404] * 6
        for path in ("/", f"/sites/{SITE}", "/search?q=story", "/feed.atom"):
            assert "The story" not in await client.text(path)
    async with client_of(tmp_path, private=True) as client:
        assert [(await client.get(path)).status for path in paths] == [200] * 4 + [302, 200]
        assert "The story" in await client.text(f"/sites/{SITE}")


async def test_a_forgotten_article_leaves_its_reason(tmp_path: Path) -> None:
    stored(tmp_path, event("forgotten", detail={"reason": "a court said so"}))
    async with client_of(tmp_path) as client:
        got = await client.get(STORY)
        assert got.status == 410
        assert "a court said so" in got.text


@pytest.mark.parametrize("slug", ["..", ".", "a/b", "ü 100%", "feed.atom", "a?b#c", "{x}", "日本"])
async def test_an_article_of_any_slug_has_a_page(tmp_path: Path, slug: str) -> None:
    stored(tmp_path, article(slug))
    async with client_of(tmp_path) as client:
        tree = html.document_fromstring(await client.text(f"/sites/{SITE}"))
        (link,) = tree.xpath("//ol[@class='articles']//h3/a/@href")
        assert "1 snapshot;" in await client.text(link)


async def test_a_long_history_is_shown_in_parts(tmp_path: Path) -> None:
    stored(tmp_path, *(article(edition=str(n), seen=hour(n), reason="edit") for n in range(60)))
    async with client_of(tmp_path) as client:
        tree = html.document_fromstring(await client.text(STORY))
        (older,) = tree.xpath("//a[@rel='next']/@href")
        assert len(tree.xpath("//input[@name='to']")) == 50
        rest = html.document_fromstring(await client.text(older))
        assert len(rest.xpath("//input[@name='to']")) == 10
