"""The description for programs: of every route, and true."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC
from http.client import HTTPResponse
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct

from storage.web.description import FIELDS, PARAMETERS
from storage.web.routes import ROUTES
from tests.storage.drafts import SITE, article, hour, stored
from tests.storage.web.serving import client_of

#: How words are described: anything but control characters.
PLAIN = "^[^\\u0000-\\u001f\\u007f]*$"
#: What the mirror that is asked has, so that not all of it is answered by 404.
KNOWN = {
    "site": SITE, "slug": "story", "when": "2", "format": "html", "moment": "20260620120000",
    "url": f"https://{SITE}/news/story",
}  # fmt: skip


async def description(root: Path) -> dict[str, Any]:
    stored(root, article())
    async with client_of(root) as client:
        got = await client.get("/openapi.json")
        assert got.type == "application/json"
        value: dict[str, Any] = msgspec.json.decode(got.body)
        return value


async def test_every_route_but_itself_is_described(tmp_path: Path) -> None:
    paths = (await description(tmp_path))["paths"]
    assert set(paths) == {route.path for route in ROUTES} - {"/openapi.json"}
    for path, methods in paths.items():
        named = {one["name"] for one in methods["get"]["parameters"] if one["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))


def test_every_parameter_that_a_route_reads_has_a_description() -> None:
    read = {name for route in ROUTES for name in route.query}
    read |= {name for route in ROUTES for name in re.findall(r"\{(\w+)\}", route.path)}
    assert read <= set(PARAMETERS)
    needed = {name for route in ROUTES for name in route.needs if name not in route.query}
    assert needed == set(FIELDS)


async def test_answers_are_of_the_kinds_that_are_described(tmp_path: Path) -> None:
    paths = (await description(tmp_path))["paths"]
    values = {
        "site": SITE, "slug": "story", "when": "1", "format": "html", "moment": "20260620120000",
        "url": f"https://{SITE}/news/story",
    }  # fmt: skip
    async with client_of(tmp_path) as client:
        for path, methods in paths.items():
            for parts in (values, dict.fromkeys(values, "none")):
                query = f"?site={parts['site']}&slug={parts['slug']}" if path == "/compare" else ""
                got = await client.get(with_parts(path, parts) + query)
                answer = methods["get"]["responses"][str(got.status)]
                kinds = answer.get("content", {got.headers["Content-Type"]: {}})
                assert got.headers["Content-Type"] in kinds, path


def with_parts(path: str, parts: dict[str, str]) -> str:
    for name in re.findall(r"\{(\w+)\}", path):
        path = path.replace(f"{{{name}}}", parts.get(name, "none"))
    return path


class Asked(Struct, frozen=True):
    """One request drawn from the description; ``fits``: its schema takes every part of it."""

    route: str
    target: str
    fields: dict[str, str]
    fits: bool


def fitting(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Draw what a parameter's schema takes, as it is written in an address."""
    if "anyOf" in schema:
        return st.one_of([fitting(one) for one in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("format", schema["type"])
    return text(schema) if kind == "string" else OTHERS[kind](schema)


def text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    if schema["pattern"] != PLAIN:
        return st.from_regex(schema["pattern"], fullmatch=True).filter(lambda one: len(one) < 1_000)
    letters = st.characters(codec="utf-8", min_codepoint=32, exclude_characters="\x7f")
    return st.text(letters, min_size=schema["minLength"], max_size=40)


OTHERS: dict[str, Callable[[dict[str, Any]], st.SearchStrategy[str]]] = {
    "integer": lambda one: st.integers(one["minimum"], one.get("maximum", 2**40)).map(str),
    "boolean": lambda _: st.sampled_from(["true", "false"]),
    "array": lambda one: fitting(one["items"]),
    "date": lambda _: st.dates().map(str),
    "date-time": lambda _: st.datetimes(timezones=st.just(UTC)).map(lambda one: one.isoformat()),
}
JUNK = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=30),
    st.sampled_from(["../../etc/passwd", "..%2f" * 9, "\0", "%", "%zz", "'; --", "\u202e"]),
    st.sampled_from(["2026-02-30", "99999-01-01T00:00:00Z", "-1", "1e9", "0x1"]),
    st.tuples(st.sampled_from("9aé"), st.sampled_from([700, 10_000])).map(
        lambda two: two[0] * two[1]
    ),
)


@st.composite
def requests(draw: st.DrawFn, paths: dict[str, Any]) -> Asked:
    """Draw a request for one of the described addresses; one part of some is junk."""
    route = draw(st.sampled_from(sorted(paths)))
    asked = paths[route]["get"]["parameters"]
    wrong = draw(st.sampled_from([None, *(one["name"] for one in asked)]))
    target, query, fields = route, [], {}
    for one in asked:
        name = one["name"]
        if name != wrong and not one.get("required") and not draw(st.booleans()):
            continue
        fits = fitting(one["schema"])
        known = st.just(KNOWN[name]) | fits if name in KNOWN else fits
        value = draw(JUNK if name == wrong else known)
        if one["in"] == "path":
            safe = "/:?" if name == "url" else ""
            target = target.replace(f"{{{name}}}", quote(value or "\0", safe=safe))
        elif one["in"] == "query":
            query.append(f"{name}={quote(value, safe='')}")
        else:
            fields[name] = quote(value, safe="=-")
    target += "?" + "&".join(query) if query and "{url}" not in route else ""
    return Asked(route, target, fields, fits=wrong is None)


def ask(address: str, asked: Asked) -> tuple[int, str, bytes]:
    """Send a request as it is, and return status, media type and body of the answer."""
    host, port = address.removeprefix("http://").split(":")
    lines = [f"GET {asked.target} HTTP/1.1", f"Host: {host}:{port}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in asked.fields.items()]
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a small mirror from another thread, and give its address."""
    root = tmp_path_factory.mktemp("mirror")
    stored(root, *(article(edition=str(n), seen=hour(n), reason="edit") for n in range(3)))
    ready: Future[tuple[str, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        stop = asyncio.Event()
        async with client_of(root) as client:
            ready.set_result((client.address, asyncio.get_running_loop(), stop))
            await stop.wait()

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    where, loop, stop = ready.result(timeout=30)
    yield where
    loop.call_soon_threadsafe(stop.set)
    thread.join()


def test_whatever_is_asked_is_answered_as_the_description_says(
    address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    body = ask(address, Asked("", "/openapi.json", {}, fits=True))[2]
    paths = msgspec.json.decode(body)["paths"]

    @settings(max_examples=400, suppress_health_check=list(HealthCheck))
    @given(st.none().flatmap(lambda _: requests(paths)))
    def answered(asked: Asked) -> None:
        status, kind, _ = ask(address, asked)
        told = paths[asked.route]["get"]["responses"]
        assert str(status) in told, asked
        assert kind in told[str(status)].get("content", {kind: {}}), asked
        assert status < 500, asked
        assert not (asked.fits and status == 400), asked

    answered()
    assert capfd.readouterr().err == ""
