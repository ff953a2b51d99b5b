"""Memento over HTTP: RFC 7089's TimeGate, TimeMaps and mementos, and RFC 5829's names."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

import msgspec
from msgspec import structs

from storage.model import Draft
from storage.web.answer import FRAME
from storage.web.pages import mementos
from tests.storage.drafts import SEEN, SITE, article, hour, stored, words
from tests.storage.web.serving import Client, client_of

URL = f"https://{SITE}/news/story"


def http(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def digits(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"


def links(value: str) -> list[tuple[str, set[str], dict[str, str]]]:
    """Read a Link field or a TimeMap: target, relations, other attributes."""
    found = []
    for target, rest in re.findall(r'<([^>]*)>((?:\s*;\s*\w+="[^"]*")*)', value):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        found.append((target, set(attributes.pop("rel").split()), attributes))
    return found


def of_rel(value: str, rel: str) -> list[tuple[str, dict[str, str]]]:
    return [(target, rest) for target, rels, rest in links(value) if rel in rels]


def editions(root: Path, *, count: int = 3) -> None:
    """Store editions of a story an hour apart, fetched a fraction after the full second."""
    stored(root, *(
        article(edition=str(n), seen=hour(n) + timedelta(microseconds=250_000), reason="edit")
        for n in range(count)
    ))  # fmt: skip


async def gate(client: Client, url: str, moment: datetime) -> str:
    got = await client.get(f"/timegate/{url}", Accept_Datetime=http(moment))
    assert got.status == 302
    assert "accept-datetime" in got.headers["Vary"].lower()
    return got.headers["Location"].removeprefix(client.address)


async def test_the_timegate_gives_the_url_as_it_stood_then(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path) as client:
        for asked, given in (
            (hour(-50), hour(0)), (hour(0), hour(0)), (hour(1) - timedelta(seconds=1), hour(0)),
            (hour(1), hour(1)), (hour(1.5), hour(1)), (hour(90), hour(2)),
        ):  # fmt: skip
            assert await gate(client, URL, asked) == f"/memento/{digits(given)}/{URL}"
        newest = await client.get(f"/timegate/{URL}")
        assert newest.headers["Location"].endswith(f"/memento/{digits(hour(2))}/{URL}")
        link = newest.headers["Link"]
        assert of_rel(link, "original") == [(URL, {})]
        assert of_rel(link, "timemap")[0][0] == f"{client.address}/timemap/link/{URL}"


async def test_a_memento_is_what_was_received_then(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path) as client:
        got = await client.get(f"/memento/{digits(hour(1))}/{URL}")
        assert (got.status, got.body) == (200, words("story", "html", "1"))
        assert got.headers["Memento-Datetime"] == http(hour(1))
        assert got.headers["Content-Type"] == "text/html; charset=utf-8"
        assert got.headers["Content-Security-Policy"] == FRAME
        link = got.headers["Link"]
        assert of_rel(link, "original") == [(URL, {})]
        assert of_rel(link, "timegate")[0][0] == f"{client.address}/timegate/{URL}"
        for rel, other, moment in (
            ("first", "memento", hour(0)), ("last", "latest-version", hour(2)),
            ("prev", "predecessor-version", hour(0)), ("next", "successor-version", hour(2)),
        ):  # fmt: skip
            ((target, rest),) = of_rel(link, rel)
            assert target == f"{client.address}/memento/{digits(moment)}/{URL}"
            assert rest["datetime"] == http(moment)
            assert of_rel(link, other)
        assert of_rel(link, "version-history")


async def test_between_two_mementos_the_nearest_is_where_to_go(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path) as client:
        for asked, given in ((-9, 0), (0.4, 0), (0.6, 1), (99, 2)):
            moment = SEEN + timedelta(hours=asked)
            got = await client.get(f"/memento/{digits(moment)}/{URL}")
            assert got.status == 302
            assert got.headers["Location"].endswith(f"/memento/{digits(hour(given))}/{URL}")


async def test_every_format_has_mementos_and_a_partial_snapshot_hides_none(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(
        formats=("html",), edition="!", seen=hour(1), reason="edit", state="partial",
        missing={"markdown": "it answered 500"},
    ))  # fmt: skip
    async with client_of(tmp_path) as client:
        markdown = await gate(client, f"{URL}.md", hour(5))
        assert markdown == f"/memento/{digits(hour(0))}/{URL}.md"
        got = await client.get(markdown)
        assert got.headers["Content-Type"] == "text/markdown"
        assert await gate(client, URL, hour(5)) == f"/memento/{digits(hour(1))}/{URL}"


async def test_the_timemap_lists_every_memento_with_its_own_date(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path) as client:
        got = await client.get(f"/timemap/link/{URL}")
        assert got.type == "application/link-format"
        listed = of_rel(got.text, "memento")
        assert [rest["datetime"] for _, rest in listed] == [http(hour(n)) for n in range(3)]
        assert listed[1][1]["updated_at"] == "2026-06-19T09:13:50.166750Z"
        assert [rest["revision"] for _, rest in listed] == ["0", "1", "2"]
        ((_, span),) = of_rel(got.text, "self")
        assert (span["from"], span["until"]) == (http(hour(0)), http(hour(2)))
        assert of_rel(got.text, "first")[0] == listed[0]
        assert of_rel(got.text, "last")[0] == listed[2]
        for target, rest in listed:
            memento = await client.get(target.removeprefix(client.address))
            assert parsedate_to_datetime(memento.headers["Memento-Datetime"]) == (
                parsedate_to_datetime(rest["datetime"])
            )


async def test_the_timemap_in_json_says_the_same(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path) as client:
        got = await client.get(f"/timemap/json/{URL}")
        assert got.type == "application/json"
        value = msgspec.json.decode(got.body)
        assert value["original_uri"] == URL
        assert [one["datetime"] for one in value["mementos"]["list"]] == [
            f"{hour(n):%Y-%m-%dT%H:%M:%SZ}" for n in range(3)
        ]
        assert value["mementos"]["last"] == value["mementos"]["list"][-1]


async def test_a_long_timemap_comes_in_pages(tmp_path: Path) -> None:
    most = mementos.MOST_OF_TIMEMAP
    assert most > 500
    stored(tmp_path, *(
        article(
            formats=("text",), seen=SEEN + timedelta(seconds=n), not_modified=("text",) if n else ()
        )
        for n in range(most + 5)
    ))  # fmt: skip
    async with client_of(tmp_path) as client:
        first = await client.text(f"/timemap/link/{URL}.txt")
        assert len(of_rel(first, "memento")) == most
        (following,) = [
            target for target, rest in of_rel(first, "timemap") if "/link/2/" in target and rest
        ]
        rest = await client.text(following.removeprefix(client.address))
        assert len(of_rel(rest, "memento")) == 5
        told = msgspec.json.decode(await client.text(f"/timemap/json/{URL}.txt"))
        following = told["next"].removeprefix(client.address)
        last = msgspec.json.decode(await client.text(following))
        assert [len(each["mementos"]["list"]) for each in (told, last)] == [most, 5]
        assert "next" not in last


async def test_content_codings_are_kept_for_who_takes_them(tmp_path: Path) -> None:
    stored(tmp_path, article(coding="gzip"))
    async with client_of(tmp_path) as client:
        path = f"/memento/{digits(SEEN)}/{URL}"
        kept = await client.get(path, Accept_Encoding="gzip")
        plain = await client.get(path, Accept_Encoding="identity")
        assert kept.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert plain.body == kept.body == words("story", "html", "")  # the client has undone it
        assert int(kept.headers["Content-Length"]) == len(
            gzip.compress(words("story", "html", ""), mtime=0)
        )


async def test_a_url_with_a_query_or_another_scheme_or_an_alias_is_found(tmp_path: Path) -> None:
    draft = article()
    asked = f"{URL}?page=1&x=%20"
    shown = [
        structs.replace(one, url=asked if one.format == "html" else one.url)
        for one in draft.manifest.representations
    ]
    sent = [
        structs.replace(one, url=asked) if one.role == "html" else one for one in draft.payloads
    ]
    manifest = structs.replace(
        draft.manifest, representations=tuple(shown), aliases=(f"https://{SITE}/short",)
    )
    stored(tmp_path, Draft(manifest=manifest, payloads=tuple(sent)))
    async with client_of(tmp_path) as client:
        for url in (asked, asked.replace("https", "http"), f"https://{SITE}/short"):
            where = await gate(client, url, SEEN)
            assert where == f"/memento/{digits(SEEN)}/{asked}"
            assert (await client.get(where)).status == 200


async def test_behind_a_proxy_links_lead_to_its_address(tmp_path: Path) -> None:
    editions(tmp_path)
    async with client_of(tmp_path, public_url="https://archive.example.org/") as client:
        got = await client.get(f"/timegate/{URL}")
        assert got.headers["Location"].startswith("https://archive.example.org/memento/")


async def test_a_media_type_that_is_none_goes_out_as_bytes(tmp_path: Path) -> None:
    draft = article(formats=("html",))
    header = (("Content-Type", "text/html\u00ff\u00fe"),)
    sent = tuple(structs.replace(one, headers=header) for one in draft.payloads)
    stored(tmp_path, structs.replace(draft, payloads=sent))
    async with client_of(tmp_path) as client:
        got = await client.get(f"/memento/{digits(SEEN)}/{URL}")
        assert (got.status, got.type) == (200, "application/octet-stream")
