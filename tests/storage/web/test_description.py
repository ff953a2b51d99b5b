"""The description for programs: of every route, and true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from storage.web.description import PARAMETERS
from storage.web.routes import ROUTES
from tests.storage.drafts import SITE, article, stored
from tests.storage.web.serving import client_of


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
