"""ResourceSync: the lists by which another mirror follows this one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from lxml import etree

from storage.archive import Archive
from storage.model import TERMS
from storage.web.resourcesync import WELL_KNOWN
from tests.storage.drafts import SITE, article, event, hour, segments_of, stored, words
from tests.storage.web.serving import Client, client_of

MAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


RS = "{http://www.openarchives.org/rs/terms/}"


URL = f"https://{SITE}/news/story"


NEWEST = f"/latest/{SITE}"


async def items(client: Client, path: str) -> list[etree._Element]:
    got = await client.get(path)
    assert (got.status, got.type) == (200, "application/xml")
    root = etree.fromstring(got.body)
    return [*root.findall(f"{MAP}url"), *root.findall(f"{MAP}sitemap")]


def place(item: etree._Element) -> str:
    return item.findtext(f"{MAP}loc") or ""


def said(item: etree._Element) -> dict[str, str]:
    """Return what ``rs:md`` and the article's element say of an item."""
    found: dict[str, str] = {}
    for name in (f"{RS}md", f"{{{TERMS}}}article"):
        element = item.find(name)
        found |= {} if element is None else {str(k): str(v) for k, v in element.attrib.items()}
    return found


async def test_from_the_well_known_address_every_resource_is_found(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("other", formats=("text",)))
    async with client_of(tmp_path) as client:
        (site,) = await items(client, WELL_KNOWN)
        lists = await items(client, place(site).removeprefix(client.address))
        assert [said(one)["capability"] for one in lists] == ["resourcelist", "changelist"]
        (page,) = await items(client, place(lists[0]).removeprefix(client.address))
        listed = await items(client, place(page).removeprefix(client.address))
        assert [(said(one)["slug"], said(one)["format"]) for one in listed] == [
            ("other", "text"), ("story", "html"), ("story", "markdown"),
        ]  # fmt: skip
        for one in listed:
            got = await client.get(place(one).removeprefix(client.address))
            assert said(one)["hash"] == f"sha-256:{sha256(got.body).hexdigest()}"
            assert said(one)["length"] == str(len(got.body))


async def test_the_list_of_changes_names_all_formats_of_what_changed(tmp_path: Path) -> None:
    stored(
        tmp_path, article(), article("other", formats=("html",), seen=hour(1)),
        article(edition="1", seen=hour(2), formats=("html", "markdown", "text")),
        event("gone", "other", seen=hour(3)),
    )  # fmt: skip
    async with client_of(tmp_path) as client:
        listed = [
            said(each) for each in await items(client, f"/resourcesync/{SITE}/changelist.xml")
        ]
        told = [(one["slug"], one["format"], one["change"]) for one in listed]
        assert told == [
            ("story", "html", "created"), ("story", "markdown", "created"),
            ("other", "html", "created"),
            ("story", "html", "updated"), ("story", "markdown", "updated"),
            ("story", "text", "created"),
            ("other", "html", "deleted"),
        ]  # fmt: skip
        assert "hash" not in listed[-1]
        assert listed[-2]["datetime"] == "2026-06-20T14:00:00Z"


async def test_what_becomes_visible_late_is_listed_behind_what_was_visible(tmp_path: Path) -> None:
    path = f"/resourcesync/{SITE}/changelist.xml"
    stored(tmp_path, article("soon", seen=hour(90)), article("sooner", seen=hour(80)))
    async with client_of(tmp_path) as client:
        assert [said(each)["slug"] for each in await items(client, path)][::2] == ["sooner", "soon"]
    waited = article("waited", seen=hour(1)), event("gone", "waited", seen=hour(2))
    stored(tmp_path, *waited, article("newest", seen=hour(95)))
    async with client_of(tmp_path) as client:
        listed = [said(each) for each in await items(client, path)][::2]
    told = [(one["slug"], one["change"], one["datetime"]) for one in listed]
    assert told == [
        ("sooner", "created", f"{hour(80):%Y-%m-%dT%H:%M:%SZ}"),
        ("soon", "created", f"{hour(90):%Y-%m-%dT%H:%M:%SZ}"),
        ("waited", "created", f"{hour(90):%Y-%m-%dT%H:%M:%SZ}"),
        ("waited", "deleted", f"{hour(90):%Y-%m-%dT%H:%M:%SZ}"),
        ("newest", "created", f"{hour(95):%Y-%m-%dT%H:%M:%SZ}"),
    ]


async def test_formats_that_are_no_more_are_deleted_and_so_is_what_has_none(tmp_path: Path) -> None:
    barred = article(edition="2", seen=hour(2), formats=())
    stored(tmp_path, article(), article(edition="1", seen=hour(1), formats=("html",)), barred)
    async with client_of(tmp_path) as client:
        found = await items(client, f"/resourcesync/{SITE}/changelist.xml")
        told = [(said(one)["change"], place(one)[-3:], said(one).get("format")) for one in found]
        assert told == [
            ("created", "ory", "html"), ("created", ".md", "markdown"),
            ("updated", "ory", "html"), ("deleted", ".md", None),
            ("deleted", "ory", "html"),
        ]  # fmt: skip


async def test_older_bytes_of_a_missing_format_are_nobodys_now(tmp_path: Path) -> None:
    later = article(
        edition="1", seen=hour(1), formats=("html",), state="partial", missing={"markdown": "404"}
    )
    stored(tmp_path, article(), later)
    async with client_of(tmp_path) as client:
        html, text = await items(client, f"/resourcesync/{SITE}/resources.xml")
        assert said(html)["slug"] == "story"
        assert place(text).endswith(".md")
        assert "slug" not in said(text)
        got = await client.get(f"{NEWEST}/markdown/{URL}.md")
        assert got.body == words("story", "markdown", "")


async def test_a_list_that_is_known_is_not_sent_again(tmp_path: Path) -> None:
    stored(tmp_path, article())
    path = f"/resourcesync/{SITE}/resources.xml"
    async with client_of(tmp_path) as client:
        tag = (await client.get(path)).headers["ETag"]
        again = await client.get(path, If_None_Match=f'W/"x", {tag}')
        assert (again.status, again.body) == (304, b"")


async def test_a_damaged_snapshot_hides_no_other(tmp_path: Path) -> None:
    (one, _) = stored(tmp_path, article("one"), article("two"))
    (segment,) = segments_of(tmp_path)
    async with client_of(tmp_path) as client:
        with Archive.open(tmp_path) as archive:
            (row,) = archive.history(SITE, one.slug)
        data = bytearray(segment.read_bytes())
        at = row.offset + row.head // 2
        data[at : at + 20] = bytes(20)
        segment.write_bytes(data)
        for name in ("resources", "changelist"):
            listed = await items(client, f"/resourcesync/{SITE}/{name}.xml")
            assert {said(each)["slug"] for each in listed} == {"two"}


async def test_the_lists_of_a_site_without_snapshots_are_empty(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True))
    async with client_of(tmp_path) as client:
        for name in ("resources", "changelist"):
            assert await items(client, f"/resourcesync/{SITE}/{name}.xml") == []


async def test_a_format_that_never_came_is_not_listed(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",), state="partial", missing={"markdown": "404"}))
    async with client_of(tmp_path) as client:
        listed = await items(client, f"/resourcesync/{SITE}/resources.xml")
        assert [said(each)["format"] for each in listed] == ["html"]
