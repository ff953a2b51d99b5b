"""The server's edge: methods, fields with every answer, refusals, slow and wrong clients."""

from __future__ import annotations

import asyncio
import gzip
import select
import socket
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from storage.archive import Archive
from storage.errors import NotAMirror
from storage.model import Draft
from storage.reindex import reindex
from storage.web.server import ServeSettings, Serving
from tests.storage.drafts import SEEN, SITE, article, hour, segments_of, stored
from tests.storage.indexes import lose
from tests.storage.web.serving import Client, client_of

STORY = f"/sites/{SITE}/story"
URL = f"https://{SITE}/news/story"


async def spoken(client: Client, data: bytes) -> bytes:
    """Send bytes as they are, and return all that comes until the server closes."""
    host, port = client.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    answer = await reader.read()
    writer.close()
    return answer


async def test_every_answer_says_how_little_it_may_do(tmp_path: Path) -> None:
    stored(tmp_path, article())
    paths = [
        "/",
        "/search?q=story",
        f"/sites/{SITE}",
        STORY,
        "/style.css",
        "/feed.atom",
        "/nothing",
    ]
    async with client_of(tmp_path) as client:
        for path in paths:
            headers = (await client.get(path)).headers
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert "script-src" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["X-Frame-Options"] == "DENY"
            assert headers["Server"] == "slugline"


