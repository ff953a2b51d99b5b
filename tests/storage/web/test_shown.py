"""What stands in the sandboxed frame: a site's page whose links lead nowhere, Markdown in shape."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from storage.model import Draft
from storage.web.pages.shown import rendered
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
        (b"<!DOCTYPE html>\n<p>x", '<!DOCTYPE html><base target="_top">\n<p>x'),
        (
            b'\n<!doctype html SYSTEM "x"><p>x',
            '\n<!doctype html SYSTEM "x"><base target="_top"><p>x',
        ),
        (
            b'<?xml version="1.0"?><!-- a --> <!--b--><!doctype html><p>x',
            '<?xml version="1.0"?><!-- a --> <!--b--><!doctype html><base target="_top"><p>x',
        ),
        (b"<!---->" * 9_000 + b"x", '<base target="_top">' + "<!---->" * 9_000 + "x"),
        (b"<p><!doctype html>x", '<base target="_top"><p><!doctype html>x'),
    ],
)
async def test_a_framed_pages_links_aim_where_they_may_not_lead(
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
