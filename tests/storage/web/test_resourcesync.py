"""A ResourceSync document as it is written."""

from __future__ import annotations

from lxml import etree

from storage.web.resourcesync import Item, document

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
RS = "{http://www.openarchives.org/rs/terms/}"


def test_what_a_document_says_is_escaped() -> None:
    item = Item(loc="http://a/?x=1&y=<>", links=({"rel": "via", "href": 'http://b/"'},))
    root = etree.fromstring(document("urlset", {"capability": "resourcelist"}, (), [item]))
    (url,) = root.findall(f"{MAP}url")
    link = url.find(f"{RS}ln")
    assert url.findtext(f"{MAP}loc") == "http://a/?x=1&y=<>"
    assert link is not None
    assert link.attrib["href"] == 'http://b/"'