async def test_only_get_and_head_are_answered(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
            got = await client.get("/", method)
            assert (got.status, got.headers["Allow"]) == (405, "GET, HEAD")
        head = await client.get(STORY, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert int(head.headers["Content-Length"]) > 1000


BAD = [
    ("/nothing", 404),
    ("/../../etc/passwd", 404),
    ("/sites/..%2F..%2Fetc%2Fpasswd", 404),
    (f"/sites/{SITE}/..%2F..%2Findex.sqlite", 404),
    (f"/sites/{SITE}/story/..%2F..%2Fmirror.json", 400),
    (f"/sites/{SITE}/story/1/..%2Fhtml/raw", 404),
    (f"/sites/{SITE}/%00", 400),
    (f"/sites/{SITE}/%FF", 404),
    (f"/sites/{SITE}?from=yesterday", 400),
    (f"/sites/{SITE}?to=2026-02-30", 400),
    (f"/sites/{SITE}?after=1", 400),
    (f"/sites/{SITE}?after=1.99999999999999999999", 400),
    (f"/sites/{SITE}?after=٣.٣", 400),
    (f"/sites/{SITE}?topic={'x' * 3000}", 400),
    (f"/search?q={'x' * 3000}", 400),
    (f"/search?q={'x' * 18_000}", 400),
    (f"{STORY}?before=-1", 400),
    (f"{STORY}/2026-13-45", 400),
    (f"{STORY}/2026-06-19T09:13:50.166750Z.r7", 404),
    (f"{STORY}/2026-06-19T09:13:50.166750Z.r{'9' * 30}", 400),
    (f"{STORY}/7", 404),
    (f"{STORY}/1/pdf", 404),
    (f"{STORY}/1/pdf/frame", 404),
    (f"{STORY}/1/html/else", 404),
    ("/compare", 404),
    (f"/compare?site={SITE}&slug=story&from=never", 400),
    (f"/compare?site={SITE}&slug=story&format=pdf", 404),
    ("/timegate/no-url", 400),
    ("/timegate/https://nowhere.example/", 404),
    ("/timemap/link/https://nowhere.example/", 404),
    ("/timemap/json/file:///etc/passwd", 400),
    ("/timemap/json/https://nowhere.example/%0A", 404),
    ("/nothing%0A", 404),
    (f"/timemap/link/99/{URL}", 404),
    (f"/memento/2026/{URL}", 400),
    (f"/memento/20261345000000/{URL}", 400),
    (f"/memento/00000000000000/{URL}", 400),
    ("/feed.atom?site=nowhere", 404),
    ("/feed.atom?slug=story", 404),
    (f"/sites/{SITE}?state=neither", 400),
    (f"/feed.atom?site={SITE}&slug=nothing", 404),
    ("/sites/nowhere", 404),
]  # fmt: skip


async def test_what_is_asked_wrongly_gets_a_clean_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        for path, status in BAD:
            got = await client.get(path)
            assert got.status == status, (path, got.text)
            assert "Traceback" not in got.text
            assert str(tmp_path) not in got.text
            if path.startswith("/timemap/json"):
                assert got.type == "application/json"
    assert capsys.readouterr().err == ""


async def test_a_date_that_is_no_date_of_http_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        got = await client.get(f"/timegate/{URL}", Accept_Datetime="yesterday")
        assert got.status == 400
        assert "Accept-Datetime" in got.text


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n",
        b"GET /" + b"x" * 18_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 18_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"GET /sites/\xff\xfe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_answered_in_a_sentence(
    tmp_path: Path, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        answer = await spoken(client, data)
        assert answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.0 400 "))
        assert b"Traceback" not in answer
        assert b"Content-Security-Policy" in answer
        assert b"<script>" not in answer
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"OPTIONS * HTTP/1.1\r\nHost: h", b"405"),
        (b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443", b"405"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nExpect: something", b"417"),
        (b"GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue", b"200"),
    ],
)
async def test_what_is_asked_of_no_page_is_refused_as_all_else(
    tmp_path: Path, asked: bytes, status: bytes
) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        answer = await spoken(client, asked + b"\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"Server: slugline" in answer


async def test_a_client_that_never_ends_its_request_is_left(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path, head_seconds=0.2) as client:
        assert await spoken(client, b"GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ") == b""


async def test_a_client_that_takes_nothing_is_left(tmp_path: Path) -> None:
    stored(tmp_path, long_text("big", 24 << 20))
    async with client_of(tmp_path, take_seconds=0.2) as client:
        host, port = client.address.removeprefix("http://").split(":")
        plain = socket.create_connection((host, int(port)))
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plain.sendall(f"GET /sites/{SITE}/big/1/text/raw HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        ended = asyncio.get_running_loop().run_in_executor(None, reset, plain)
        assert await asyncio.wait_for(ended, 20)


def reset(plain: socket.socket) -> bool:
    """Wait, reading nothing, until the connection is cut off; then say that it was cut short."""
    poll = select.poll()
    poll.register(plain, select.POLLERR | select.POLLHUP)
    found = poll.poll(15_000)
    plain.close()
    return bool(found)


def long_text(slug: str, length: int) -> Draft:
    draft = article(slug, formats=("text",))
    body = b"x" * length
    shown = structs.replace(
        draft.manifest.representations[0], digest=sha256(body).hexdigest(), length=length
    )
    return Draft(
        manifest=structs.replace(draft.manifest, representations=(shown,)),
        payloads=(structs.replace(draft.payloads[0], body=body),),
    )


async def test_a_connection_too_many_is_told_so(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path, connections=0) as client:
        assert (await spoken(client, b"")).startswith(b"HTTP/1.1 503 ")


async def test_pages_are_small_on_the_way_for_who_takes_gzip(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        got = await client.get("/", Accept_Encoding="br, gzip")
        plain = await client.get("/", Accept_Encoding="identity, gzip;q=0")
        assert got.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert got.body == plain.body  # aiohttp's client has undone it
        assert int(got.headers["Content-Length"]) < len(gzip.compress(plain.body)) * 1.3


async def test_what_a_run_adds_is_seen_at_once_and_an_index_made_again_too(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        assert (await client.get(f"/sites/{SITE}/other")).status == 404
        stored(tmp_path, article("other", seen=hour(1)))
        assert "The other" in await client.text(f"/sites/{SITE}/other")
        assert "The other" in await client.text("/")
        lose(tmp_path)
        assert (await client.get("/")).status == 503
        reindex(tmp_path, SEEN)
        assert "The other" in await client.text("/")


async def test_an_empty_mirror_is_shown_as_one(tmp_path: Path) -> None:
    Archive.create(tmp_path / "m").close()
    async with client_of(tmp_path / "m") as client:
        assert "Nothing has been mirrored yet" in await client.text("/")


def test_what_is_no_mirror_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror):
        Serving(ServeSettings(root=tmp_path))


async def test_damage_costs_the_page_and_is_said_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        (segment,) = segments_of(tmp_path)
        segment.write_bytes(segment.read_bytes()[:-40])
        got = await client.get(f"{STORY}/1/markdown")
        assert got.status == 503
        assert "whoever runs it was told why" in got.text
        assert (await client.get("/")).status == 200
    assert "damage in" in capsys.readouterr().err


async def test_an_address_of_other_bytes_than_ascii_is_refused(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        sent = "GET /sites/é HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
        answer = await spoken(client, sent)
        assert b" 400 " in answer.partition(b"\r\n")[0]


async def test_a_page_that_fails_again_and_again_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored(tmp_path, article())
    (segment,) = segments_of(tmp_path)
    async with client_of(tmp_path) as client:
        segment.write_bytes(bytes(len(segment.read_bytes())))
        for _ in range(3):
            assert (await client.get(f"{STORY}/1")).status == 503
    assert capsys.readouterr().err.count("/sites/") == 1
