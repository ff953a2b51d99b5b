"""What stands in the sandboxed frame: a site's page without links, Markdown in shape."""

from __future__ import annotations

from hashlib import sha256
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage.model import Draft
from storage.web.pages.shown import leading_nowhere, rendered
from tests.storage.drafts import SITE, article, stored
from tests.storage.web.serving import client_of

STORY = f"/sites/{SITE}/story"


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
