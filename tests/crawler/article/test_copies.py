"""One format from a server: what is a copy, what is a failure, and what a 304 leaves standing."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec import structs

from crawler.article.copies import CopyFailed, Copyist
from crawler.declared import Declared
from crawler.transport.faults import HostResting
from storage.errors import NoSuchArticle
from storage.model import Validator
from tests.crawler.copying import Shelf, alternate, copying, markdown, place
from tests.crawler.fetching import NOW
from tests.crawler.raw_server import answer, raw_server
from tests.crawler.small_site import Page, SmallSite, article

PNG = "image/png"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


async def failed(copyist: Copyist, declared: Declared) -> CopyFailed:
    with pytest.raises(CopyFailed) as caught:
        await copyist.copy(declared)
    return caught.value


def redirect(to: str) -> Page:
    return Page(status=302, headers={"Location": to})


def with_headers(page: Page, **headers: str) -> Page:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return structs.replace(page, headers=named)


async def test_a_copy_describes_the_bytes_and_keeps_the_answer(site: SmallSite) -> None:
    site.pages["/a"] = with_headers(article("Story"), ETag='"1"')
    async with copying(site.base) as copyist:
        copy = await copyist.copy(place(f"{site.base}/a"))
    shown, (payload,) = copy.representation, copy.payloads
    body = bytes(payload.body)
    assert (shown.format, shown.status, shown.fetched_at) == ("html", 200, NOW)
    assert (shown.digest, shown.length) == (hashlib.sha256(body).hexdigest(), len(body))
    assert (payload.role, payload.url) == ("html", f"{site.base}/a")
    assert copy.validator == Validator(url=f"{site.base}/a", etag='"1"', digest=shown.digest)
    assert copy.facts.title == "Story"
    assert copy.answered


class TestRedirects:
    """What lies between a declared URL and the one that answers."""

    async def test_each_hop_of_an_alternate_is_kept_before_its_answer(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/a.md": redirect("/b.md"), "/b.md": redirect("/c.md")}
        site.pages["/c.md"] = markdown("Story")
        async with copying(site.base) as copyist:
            copy = await copyist.copy(place(f"{site.base}/a.md", "markdown"))
        kept = [(each.role, each.url.removeprefix(site.base)) for each in copy.payloads]
        assert kept == [("hop", "/a.md"), ("hop", "/b.md"), ("markdown", "/c.md")]
        assert [each.status for each in copy.payloads] == [302, 302, 200]
        shown = copy.redirected.payloads
        assert [each.role for each in shown] == ["hop", "hop", "evidence"]
        assert copy.representation.url == f"{site.base}/a.md"
        assert copy.final_url == f"{site.base}/c.md"

    async def test_robots_txt_binds_each_hop(self, site: SmallSite) -> None:
        site.pages["/robots.txt"] = Page(body="User-agent: *\nDisallow: /private/")
        site.pages |= {"/a.md": redirect("/b.md"), "/b.md": redirect("/private/a.md")}
        site.pages["/private/a.md"] = markdown("Story")
        async with copying(site.base) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a.md", "markdown"))
        assert failure.disallowed
        assert "robots.txt" in failure.why
        assert "/private/a.md" not in site.asked


class TestLooks:
    """What nobody declared: its bytes tell what it is, else its media type does."""

    @pytest.mark.parametrize(
        ("type_", "body", "name"),
        [
            ("text/html", "<title>Story</title><p>HTML may leave its outer tags out.", "html"),
            ("text/html; charset=utf-8", "<meta charset=utf-8><p>As here.", "html"),
            ("text/markdown", "Words that open with no heading.", "markdown"),
            ("image/png", "<!doctype html><title>Story</title>", "html"),
        ],
    )
    async def test_a_document_is_what_it_looks_like_or_is_served_as(
        self, site: SmallSite, type_: str, body: str, name: str
    ) -> None:
        site.pages["/a"] = Page(body=body, type=type_)
        async with copying(site.base) as copyist:
            copy = await copyist.copy(place(f"{site.base}/a"))
        assert copy.representation.format == name

    async def test_a_byte_order_mark_says_that_a_page_is_utf_16(self) -> None:
        page = "<!doctype html><title>Stor\u00fd</title>".encode("utf-16")
        fields = ("Content-Type: text/html; charset=utf-8",)
        async with (
            raw_server({"/a": answer(body=page, headers=fields)}) as site,
            copying(site.url("/")) as copyist,
        ):
            copy = await copyist.copy(place(site.url("/a")))
        assert copy.facts.title == "Stor\u00fd"


class TestRobots:
    """robots.txt stands before every URL."""

    async def test_a_format_that_it_forbids_is_not_asked_for(self, site: SmallSite) -> None:
        site.pages["/robots.txt"] = Page(body="User-agent: *\nDisallow: /*.md$")
        site.pages |= {"/a": article("Story"), "/a.md": markdown("Story")}
        async with copying(site.base) as copyist:
            await copyist.copy(place(f"{site.base}/a"))
            failure = await failed(copyist, place(f"{site.base}/a.md", "markdown"))
        assert failure.disallowed
        assert site.asked == ["/robots.txt", "/a"]

    @pytest.mark.parametrize(
        ("rules", "why"),
        [
            (Page(body="User-agent: *\nDisallow: /"), "disallowed: robots.txt"),
            (Page(status=503), "not asked for: robots.txt was answered with status 503"),
        ],
    )
    async def test_what_no_rule_forbids_is_not_called_disallowed(
        self, site: SmallSite, rules: Page, why: str
    ) -> None:
        site.pages["/robots.txt"] = rules
        async with copying(site.base) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a"))
        assert (failure.why, failure.disallowed) == (why, True)

    async def test_the_user_may_overrule_it(self, site: SmallSite) -> None:
        site.pages["/robots.txt"] = Page(body="User-agent: *\nDisallow: /")
        site.pages["/a"] = article("Story")
        async with copying(site.base, ignore_robots=True) as copyist:
            await copyist.copy(place(f"{site.base}/a"))
        assert site.asked == ["/a"]


class TestFailures:
    """A reply must be what it claims to be."""

    @pytest.mark.parametrize("status", [301, 403, 404, 410, 500])
    async def test_a_status_other_than_200_is_one_and_is_told(
        self, site: SmallSite, status: int
    ) -> None:
        site.pages["/a.md"] = structs.replace(markdown("Story"), status=status)
        async with copying(site.base) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a.md", "markdown"))
        assert (failure.status, failure.disallowed) == (status, False)
        assert str(status) in failure.why
        assert [(p.role, p.status) for p in failure.evidence.payloads] == [("evidence", status)]

    @pytest.mark.parametrize(
        ("name", "page", "why"),
        [
            ("markdown", article("Sign in"), "HTML"),
            ("text", Page(body="", type="text/plain"), "empty"),
            ("json", Page(body='{"slug": ', type="application/json"), "JSON"),
            ("jsonld", Page(body="<html>", type="text/html"), "HTML"),
            ("", Page(body="", type="text/html"), "the body is empty"),
            ("", Page(body="\x89PNG\0\0\0", type=PNG), "neither a page nor text (image/png)"),
            (
                "text",
                Page(body="no gzip", type="text/plain", headers={"Content-Encoding": "gzip"}),
                "gzip",
            ),
        ],
        ids=[
            *("html-as-markdown", "empty", "half-json", "html-as-jsonld", "empty-page", "image"),
            "broken-coding",
        ],
    )
    async def test_what_is_not_what_it_claims_is_one(
        self, site: SmallSite, name: str, page: Page, why: str
    ) -> None:
        site.pages["/a"] = page
        async with copying(site.base) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a", name))
        assert why in failure.why
        assert failure.status == 200

    async def test_a_body_past_the_bound_is_one(self, site: SmallSite) -> None:
        site.pages["/a"] = article("Story")
        async with copying(site.base, max_body=100) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a"))
        assert "100" in failure.why

    async def test_no_answer_at_all_is_one(self, site: SmallSite) -> None:
        site.pages["/a"] = redirect("/a")
        async with copying(site.base) as copyist:
            failure = await failed(copyist, place(f"{site.base}/a"))
        assert (failure.status, failure.disallowed) == (0, False)

    async def test_a_host_that_rests_is_none_of_a_formats(self, site: SmallSite) -> None:
        site.pages["/a"] = Page(status=503)
        async with copying(site.base, strikes=1) as copyist:
            with pytest.raises(HostResting):
                await copyist.copy(place(f"{site.base}/a"))


class TestNotModified:
    """A 304: the stored body stands, and says what it said."""

    @pytest.fixture
    def shelf(self, site: SmallSite) -> Shelf:
        link = '<BASE/a.md>; rel="alternate"; type="text/markdown"'
        site.pages["/a"] = with_headers(article("Story"), ETag='"1"', Link=link)
        return Shelf()

    async def test_it_gives_the_stored_words_and_the_new_moment(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        now = NOW
        async with copying(site.base, shelf=shelf, now=lambda: now) as copyist:
            old = await copyist.copy(place(f"{site.base}/a"))
            known = shelf.known([old])
            site.pages["/a"] = Page(status=304)
            now += timedelta(hours=1)
            copy = await copyist.copy(
                place(f"{site.base}/a"), previous=known.newest, validators=known.validators
            )
        assert site.heard[-1]["If-None-Match"] == '"1"'
        assert copy.facts == old.facts
        assert copy.representation == structs.replace(old.representation, fetched_at=now)
        assert not copy.answered
        assert copy.validator == old.validator
        (payload,) = copy.payloads
        assert (payload.status, payload.not_modified, payload.body) == (304, True, b"")

    async def test_the_stored_link_header_still_declares_its_alternates(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        async with copying(site.base, shelf=shelf) as copyist:
            known = shelf.known([await copyist.copy(place(f"{site.base}/a"))])
            site.pages["/a"] = Page(status=304)
            copy = await copyist.copy(
                place(f"{site.base}/a"), previous=known.newest, validators=known.validators
            )
        assert [(link.declared_by, link.url) for link in copy.facts.links] == [
            ("header", f"{site.base}/a.md")
        ]

    async def test_a_fresh_copy_is_asked_for_past_every_cache(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        async with copying(site.base, shelf=shelf) as copyist:
            known = shelf.known([await copyist.copy(place(f"{site.base}/a"))])
            await copyist.copy(
                place(f"{site.base}/a"),
                previous=known.newest,
                validators=known.validators,
                fresh=True,
            )
        assert site.heard[-1]["Cache-Control"] == "no-cache"
        assert "If-None-Match" not in site.heard[-1]

    async def test_a_validator_without_a_snapshot_is_not_sent(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        async with copying(site.base, shelf=shelf) as copyist:
            known = shelf.known([await copyist.copy(place(f"{site.base}/a"))])
            await copyist.copy(place(f"{site.base}/a"), validators=known.validators)
        assert "If-None-Match" not in site.heard[-1]

    async def test_a_stored_body_that_no_longer_reads_is_asked_for_anew(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        record = Page(body='{"title": "Story"}', type="application/json", headers={"ETag": "1"})
        site.pages["/a.json"] = lambda sent: Page(status=304) if "If-None-Match" in sent else record
        async with copying(site.base, shelf=shelf) as copyist:
            old = await copyist.copy(place(f"{site.base}/a.json", "json"))
            known = shelf.known([old])
            broken = structs.replace(old.payloads[0], body=b"{")
            shelf.copies["json"] = structs.replace(old, payloads=(broken,))
            copy = await copyist.copy(
                place(f"{site.base}/a.json", "json"),
                previous=known.newest,
                validators=known.validators,
            )
        assert copy.answered
        assert copy.facts == old.facts

    async def test_a_store_that_lost_the_body_is_the_stores_failure(
        self, site: SmallSite, shelf: Shelf
    ) -> None:
        async with copying(site.base, shelf=shelf) as copyist:
            known = shelf.known([await copyist.copy(place(f"{site.base}/a"))])
            shelf.copies.clear()
            site.pages["/a"] = Page(status=304)
            with pytest.raises(NoSuchArticle):
                await copyist.copy(
                    place(f"{site.base}/a"), previous=known.newest, validators=known.validators
                )


class TestWhatIsNoted:
    """What an answer says beside its body."""

    async def test_the_link_header_declares_alternates_too(self, site: SmallSite) -> None:
        page = article("Story", head=alternate("text/plain", "/a.txt"))
        link = '</a.md>; rel="alternate"; type="text/markdown"'
        site.pages["/a"] = with_headers(page, Link=link)
        async with copying(site.base) as copyist:
            copy = await copyist.copy(place(f"{site.base}/a"))
        said = {link.declared_by: link.url.removeprefix(site.base) for link in copy.facts.links}
        assert said == {"html": "/a.txt", "header": "/a.md"}

    async def test_usage_signals_stand_word_for_word_under_their_format(
        self, site: SmallSite
    ) -> None:
        page = with_headers(markdown("Story"), X_Robots_Tag="noindex, max-snippet:5")
        site.pages["/a.md"] = page
        async with copying(site.base) as copyist:
            copy = await copyist.copy(place(f"{site.base}/a.md", "markdown"))
        assert copy.usage == {"markdown: x-robots-tag": "noindex, max-snippet:5"}

    async def test_cut_cookies_are_named_and_a_private_header_marks_the_copy(
        self, site: SmallSite
    ) -> None:
        site.pages["/a"] = with_headers(article("Story"), Set_Cookie="id=1", ETag='"1"')
        host = site.base.removeprefix("http://")
        secret = {host: (("Authorization", "Bearer x"),)}
        shelf = Shelf()
        async with copying(site.base, headers=secret, shelf=shelf) as copyist:
            copy = await copyist.copy(place(f"{site.base}/a"))
            known = shelf.known([copy])
            site.pages["/a"] = with_headers(Page(status=304), Set_Cookie="id=2")
            again = await copyist.copy(
                place(f"{site.base}/a"), previous=known.newest, validators=known.validators
            )
        assert (copy.redacted, copy.private) == (("Set-Cookie",), True)
        assert (again.redacted, again.private) == (("Set-Cookie",), True)

    async def test_a_declared_type_is_asked_for_first_and_anything_else_after_it(
        self, site: SmallSite
    ) -> None:
        site.pages["/a.md"] = markdown("Story")
        declared = Declared(format="markdown", url=f"{site.base}/a.md", type="text/markdown; x=1")
        async with copying(site.base) as copyist:
            copy = await copyist.copy(declared)
        assert site.heard[-1]["Accept"] == "text/markdown, */*;q=0.5"
        assert copy.representation.request == {}

    async def test_what_was_negotiated_keeps_what_was_asked(self, site: SmallSite) -> None:
        site.pages["/a"] = markdown("Story")
        async with copying(site.base) as copyist:
            copy = await copyist.copy(
                place(f"{site.base}/a", "markdown", "probe"), accept="text/markdown"
            )
        assert copy.representation.request == {"Accept": "text/markdown"}
