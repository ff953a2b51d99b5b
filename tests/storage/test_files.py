"""File names: what they look like, that they stay inside, and that no two are one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import sha256
from unicodedata import normalize
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.files import (
    MAX_PATH,
    Names,
    any_name,
    file_name,
    is_device,
    is_safe,
    suffixes_of,
    urn,
)

FORMATS = st.sampled_from(["html", "markdown", "text", "jsonld", "json", "pdf", "x/../y", ""])
WORDS = (
    ".. . %2e%2e %2F ..%2f..%2fx a A a.html a/b \\..\\x %5C \u00e9 e\u0301 %E9 \u00c9 \u00df ss "
    "\ufb00 CON con.html NUL LPT\u00b9 aux. %00 %0A a. a:b a?b a%3Fb ?x=../.. .git % %% ~ "
    "index.html *%CC%81 %2A%CC%81 \u202e -rf @x ?x #y"
)
PARTS = st.text(max_size=12) | st.sampled_from(
    [*WORDS.split(), "", "a ", "x" * 300, "\u00e9" * 150]
)
UNSAFE = "/ /etc/passwd ../x a/../b a/./b a//b a/ a\\b c:/x .git CON a/nul.txt %.. -rf"
URLS = st.tuples(
    st.sampled_from(["http://e.org/", "https://e.org/", "http://con:8080/", "http://[::1]/"]),
    st.lists(PARTS, max_size=5).map("/".join),
).map(lambda both: "".join(both).encode(errors="replace").decode())


def fold(name: str) -> str:
    return normalize("NFC", normalize("NFD", name).casefold())


def assert_one_tree(names: Iterable[str]) -> None:
    """No two of ``names`` are one file, and none is a folder of another, as systems compare."""
    folded = [fold(name) for name in names]
    assert len(set(folded)) == len(folded)
    folders = {name[:at] for name in folded for at, c in enumerate(name) if c == "/"}
    assert folders.isdisjoint(folded)


def assert_inside(name: str) -> None:
    """Stay in the folder and be a name that Linux, macOS and Windows can all open."""
    assert is_safe(name)
    assert len(name.encode()) <= MAX_PATH + 64
    assert name == normalize("NFC", name)
    for part in name.split("/"):
        assert part not in ("", ".", "..")
        assert 0 < len(part.encode()) <= 255
        assert not set(part) & set('<>:"\\|?*')
        assert part.isprintable()
        assert part[0] not in ". -"
        assert part[-1] not in ". "
        assert part.split(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "LPT\u00b9", "COM1"}


@pytest.mark.parametrize(
    ("url", "fmt", "name"),
    [
        ("https://wpnews.pro/news/a.html", "html", "wpnews.pro/news/a.html"),
        ("https://wpnews.pro/news/a", "html", "wpnews.pro/news/a.html"),
        ("https://wpnews.pro/news/a.md", "markdown", "wpnews.pro/news/a.md"),
        ("https://wpnews.pro/news/a", "markdown", "wpnews.pro/news/a.md"),
        ("https://wpnews.pro/news/a.txt", "text", "wpnews.pro/news/a.txt"),
        ("https://wpnews.pro/news/a.json", "jsonld", "wpnews.pro/news/a.json"),
        ("https://wpnews.pro/news/a", "jsonld", "wpnews.pro/news/a.jsonld"),
        ("https://wpnews.pro/news/a.php", "html", "wpnews.pro/news/a.php.html"),
        ("https://wpnews.pro/news/a.PDF", "pdf", "wpnews.pro/news/a.PDF"),
        ("https://wpnews.pro/news/", "html", "wpnews.pro/news/index.html"),
        ("https://wpnews.pro/", "markdown", "wpnews.pro/index.md"),
        ("http://127.0.0.1:8080/a", "html", "127.0.0.1+8080/a.html"),
        ("http://[::1]:8080/a", "html", "[--1]+8080/a.html"),
        ("https://e.org/a?p=1&q=a/b", "html", "e.org/a@p=1&q=a%2Fb.html"),
        ("https://e.org/?p=1", "html", "e.org/index.html@p=1.html"),
        ("https://e.org/caf%C3%A9", "html", "e.org/café.html"),
        ("https://e.org/cafe%CC%81", "html", "e.org/café.html"),
        ("https://e.org/caf%E9", "html", "e.org/caf%E9.html"),
        ("https://e.org/..%2F..%2Fx", "html", "e.org/..%2F..%2Fx.html".replace("/..", "/%2E.")),
        ("https://e.org/CON", "html", "e.org/%43ON.html"),
        ("https://e.org/.git/config", "text", "e.org/%2Egit/config.txt"),
        ("https://e.org/a//b", "html", "e.org/a/%2F/b.html"),
        ("https://e.org/a%00b", "html", "e.org/a%00b.html"),
    ],
)
def test_a_name_is_a_function_of_url_and_format(url: str, fmt: str, name: str) -> None:
    assert file_name(url, fmt) == name


def test_a_long_name_is_cut_and_told_apart() -> None:
    names = [file_name(f"https://e.org/{'x' * 300}{n}", "html") for n in range(3)]
    assert len(set(names)) == 3
    for name in names:
        assert name.endswith(".html")
        assert len(name) == len("e.org/") + 200


def test_a_cut_keeps_whole_characters_and_escapes() -> None:
    for lead in ("", "x", "xx"):
        for letter in ("%C3%A9", "%FF", "%F0%9F%98%80"):
            name = file_name(f"https://e.org/{lead}{letter * 200}", "html")
            stem = name.removeprefix("e.org/").rpartition("~")[0]
            assert_inside(name)
            assert stem.removeprefix(lead).strip("\u00e9\U0001f600") in (
                "",
                "%FF" * (len(stem) // 3),
            )


def test_a_deep_path_is_shortened_and_told_apart() -> None:
    urls = [f"https://e.org/{'abcdefg/' * 300}{n}/z.md" for n in range(3)]
    names = [file_name(url, "markdown") for url in urls]
    assert len(set(names)) == 3
    for name in names:
        assert name.endswith("/z.md")
        assert len(name) <= MAX_PATH


@pytest.mark.parametrize("url", ["", "a/b", "https://", "https://e.org:99999/"])
def test_what_is_no_url_has_no_name(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        file_name(url, "html")


def test_suffixes_of_other_formats_are_made_from_their_name() -> None:
    assert suffixes_of("pdf") == (".pdf",)
    assert suffixes_of("x/../y") == (".xy",)
    assert suffixes_of("") == (".bin",)


@pytest.mark.parametrize(
    "name",
    [*UNSAFE.split(), "", "a ", "a\nb", "a/\ud800", "x" * 300, "a/" * 900 + "b"],
    ids=lambda name: ascii(name[:20]),
)
def test_a_name_that_could_leave_its_folder_is_unsafe(name: str) -> None:
    assert not is_safe(name)


@pytest.mark.parametrize("name", ["e.org/a.html", "e.org/%2E%2E/é.md", "~1a2b3c4d/x", "a b"])
def test_a_plain_name_is_safe(name: str) -> None:
    assert is_safe(name)


def test_devices_are_known_with_and_without_suffix() -> None:
    assert all(map(is_device, ["con", "NUL.txt", "com1", "lpt9.a.b", "CONIN$", "aux "]))
    assert not any(map(is_device, ["console", "com", "com10", "null", "acon"]))


PLAIN_PARTS = st.sampled_from(
    ["a.b", "news", "127.0.0.1", "1.2.3", "256.1.1.1", "xn--e1a", "con", "COM1.x", "-a", "b.", "A"]
)


@given(
    PLAIN_PARTS,
    st.sampled_from(["", ":80", ":443", ":8090", ":1"]),
    st.lists(PLAIN_PARTS),
    FORMATS,
)
def test_a_plain_url_has_the_name_that_the_rules_give(
    host: str, port: str, path: list[str], fmt: str
) -> None:
    for scheme in ("http", "https"):
        for end in ("", "/"):
            url = f"{scheme}://{host}{port}/{'/'.join(path)}{end}"
            assert _named(file_name, url, fmt) == _named(any_name, url, fmt)


def _named(name_of: Callable[[str, str], str], url: str, fmt: str) -> str | None:
    try:
        return name_of(url, fmt)
    except ValueError:
        return None


@given(URLS, FORMATS)
def test_no_url_leaves_the_folder(url: str, fmt: str) -> None:
    try:
        name = file_name(url, fmt)
    except ValueError:
        return
    assert_inside(name)
    assert file_name(url, fmt) == name


@given(st.lists(st.tuples(URLS, FORMATS), max_size=30, unique=True))
def test_no_two_representations_are_one_file(wanted: list[tuple[str, str]]) -> None:
    names = Names()
    chosen = {}
    for url, fmt in wanted:
        try:
            chosen[url, fmt] = names.choose(url, fmt)
        except ValueError:
            continue
    assert_one_tree(chosen.values())
    for name in chosen.values():
        assert_inside(name)
    again = Names(chosen.values())
    for (url, fmt), name in chosen.items():
        assert names.choose(url, fmt) == name
        assert again.choose(url, fmt, previous=name) == name


def test_losers_take_a_digest_of_their_url() -> None:
    names = Names()
    assert names.choose("https://e.org/a", "html") == "e.org/a.html"
    digest = sha256(b"http://e.org/A").hexdigest()[:8]
    assert names.choose("http://e.org/A", "html") == f"e.org/A~{digest}.html"
    assert names.choose("https://e.org/cafe%CC%81", "html") == "e.org/café.html"
    assert names.choose("https://e.org/caf%C3%A9", "html").startswith("e.org/café~")


def test_a_folder_gives_way_to_a_file_and_a_file_to_a_folder() -> None:
    names = Names(["e.org/a.html", "e.org/b.html/c.html"])
    under = names.choose("https://e.org/a.html/x", "html")
    assert under.startswith("e.org/a~")
    assert under.endswith(".html/x.html")
    beside = names.choose("https://e.org/b.html", "html")
    assert beside.startswith("e.org/b~")


def test_an_archive_made_to_vex_still_leaves_a_name() -> None:
    url = "https://e.org/a.html/x"
    digest = sha256(url.encode()).hexdigest()
    files = [f"e.org/a~{digest[:n]}.html" for n in range(8, 65, 8)]
    name = Names(["e.org", "../x", "e.org/a.html", *files]).choose(url, "html")
    assert_one_tree(["e.org/a.html", *files, name])


def test_a_previous_name_is_kept_unless_it_is_unsafe() -> None:
    names = Names(["e.org/old.html"])
    assert names.choose("https://e.org/a", "html", previous="e.org/old.html") == "e.org/old.html"
    assert names.choose("https://e.org/b", "html", previous="../../b") == "e.org/b.html"


@pytest.mark.parametrize(
    ("slug", "expected"),
    [
        ("a-b", "urn:slugline:e.org/a-b"),
        ("a/b", "urn:slugline:e.org/a%2Fb"),
        ("..", "urn:slugline:e.org/%2E%2E"),
        ("../../x", "urn:slugline:e.org/..%2F..%2Fx"),
        ("é ?#\n", "urn:slugline:e.org/%C3%A9%20%3F%23%0A"),
    ],
)
def test_an_articles_urn_is_one_line_of_ascii(slug: str, expected: str) -> None:
    assert urn("e.org", slug) == expected


@given(st.lists(st.text(min_size=1, max_size=10), unique=True, max_size=10))
def test_two_slugs_have_two_urns(slugs: list[str]) -> None:
    urns = [urn("127.0.0.1+8080~news", slug) for slug in slugs]
    assert len(set(urns)) == len(slugs)
    for text, slug in zip(urns, slugs, strict=True):
        assert unquote(text.partition("/")[2], errors="surrogatepass") == slug
        assert text.isascii()
        assert text.isprintable()
        assert text.count("/") == 1
        assert " " not in text
