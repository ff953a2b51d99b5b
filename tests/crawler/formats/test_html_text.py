"""The words of a region."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Malformed
from crawler.formats.html_text import MAX_LARGE_BOXES, fragment_text

BASE = "https://example.org/a/"


def plain(html: str) -> str:
    return fragment_text(html, BASE).plain


def linked(html: str) -> str:
    return fragment_text(html, BASE).linked


def test_blocks_are_parted_and_inline_elements_are_not() -> None:
    assert plain("<h2>A</h2><p>b<b>c</b> d<br>e</p>text<ul><li>f</ul>") == (
        "A\n\nbc d\ne\n\ntext\n\nf"
    )
    assert plain("<table><tr><td>a<td>b<tr><td>c</table>") == "a b\n\nc"


def test_white_space_folds_but_in_preformatted_lines() -> None:
    assert plain("<p>a \n\t b</p><pre>c\n  d</pre>") == "a b\n\nc\nd"


def test_links_and_pictures_are_part_of_the_linked_text_only() -> None:
    html = '<p><a href="../b">t</a> <img src="i.png" alt="A"></p>'
    assert plain(html) == "t"
    assert linked(html) == "[t](https://example.org/b) ![A](https://example.org/a/i.png)"
    assert fragment_text(html, BASE).link_length == 1


def test_targets_within_the_page_and_inline_pictures_are_left_out() -> None:
    html = '<a href="#x">t</a><a href="mailto:a@b">m</a><img src="data:image/png;base64,xx">'
    assert linked(html) == "tm"


def test_lazy_pictures_are_read_where_they_will_load_from() -> None:
    assert linked('<img src="data:x" data-src="/i.png">') == "![](https://example.org/i.png)"


@pytest.mark.parametrize(
    "html",
    [
        "<script>x</script>", "<style>x</style>", "<nav>x</nav>", "<aside>x</aside>",
        "<form>x</form>", "<noscript>x</noscript>", "<template>x</template>", "<!-- x -->",
        "<button>x</button>", "<div hidden>x</div>", '<p aria-hidden="true">x</p>',
        '<div role="navigation">x</div>', '<time datetime="2024">x</time>',
        "<svg><text>x</text></svg>",        '<div class="ad">x</div>', "<iframe>x</iframe>",
        "<footer>x</footer>", "<header>x</header>",
    ],
)  # fmt: skip
def test_what_is_no_words(html: str) -> None:
    assert plain(f"<p>The words of it all.</p>{html}") == "The words of it all."


def test_a_large_box_is_a_layout_and_is_read() -> None:
    assert plain('<div class="content-sidebar"><p>All of it</p></div>') == "All of it"
    nested = '<div class="ad">' * (MAX_LARGE_BOXES + 500) + "x"
    assert plain(nested) == "x"


def test_a_fragment_of_nothing_is_nothing() -> None:
    assert fragment_text("", BASE).plain == ""


@settings(max_examples=100)
@given(st.text(alphabet="<>/apre img=\"'#\x00\x01\n", max_size=80))
def test_any_fragment_gives_text(html: str) -> None:
    try:
        text = fragment_text(html, BASE)
    except Malformed:
        return
    assert "\x00" not in text.plain + text.linked
    assert "\x01" not in text.plain + text.linked
