"""What stands in the sandboxed frame: a site's page without links, Markdown in shape."""

from __future__ import annotations

from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from msgspec import structs

from storage.model import Draft
from storage.web.answer import FRAME
from storage.web.pages.shown import MOST_SHOWN, leading_nowhere, rendered
from tests.storage.drafts import article, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import STORY, with_body


def with_page(body: bytes) -> Draft:
    """Return a snapshot whose HTML is ``body``."""
    draft = article(formats=("html",))
    page = structs.replace(
        draft.manifest.representations[0], digest=sha256(body).hexdigest(), length=len(body)
    )
    return Draft(
        manifest=structs.replace(draft.manifest, representations=(page,)),
        payloads=(structs.replace(draft.payloads[0], body=body),),
    )


@pytest.mark.parametrize(
    ("sent", "framed"),
    [
        (b'<!DOCTYPE html><a href="/x">x', '<!DOCTYPE html><a hre&#102;="/x">x'),
        (b"<svg><a xlink:HREF\n= '/x'>", "<svg><a xlink:HRE&#70;\n= '/x'>"),
        (b'<a "x href=/x title=">">', '<a "x hre&#102;=/x title=">">'),
        (b'<iframe srcdoc="<a href=x>">', '<iframe srcdo&#99;="<a hre&#102;=x>">'),
        (b"<form action=x formaction=x>", "<form actio&#110;=x formactio&#110;=x>"),
        (b"<animate attributeName=href>", "<animate attributeNam&#101;=href>"),
        (b"<p>An href, an action.", "<p>An href, an action."),
    ],
)
async def test_a_framed_page_has_no_link_and_else_the_same_words(
    tmp_path: Path, sent: bytes, framed: str
) -> None:
    stored(tmp_path, with_page(sent))
    async with client_of(tmp_path) as client:
        assert await client.text(f"{STORY}/1/html/frame") == framed
        assert (await client.get(f"{STORY}/1/html/raw")).body == sent


def test_front_matter_is_folded_away_from_the_words() -> None:
    page = rendered("---\ntitle: <b>\n---\n# Rails\n")
    front, _, words = page.partition("</details>")
    assert "<summary>Front matter</summary><pre>---\ntitle: &lt;b&gt;\n---\n</pre>" in front
    assert words == "<h1>Rails</h1>\n"
    assert "<details>" not in rendered("# Rails\n")


@given(st.text(st.sampled_from("href=HREF srcdoc\n'\"<>/&#102;")))
def test_what_is_shown_of_a_text_is_the_same_letters(text: str) -> None:
    assert unescape(leading_nowhere(text)) == unescape(text)


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


async def test_bytes_that_are_no_text_are_not_rendered(tmp_path: Path) -> None:
    draft = with_page(b"\x00\xff\x00" * 50)
    picture = structs.replace(draft.payloads[0], headers=(("Content-Type", "image/png"),))
    stored(tmp_path, Draft(manifest=draft.manifest, payloads=(picture,)))
    async with client_of(tmp_path) as client:
        got = await client.get(f"{STORY}/1/html/frame")
        assert got.status == 404
        assert "no text that could be rendered" in got.text
        raw = await client.get(f"{STORY}/1/html/raw")
        assert raw.type == "application/octet-stream"
        assert raw.headers["Content-Disposition"] == 'attachment; filename="story.html"'


async def test_a_text_past_all_reading_is_only_counted(tmp_path: Path) -> None:
    draft = article(formats=("text",))
    body = b"word " * (MOST_SHOWN // 5 + 1)
    shown = with_body(draft.manifest.representations[0], body)
    manifest = structs.replace(draft.manifest, representations=(shown,))
    payload = structs.replace(draft.payloads[0], body=body)
    stored(tmp_path, Draft(manifest=manifest, payloads=(payload,)))
    async with client_of(tmp_path) as client:
        assert "word word" not in await client.text(f"{STORY}/1/text")
        assert (await client.get(f"{STORY}/1/text/raw")).body == body
