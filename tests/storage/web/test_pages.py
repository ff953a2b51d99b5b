"""All pages together: a site's words stay words, and what is private stays so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html
from msgspec import structs

from storage.model import Draft, Finding, Record
from storage.web.answer import FRAME
from tests.storage.drafts import SITE, article, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import STORY, with_body

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
