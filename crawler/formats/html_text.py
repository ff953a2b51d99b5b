"""The words of a region of a page, without what changes when nobody edits.

Left out are navigation, advertisements, related boxes, comments, forms, scripts and
machine-readable times, since a digest is made over the rest. Pure: a tree in, text out.
"""

from __future__ import annotations

from msgspec import Struct
from selectolax.lexbor import LexborNode

from crawler.folding import fold
from crawler.formats.html_boxes import is_box
from crawler.formats.html_tree import (
    attribute,
    folded,
    parse_tree,
    resolve,
    word_set,
)

#: A box is left out by its class only below this share of the region: a class may be a layout's.
BOX_SHARE = 0.5
#: Large boxes that are looked into nevertheless, a region; each one costs reading its text.
MAX_LARGE_BOXES = 8

_SKIPPED = word_set(
    "script style noscript template svg iframe object embed canvas form button select input "
    "textarea nav aside footer dialog audio video map head title"
)
_SKIPPED_ROLES = word_set(
    "navigation complementary banner contentinfo search dialog alert alertdialog form menu"
)
_BLOCKS = word_set(
    "address article blockquote caption dd details div dl dt fieldset figcaption figure h1 h2 h3 "
    "h4 h5 h6 header hgroup hr li main ol p pre section summary table tbody tfoot thead tr ul"
)
_BREAK = "\x00"
_LINE = "\x01"
_MARKS = dict.fromkeys(_BLOCKS, _BREAK) | {"br": _LINE, "td": " ", "th": " "}
_NO_MARKS = str.maketrans({_BREAK: " ", _LINE: " "})


class Text(Struct, frozen=True, kw_only=True):
    """A region's words: ``plain``, and ``linked`` with link targets and image URLs.

    Blocks are parted by an empty line. ``link_length`` counts characters of ``plain`` inside links.
    """

    plain: str = ""
    linked: str = ""
    link_length: int = 0


def fragment_text(html: str, base: str) -> Text:
    """Return the words of an HTML fragment, as a JSON record holds one. Raises Malformed."""
    if not html:
        return Text()
    body = parse_tree(html).body
    return Text() if body is None else region_text(body, base)


def region_text(region: LexborNode, base: str, title: str | None = None) -> Text:
    """Return the words of ``region``; a level one heading that repeats ``title`` is left out."""
    return _Walk(region, base, title).run()


class _Walk:
    """One pass over a region in document order, without recursion.

    Mutable: ``_plain`` and ``_linked``, the two texts in pieces, and ``_stack`` of open elements.
    """

    def __init__(self, region: LexborNode, base: str, title: str | None) -> None:
        self._region = region
        self._base = base
        self._title = title.casefold() if title else None
        self._plain: list[str] = []
        self._linked: list[str] = []
        self._stack: list[tuple[str, LexborNode, str]] = []
        self._preformatted = 0
        self._links = 0
        self._linked_length = 0
        self._large = 0
        self._limit: float | None = None
        # A whole body's headers are the site's, an article's own are its title and standfirst.
        self._skipped = _SKIPPED | {"header"} if region.tag == "body" else _SKIPPED

    def run(self) -> Text:
        node = self._region.first_child
        while node is not None:
            child = self._visit(node)
            if child is not None:
                node = child
                continue
            following = node.next
            while following is None and self._stack:
                following = self._leave().next
            node = following
        plain = _tidy(self._plain)
        return Text(
            plain=plain,
            linked=plain if self._linked == self._plain else _tidy(self._linked),
            link_length=self._linked_length,
        )

    def _visit(self, node: LexborNode) -> LexborNode | None:
        """Take in ``node``; return its first child where that is to be read too."""
        tag = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return None
        if tag[0:1] == "-" or tag in self._skipped or self._skips(node, tag):
            return None
        if tag in _MARKS:
            self._both(_MARKS[tag])
        elif tag == "img":
            self._image(node)
        target = self._target(node) if tag == "a" else ""
        child = node.first_child
        if child is None:
            return None
        if tag == "pre":
            self._preformatted += 1
        elif target:
            self._links += 1
            self._linked.append("[")
        self._stack.append((tag, node, target))
        return child

    def _leave(self) -> LexborNode:
        tag, node, target = self._stack.pop()
        if tag in _BLOCKS:
            self._both(_BREAK)
        if tag == "pre":
            self._preformatted -= 1
        elif target:
            self._links -= 1
            self._linked.append(f"]({target})")
        return node

    def _both(self, mark: str) -> None:
        self._plain.append(mark)
        self._linked.append(mark)

    def _text(self, text: str) -> None:
        text = text.translate(_NO_MARKS) if _BREAK in text or _LINE in text else text
        if self._preformatted:
            text = text.replace("\n", _LINE)
        self._plain.append(text)
        self._linked.append(text)
        if self._links:
            self._linked_length += len(text.strip())

    def _skips(self, node: LexborNode, tag: str) -> bool:
        if (
            tag == "h1"
            and self._title is not None
            and folded(node.text()).casefold() == self._title
        ):
            return True
        given = node.attributes
        if not given:
            return False
        if "hidden" in given or given.get("aria-hidden") == "true":
            return True
        if (given.get("role") or "") in _SKIPPED_ROLES:
            return True
        if tag == "time" and "datetime" in given:
            return True
        return ("class" in given or "id" in given) and self._is_small_box(node)

    def _is_small_box(self, node: LexborNode) -> bool:
        if not is_box(node) or self._large >= MAX_LARGE_BOXES:
            return False
        if self._limit is None:
            self._limit = BOX_SHARE * len(self._region.text())
        if len(node.text()) <= self._limit:
            return True
        self._large += 1
        return False

    def _target(self, node: LexborNode) -> str:
        href = attribute(node, "href")
        # A target within the page moves with its headings and is no word of the publisher's.
        return "" if not href or href.startswith("#") else resolve(href, self._base) or ""

    def _image(self, node: LexborNode) -> None:
        given = node.attributes
        source = given.get("data-src") or given.get("data-lazy-src") or given.get("src") or ""
        url = None if source.startswith("data:") else resolve(source, self._base)
        if source and url is not None:
            self._linked.append(f"![{given.get('alt') or ''}]({url})")


def _tidy(pieces: list[str]) -> str:
    """Fold white space in lines, drop empty blocks, and part blocks by an empty line."""
    blocks = []
    for block in "".join(pieces).split(_BREAK):
        # Half of them are the line ends between two tags.
        if not block or block.isspace():
            continue
        if _LINE in block:
            lines = [fold(line) for line in block.split(_LINE)]
            words = "\n".join(lines).strip()
        else:
            words = fold(block)
        if words:
            blocks.append(words)
    return "\n\n".join(blocks)
