"""Names of every bad kind: slugs, titles and addresses that reach disks and terminals."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

from storage.archive import Archive
from tests.crawler.commands.calling import slugline
from tests.hostile.fault_server import FaultServer, answer, article, fault_server
from tests.hostile.harness import mirror

HTML = "Content-Type: text/html; charset=utf-8"
JSON = "Content-Type: application/json"
#: What must never stand on a line that a terminal shows, but for tabs and the line's end.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def recorded(site: FaultServer, path: str, **fields: Any) -> str:
    """Add an article at ``path`` with a JSON record that says ``fields``; returns its URL."""
    name = path.rpartition("/")[2]
    made = article(name, site.base)["html"]
    words = f"Here are the words of {path} alone, and of nothing else. " * 9
    html = (
        made.partition(b"<link")[0]
        + (
            f'<link rel="alternate" type="application/json" href="{path}.json">'
            '<meta property="og:type" content="article"></head>'
            f"<body><article><h1>{name}</h1><p>{words}</p></article>"
        ).encode()
    )
    record: dict[str, Any] = {
        "title": f"On {path}",
        "body_md": words,
        "canonical_source": None,
        "alternates": {},
    }
    site.routes[f"{path}.json"] = answer(
        body=json.dumps({**record, **fields}).encode(), headers=(JSON,)
    )
    return site.fault(path, answer(body=html, headers=(HTML,)))


#: Slugs as a record declares them: what the article is called, None for "by its address".
SLUGS: dict[str, tuple[Any, str | None]] = {
    "up and away": ("../../../etc/passwd", "../../../etc/passwd"),
    "an absolute path": ("/etc/passwd", "/etc/passwd"),
    "a NUL": ("a\x00b", "a%00b"),
    "300 characters": ("x" * 300, "x" * 300),
    "10,000 characters": ("x" * 10_000, None),
    "a device": ("CON", "CON"),
    "a device with a suffix": ("nul.txt", "nul.txt"),
    "emoji": ("\U0001f4a9\U0001f9d1\u200d\U0001f680", "\U0001f4a9\U0001f9d1\u200d\U0001f680"),
    "letters and marks apart": ("cafe\u0301", "caf\u00e9"),
    "nothing": ("", None),
    "blanks": (" \t\u3000", None),
    "one dot": (".", "."),
    "two dots": ("..", ".."),
    "a tilde": ("~", "~"),
    "control characters": ("a\x1b]0;owned\x07b\r\n", "a%1B]0;owned%07b"),
    "text that runs backwards": ("a\u202etxt.exe", "a\u202etxt.exe"),
    "a backslash": ("..\\..\\x", "..\\..\\x"),
    "a drive": ("C:\\x", "C:\\x"),
    "an option": ("--help", "--help"),
    "a query": ("a?b=c#d", "a?b=c#d"),
    "an address": ("http://127.0.0.1/x", "http://127.0.0.1/x"),
    "markup": ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    "invisible characters": ("\u200b\u200c\ufeff", None),
    "a number": (7, None),
    "a list": (["x"], None),
    "an object": ({"x": "y"}, None),
    "the archive's own file": ("index.sqlite", "index.sqlite"),
}


async def test_slugs_of_every_bad_kind_name_an_article_and_no_place(tmp_path: Path) -> None:
    async with fault_server() as site:
        for number, (slug, _) in enumerate(SLUGS.values()):
            recorded(site, f"/named/n{number}", slug=slug)
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0, outcome.errors
        with Archive.open(outcome.mirror) as archive:
            named = {row.url: row.slug for row in archive.newest_all(site.host.replace(":", "+"))}
        for number, (case, (_, expected)) in enumerate(SLUGS.items()):
            slug = named[site.url(f"/named/n{number}")]
            assert slug == (expected or f"n{number}"), case
        files = {path.resolve() for path in outcome.mirror.rglob("*")}
        assert all(path.is_relative_to(outcome.mirror.resolve()) for path in files)


async def test_one_slug_declared_by_all_is_the_first_ones_and_each_keeps_its_own(
    tmp_path: Path,
) -> None:
    async with fault_server() as site:
        same = [recorded(site, f"/same/s{n}", slug="breaking") for n in range(5)]
        thief = recorded(site, "/same/thief", slug="bridge")
        twins = [
            recorded(site, f"/twins/t{n}", slug=slug)
            for n, slug in enumerate(("caf\u00e9", "cafe\u0301", "News", "news", "NEWS"))
        ]
        paths = [recorded(site, path) for path in ("/Case/Page", "/case/page", "/CASE/PAGE")]
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0, outcome.errors
        with Archive.open(outcome.mirror) as archive:
            rows = list(archive.newest_all(site.host.replace(":", "+")))
        named = {row.url: row.slug for row in rows}
        assert named.keys() >= {*same, thief, *twins, *paths}
        assert len(set(named.values())) == len(named)
        taken = {row.url for row in rows if "slug-taken" in {each.kind for each in row.findings}}
        assert len(taken & set(same)) == 4
        assert len(taken & set(twins)) == 1
        # Who comes first has it; the healthy article is held to its bytes under it, so it was.
        assert thief in taken


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b1m\u202e\u2028\r"


async def test_terminal_escapes_reach_no_terminal(tmp_path: Path) -> None:
    async with fault_server() as site:
        recorded(site, "/loud/title", slug="title", title=f"Loud{ESCAPES}title")
        recorded(site, "/loud/slug", slug=f"loud{ESCAPES}slug")
        site.fault("/loud/reason", answer(f"500 Oh{ESCAPES.strip()}no"))
        site.fault(
            "/loud/type", answer(body=b"\x00\x01", headers=(f"Content-Type: a/b{ESCAPES[:9]}",))
        )
        site.fault("/loud/%1B%5D0;owned%07", answer("500 Oh"))
        away = (f"Location: http://127.0.0.2/{ESCAPES.strip()}x",)
        site.fault("/loud/away", answer("302 Found", headers=away))
        disallow = f"Disallow: /x{ESCAPES.strip()}"
        site.robots = f"User-agent: *\n{disallow}\nCrawl-delay: {ESCAPES.strip()}\n"
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        told = {"stdout": outcome.stdout, "stderr": outcome.stderr}
        for command in ("list", "status", "changes"):
            result = slugline(command, "--mirror", outcome.mirror)
            told[command] = result.stdout + result.stderr
        told["log"] = slugline("log", "title", "--mirror", outcome.mirror).stdout
        told["show"] = slugline("show", "title", "--mirror", outcome.mirror).stdout
        for name, text in told.items():
            seen = {char for char in text if unicodedata.category(char) in UNSEEN} - {"\n", "\t"}
            assert not seen, (name, text)
        assert "Loud" in told["list"]
