"""llms.txt: links of every spelling, and nothing that is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.llms_txt import MAX_LINE, MAX_LINKS, LlmsLink, parse_llms_txt

URL = "https://example.org/docs/llms.txt"

TEXT = """\ufeff# The Paper

> Everything, see [the site](/).

## Articles

- [**One** more](/news/one.md): A note, with [brackets]
* [Two](two.md "a title") - Dash note
1. [Three](<three (3).md>)
  + [Four](https://example.org/wiki/Four_(number)): x
- [One again](https://EXAMPLE.org/news/one.md#part)
- <https://example.org/auto>
- ![An image](/i.png)
- [no target]() [mail](mailto:a@example.org) [part](#part)
- [A](/a) and [B](/b): both

```
[code](/code)
```
~~~~
~~~
[code](/code)
~~~~
## Optional
- [Other host](//example.net/x)
"""


def test_links_are_resolved_with_their_titles_and_notes() -> None:
    site = "https://example.org"
    assert parse_llms_txt(TEXT, URL) == (
        LlmsLink(url=f"{site}/", title="the site"),
        LlmsLink(url=f"{site}/news/one.md", title="One more", note="A note, with [brackets]"),
        LlmsLink(url=f"{site}/docs/two.md", title="Two", note="Dash note"),
        LlmsLink(url=f"{site}/docs/three%20(3).md", title="Three"),
        LlmsLink(url=f"{site}/wiki/Four_(number)", title="Four", note="x"),
        LlmsLink(url=f"{site}/auto"),
        LlmsLink(url=f"{site}/a", title="A"),
        LlmsLink(url=f"{site}/b", title="B"),
        LlmsLink(url="https://example.net/x", title="Other host"),
    )


@pytest.mark.parametrize("text", ["<!DOCTYPE html><p>[a](/a)", " \n<HTML>", "\ufeff<?xml ?>"])
def test_a_page_served_instead_has_no_links(text: str) -> None:
    assert parse_llms_txt(f"{text}\n[a](/a)", URL) == ()


def test_an_empty_file_has_no_links() -> None:
    assert parse_llms_txt("", URL) == ()


def test_hostile_lines_are_read_once_to_a_bound() -> None:
    for piece in (
        "[",
        "[a](",
        "[a](b ",
        "[a]( ",
        "[a](b '",
        "(" * 5,
        "<https://",
        "[a](" + "()" * 9,
    ):
        assert parse_llms_txt(piece * 200_000, URL) == ()
    assert parse_llms_txt("[a](" + " " * MAX_LINE + "[a](", URL) == ()
    assert parse_llms_txt("x" * MAX_LINE + "[a](/a)", URL) == ()


def test_links_are_bounded() -> None:
    text = "\n".join(f"- [x](/{i})" for i in range(MAX_LINKS + 9))
    assert len(parse_llms_txt(text, URL)) == MAX_LINKS


PIECES = ["[", "]", "(", ")", "](", "<", ">", "https://x.org/", "/a", "```", "\n", " ", '"', "- "]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join))
def test_any_text_gives_links(text: str) -> None:
    assert all(link.url.startswith("http") for link in parse_llms_txt(text, URL))


WORD = st.from_regex(r"[a-z0-9-]{1,12}", fullmatch=True)


@settings(max_examples=100)
@given(st.dictionaries(WORD, st.tuples(WORD, WORD), max_size=8))
def test_what_is_written_comes_back(pages: dict[str, tuple[str, str]]) -> None:
    text = "\n".join(f"- [{t}](/p/{slug}.md): n{n}" for slug, (t, n) in pages.items())
    assert parse_llms_txt(text, URL) == tuple(
        LlmsLink(url=f"https://example.org/p/{slug}.md", title=t, note=f"n{n}")
        for slug, (t, n) in pages.items()
    )
