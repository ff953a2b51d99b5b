"""robots.txt: RFC 9309's groups, paths, statuses and bytes, and what hostile files cost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.robots import MAX_BYTES, MAX_SITEMAPS, MAX_WILDCARD_RULES, Robots, from_answer

AGENT = "slugline/0.1 (+https://example.org/contact)"
SITE = "https://example.org"


def allowed(text: str | bytes, path: str, agent: str = AGENT) -> bool:
    body = text if isinstance(text, bytes) else text.encode()
    return Robots.parse(body, agent).allowed(SITE + path)


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("User-agent: slugline", True),
        ("USER-AGENT: SlugLine", True),
        ("user-agent:slugline", True),
        ("User-agent: slugline/2.0", True),
        ("User-agent: slugline  # us", True),
        ("User agent: slugline", True),
        ("User-agent: *", True),
        ("User-agent: * ", True),
        ("User-agent: slug", False),
        ("User-agent: s", False),
        ("User-agent: sluglinebot", False),
        ("User-agent: slugline-news", False),
        ("User-agent: slug*", False),
        ("User-agent:", False),
    ],
)
def test_a_group_is_ours_by_its_whole_product_token(line: str, ours: bool) -> None:
    assert allowed(f"{line}\nDisallow: /a\n", "/a") is not ours


def test_our_own_group_wins_over_everybodys_wherever_it_stands() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: slugline\nDisallow: /private\n"
    assert allowed(text, "/news")
    assert not allowed(text, "/private/x")
    assert not allowed(text, "/news", "otherbot")


def test_several_groups_of_ours_are_one() -> None:
    text = "User-agent: slugline\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\n"
    text += "User-agent: y\nUser-agent: SLUGLINE/9\nDisallow: /b\n"
    assert [allowed(text, path) for path in ("/a", "/b", "/c")] == [False, False, True]


def test_a_group_of_ours_without_rules_allows_everything() -> None:
    assert allowed("User-agent: *\nDisallow: /\nUser-agent: slugline\n", "/a")
    assert allowed("User-agent: *\nDisallow: /\n\nUser-agent: slugline\nDisallow:\n", "/a")


@pytest.mark.parametrize(
    "record", ["Sitemap: https://example.org/s.xml", "Crawl-delay: 3", "Foo: x"]
)
def test_a_record_that_is_no_rule_never_ends_a_group(record: str) -> None:
    text = f"User-agent: slugline\n{record}\nUser-agent: other\nDisallow: /a\n"
    assert not allowed(text, "/a")


@pytest.mark.parametrize(
    ("rules", "path", "expected"),
    [
        ("Disallow: /a", "/a", False),
        ("Disallow: /a", "/ab", False),
        ("Disallow: /a", "/A", True),
        ("Disallow: /a/", "/a", True),
        ("Disallow: /\nAllow: /p", "/page", True),
        ("Allow: /p\nDisallow: /", "/page", True),
        ("Allow: /folder\nDisallow: /folder", "/folder/page", True),
        ("Allow: /page\nDisallow: /*.htm", "/page.htm", False),
        ("Allow: /$\nDisallow: /", "/", True),
        ("Allow: /$\nDisallow: /", "/page", False),
        ("Disallow: /*.php$", "/a/b.php", False),
        ("Disallow: /*.php$", "/a/b.php?x=1", True),
        ("Disallow: /fish*", "/fishheads", False),
        ("Disallow: /a*b*c", "/axxbxxc/d", False),
        ("Disallow: /*?", "/a?b=1", False),
        ("Disallow: *", "/x", False),
        ("Disallow:", "/x", True),
        ("Disallow: a", "/a", True),
        ("Disallow: /caf\u00e9", "/caf%C3%A9", False),
        ("Disallow: /caf%c3%a9", "/caf%C3%A9", False),
        ("Disallow: /%62%61%7A", "/baz", False),
        ("Disallow: /a%2Fb", "/a/b", True),
        ("Disallow: /a%2a", "/a%2A", False),
        ("Disallow: /a%2a", "/abc", True),
        ("Disallow: /robots.txt\nDisallow: /", "/robots.txt", True),
        ("Disallow: /a # not /b", "/a", False),
        ("Dissallow: /a", "/a", False),
        ("Disallow /a", "/a", False),
    ],
)
def test_the_longest_matching_rule_decides(rules: str, path: str, *, expected: bool) -> None:
    assert allowed(f"User-agent: *\n{rules}\n", path) is expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_line_ends_and_byte_order_marks_are_read_through(end: str, encoding: str) -> None:
    body = end.join(["User-agent: *", "Disallow: /a", ""]).encode(encoding)
    assert not Robots.parse(body, AGENT).allowed(f"{SITE}/a")
    assert Robots.parse(body, AGENT).allowed(f"{SITE}/b")


def test_only_cr_and_lf_end_a_line() -> None:
    assert allowed("User-agent: *\nDisallow: /x\u2028Disallow: /a\n", "/a")
    assert allowed("User-agent: *\nDisallow: /x\x85Disallow: /a\n", "/a")


def test_octets_that_are_no_utf8_still_match() -> None:
    assert not allowed(b"User-agent: *\nDisallow: /caf\xe9\n", "/caf%E9")


def test_rules_past_500_kib_and_half_lines_are_not_read() -> None:
    head = b"User-agent: *\nDisallow: /a\n"
    padding = b"#" * (MAX_BYTES - len(head) - len(b"\nDisallow: /")) + b"\n"
    body = head + padding + b"Disallow: /news/only-this\n"
    assert not allowed(body, "/a")
    assert allowed(body, "/news/other")
    assert allowed(body, "/")


def test_delay_and_sitemaps_are_told() -> None:
    robots = Robots.parse(
        b"Sitemap: https://example.org/a.xml\nUser-agent: *\nDisallow: /x\nCrawl-delay: 2.5\n"
        b"User-agent: other\nCrawl-delay: 60\nSITEMAP: /b.xml\nSitemap: https://example.org/a.xml",
        AGENT,
    )
    assert robots.crawl_delay == 2.5
    assert robots.sitemaps == ("https://example.org/a.xml", "/b.xml")


@pytest.mark.parametrize("delay", ["nan", "-1", "inf", "ten", "9" * 100_000, ""])
def test_a_delay_that_is_no_number_of_seconds_is_no_delay(delay: str) -> None:
    robots = Robots.parse(f"User-agent: *\nCrawl-delay: {delay}\n".encode(), AGENT)
    assert robots.crawl_delay is None or robots.crawl_delay > 1e20


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, True) for status in (301, 308, 400, 401, 403, 404, 410, 451, 499)),
        *((status, False) for status in (None, 100, 429, 500, 503, 599, 999)),
    ],
)
def test_a_status_speaks_for_itself(status: int | None, *, expected: bool) -> None:
    robots = from_answer(status, b"User-agent: *\nDisallow: /a\n", AGENT)
    assert robots.allowed(f"{SITE}/a") is expected
    assert robots.allowed(f"{SITE}/b") is expected
    assert robots.reason


@pytest.mark.parametrize("status", [200, 203, 206])
def test_a_success_is_parsed(status: int) -> None:
    robots = from_answer(status, b"User-agent: *\nDisallow: /a\n", AGENT)
    assert not robots.allowed(f"{SITE}/a")
    assert robots.allowed(f"{SITE}/b")


def test_an_empty_file_and_a_page_in_its_place_allow_everything() -> None:
    for body in (
        b"",
        b"<!DOCTYPE html><html><body>Disallow: /</body></html>",
        b"\x89PNG\r\n\x00\xff",
    ):
        assert from_answer(200, body, AGENT).allowed(f"{SITE}/a")


def test_refusing_all_still_lets_robots_txt_be_read_again() -> None:
    robots = Robots.disallow_all("because")
    assert robots.allowed(f"{SITE}/robots.txt")
    assert not robots.allowed(f"{SITE}/robots.txt/x")


def test_what_is_no_url_is_not_allowed() -> None:
    assert not Robots.parse(b"User-agent: *\nDisallow: /a", AGENT).allowed("https://[broken/\u00e9")


def test_thousands_of_agents_and_rules_cost_no_more_than_their_bytes() -> None:
    agents = "".join(f"User-agent: bot{i}\n" for i in range(12_000))
    rules = "".join(f"Disallow: /{i}\n" for i in range(12_000))
    robots = Robots.parse(f"{agents}User-agent: slugline\n{rules}".encode(), AGENT)
    assert not robots.allowed(f"{SITE}/11999")


def test_too_many_wildcard_rules_refuse_all_and_say_so() -> None:
    rules = "".join(f"Disallow: /*{i}\n" for i in range(MAX_WILDCARD_RULES + 1))
    robots = Robots.parse(f"User-agent: *\n{rules}".encode(), AGENT)
    assert not robots.allowed(f"{SITE}/b")
    assert "wildcard" in robots.reason


def test_one_line_of_wildcards_is_matched_without_trying_every_split() -> None:
    pattern = "*a" * (MAX_BYTES // 2 - 100)
    assert allowed(f"User-agent: *\nDisallow: /{pattern}b$\n", "/" + "a" * 2_000)


def test_sitemap_lines_are_bounded() -> None:
    lines = "".join(f"Sitemap: /{i}.xml\n" for i in range(MAX_SITEMAPS + 5))
    assert len(Robots.parse(lines.encode(), AGENT).sitemaps) == MAX_SITEMAPS


PATHS = st.lists(
    st.text("abz09-._~!&'(),;=:@", min_size=1, max_size=6).map("/{}".format), min_size=1, max_size=3
).map("".join)


@given(refused=st.lists(PATHS, max_size=6), asked=PATHS, eol=st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_obeyed(refused: list[str], asked: str, eol: str) -> None:
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in refused)]
    robots = Robots.parse(eol.join(lines).encode(), AGENT)
    for path in (asked, *refused):
        assert robots.allowed(f"{SITE}{path}") is not any(map(path.startswith, refused))


TEXT = st.lists(
    st.sampled_from(["User-agent: ", "Disallow: ", "Allow: ", "*", "$", "%", "%2", "/", "\n", "\r"])
    | st.text(max_size=6)
).map("".join)


@settings(max_examples=150, deadline=None)
@given(TEXT | st.binary(max_size=300).map(lambda b: b.decode("latin-1")), TEXT)
def test_no_bytes_raise(text: str, path: str) -> None:
    for body in (text.encode("utf-8", "surrogatepass"), text.encode("utf-16", "surrogatepass")):
        robots = from_answer(200, body, "slugline")
        assert robots.allowed(f"{SITE}/{path}") in (True, False)
        assert robots.allowed(f"{SITE}/robots.txt")
