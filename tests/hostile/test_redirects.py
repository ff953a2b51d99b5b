"""Redirects into circles, out of the web, and into the operator's own network."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.hostile.fault_server import FaultServer, Request, Wire, answer, article, fault_server
from tests.hostile.faults import HTML
from tests.hostile.harness import Outcome, mirror

NAMES = Path(__file__).with_name("names.py")
NO_URL = "which is no http or https URL"
PRIVATE = "is not public"


def redirect(to: str, status: str = "302 Found") -> bytes:
    return answer(status, b"over there", (f"Location: {to}",))


#: PORT stands for the port of a second server on this machine, SELF for the redirecting URL.
LOCATIONS = {
    "to itself": ("SELF", "in a circle"),
    "to itself with a fragment": ("SELF#again", "in a circle"),
    "to javascript": ("javascript:alert(1)", NO_URL),
    "to a file": ("file:///etc/passwd", NO_URL),
    "to ftp": ("ftp://127.0.0.1:PORT/", NO_URL),
    "to data": ("data:text/html,<h1>news</h1>", NO_URL),
    "to gopher": ("gopher://127.0.0.1:PORT/_GET", NO_URL),
    "to a mail address": ("mailto:a@b.example", NO_URL),
    "to no host": ("http://", NO_URL),
    "to a broken host": ("http://[::1/", NO_URL),
    "to a port past all": ("http://a.example:99999/", NO_URL),
    "to 60,000 letters": ("/" + "x" * 59_999, "to a URL of 60,000 characters"),
    "to a terminal's codes": ("x:\x1b[2J\x1b]0;owned", NO_URL),
    "to another port of loopback": ("http://127.0.0.1:PORT/", PRIVATE),
    "to 10.0.0.1": ("http://10.0.0.1/", PRIVATE),
    "to 192.168.0.1": ("http://192.168.0.1/", PRIVATE),
    "to a cloud's metadata": ("http://169.254.169.254/latest/meta-data/", PRIVATE),
    "to carrier-grade NAT": ("http://100.64.0.1/", PRIVATE),
    "to this network": ("http://0.0.0.0:PORT/", PRIVATE),
    "to broadcast": ("http://255.255.255.255/", PRIVATE),
    "to multicast": ("http://224.0.0.1/", PRIVATE),
    "to IPv6 loopback": ("http://[::1]:PORT/", PRIVATE),
    "to IPv6 link-local": ("http://[fe80::1]/", PRIVATE),
    "to IPv6 unique local": ("http://[fc00::1]/", PRIVATE),
    "to loopback mapped into IPv6": ("http://[::ffff:127.0.0.1]:PORT/", PRIVATE),
    "to loopback in NAT64": ("http://[64:ff9b::7f00:1]:PORT/", PRIVATE),
    "to loopback in 6to4": ("http://[2002:7f00:1::]:PORT/", PRIVATE),
    "to a decimal address": ("http://2130706433:PORT/", PRIVATE),
    "to an octal address": ("http://0177.0.0.01:PORT/", PRIVATE),
    "to a hexadecimal address": ("http://0x7f000001:PORT/", PRIVATE),
    "to a short address": ("http://127.1:PORT/", PRIVATE),
    "to an address in wide digits": ("http://\uff11\uff12\uff17.0.0.1:PORT/", PRIVATE),
    "to localhost": ("http://localhost:PORT/", "localhost has the address"),
    "to a name that does not exist": ("http://nowhere.invalid/", "is not known"),
    "to loopback with credentials": (
        "http://admin:hunter2@127.0.0.1:PORT/",
        "a URL with a name or password in it",
    ),
}


async def _run(site: FaultServer, route: bytes, tmp_path: Path) -> tuple[Outcome, str]:
    url = site.fault("/news/bad", route)
    site.add("spoilt", healthy=False)
    site.routes["/news/spoilt.md"] = route
    return await mirror(site, tmp_path), url


@pytest.mark.parametrize("name", LOCATIONS)
async def test_a_bad_redirect_is_named_and_not_followed(name: str, tmp_path: Path) -> None:
    to, words = LOCATIONS[name]
    async with fault_server() as site, fault_server() as other:
        to = to.replace("PORT", str(other.port))
        route = redirect(to.replace("SELF", site.url("/news/bad")))
        outcome, url = await _run(site, route, tmp_path)
        outcome.holds(site, url, words)
        assert outcome.kept(site)["spoilt"] == ["html", "jsonld", "text"]
        assert other.connections == 0
        assert "hunter2" not in outcome.stdout + outcome.stderr


async def test_a_redirect_without_location_is_an_answer_that_is_none(tmp_path: Path) -> None:
    async with fault_server() as site:
        outcome, url = await _run(site, answer("302 Found"), tmp_path)
        outcome.holds(site, url, "the server answered 302 Found")


async def test_an_empty_location_leads_back_to_the_same_page(tmp_path: Path) -> None:
    async with fault_server() as site:
        outcome, url = await _run(site, redirect(""), tmp_path)
        outcome.holds(site, url, "in a circle")


async def test_two_pages_that_redirect_to_each_other_end(tmp_path: Path) -> None:
    async with fault_server() as site:
        url = site.fault("/news/a", redirect("/news/b"))
        site.fault("/news/b", redirect("/news/a"))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "in a circle")


@pytest.mark.parametrize("growth", ["x", "/x", "?x"], ids=["letter", "folder", "query"])
async def test_a_redirect_that_grows_ends_at_the_bound(growth: str, tmp_path: Path) -> None:
    async def grow(request: Request, wire: Wire) -> None:
        await wire.send(redirect(request.target + growth))

    async with fault_server() as site:
        target = "/news/grow"
        url = site.fault(target, grow)
        for _ in range(20):
            target += growth
            site.routes[target] = grow
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "it redirects more than 5 times")
        assert sum(asked.startswith("/news/grow") for asked in site.counts) == 6


async def test_a_chain_of_a_hundred_ends_at_the_bound(tmp_path: Path) -> None:
    async with fault_server() as site:
        for n in range(100):
            site.routes[f"/chain/{n}"] = redirect(f"/chain/{n + 1}", "301 Moved Permanently")
        url = site.fault("/news/chain", redirect("/chain/0"))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "it redirects more than 5 times")
        assert sum(asked.startswith("/chain") for asked in site.counts) == 5


async def test_a_redirect_into_a_new_cookie_is_not_followed_for_ever(tmp_path: Path) -> None:
    """Sites that want a cookie send the reader to the same page until it has one."""
    async with fault_server() as site:
        route = answer("302 Found", headers=("Location: /news/bad", "Set-Cookie: seen=yes"))
        outcome, url = await _run(site, route, tmp_path)
        outcome.holds(site, url, "in a circle")
        assert all("cookie" not in request.headers for request in site.requests)


async def test_a_redirect_of_the_start_page_into_our_network_is_refused(tmp_path: Path) -> None:
    async with fault_server() as site, fault_server() as door, fault_server() as inside:
        door.routes["/"] = redirect(inside.url("/"))
        outcome = await mirror(site, tmp_path, more=[door.url("/")])
        outcome.holds(site, inside.host, PRIVATE)
        assert inside.connections == 0


async def test_a_name_that_leads_into_our_network_is_refused(tmp_path: Path) -> None:
    async with fault_server() as site, fault_server() as inside:
        to = f"http://innocent.example:{inside.port}/"
        url = site.fault("/news/bad", redirect(to))
        outcome = await mirror(
            site,
            tmp_path,
            script=NAMES,
            env={"NAMES": json.dumps({"innocent.example": ["127.0.0.1"]})},
        )
        outcome.holds(site, url, "innocent.example has the address 127.0.0.1, which is not public")
        assert inside.connections == 0


async def test_a_name_that_changes_its_address_is_judged_each_time(tmp_path: Path) -> None:
    """First an allowed address, then a private one: what was judged is what is connected to."""
    async with fault_server() as site, fault_server(address="127.0.0.2") as outside:
        to = f"http://changing.example:{outside.port}"
        outside.routes["/robots.txt"] = answer(
            body=b"User-agent: *\nDisallow:\n", headers=("Connection: close",)
        )
        outside.add("moved", healthy=False)
        url = site.fault("/news/bad", redirect(f"{to}/news/moved"))
        outcome = await mirror(
            site,
            tmp_path,
            "--allow-address",
            "127.0.0.2",
            script=NAMES,
            env={"NAMES": json.dumps({"changing.example": ["127.0.0.2", "127.0.0.1"]})},
        )
        outcome.holds(site)
        assert set(outside.counts) <= {"/robots.txt", "/news/moved"}
        assert "Traceback" not in outcome.said(url)


# private header fields and cookies

SECRET = "hushhush-4711"  # noqa: S105  - nobody's


def _every_byte(outcome: Outcome) -> bytes:
    """Everything that a run left behind, segments decompressed."""
    whole = [outcome.stdout.encode(), outcome.stderr.encode()]
    for path in outcome.mirror.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            whole += [data, gzip.decompress(data)] if path.suffix == ".gz" else [data]
    return b"\n".join(whole)


@pytest.mark.parametrize("fault", ["none", "reset", "status", "protocol"])
async def test_a_private_header_goes_nowhere_else(fault: str, tmp_path: Path) -> None:
    """Not with a redirect to another host or port, not into a WARC, a log, an index or an error."""
    async with fault_server() as site, fault_server() as other:
        page = article("away", other.base)["html"]

        async def echo(request: Request, wire: Wire) -> None:
            told = request.headers.get("authorization", "")
            if fault == "reset":
                wire.reset()
            elif fault == "protocol":
                await wire.send(b"HTTP/1.1 " + told.encode() + b"\r\n\r\n")
                wire.close()
            else:
                status = f"500 {told}" if fault == "status" else "200 OK"
                fields = (HTML, f"X-Echo: {told}", f"Set-Cookie: sid={SECRET}")
                await wire.send(answer(status, page, fields))

        site.fault("/news/away", redirect(other.url("/news/away")))
        site.fault("/news/echo", echo)
        other.routes["/news/away"] = answer(body=page, headers=(HTML,))
        outcome = await mirror(
            site,
            tmp_path,
            "--header",
            f"Authorization: Bearer {SECRET}",
            "--header",
            f"X-Key: {SECRET}",
            "--allow-address",
            "127.0.0.0/8",
        )
        outcome.holds(site)
        assert site.requests[0].headers["authorization"] == f"Bearer {SECRET}"
        assert other.requests
        for request in other.requests:
            assert SECRET not in str(request.headers)
        assert all("cookie" not in request.headers for request in site.requests)
        assert SECRET.encode() not in _every_byte(outcome)
