"""The words of a region of a page, without what changes when nobody edits.

Left out are navigation, advertisements, related boxes, comments, forms, scripts and
machine-readable times, since a digest is made over the rest. Pure: a tree in, text out.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct
from selectolax.lexbor import LexborNode

from crawler.folding import fold, is_folded
from crawler.formats.html_boxes import is_box
from crawler.formats.html_tree import folded, parse_tree, resolve, word_set

#: A box is left out by its class only below this share of the region: a class may be a layout's.
BOX_SHARE = 0.5
#: Large boxes that are looked into nevertheless, a region; each one costs reading its text.
MAX_LARGE_BOXES = 8

_SKIPPED = word_set(
    "script style noscript template svg iframe object embed canvas form button select input "
    "textarea nav aside footer dialog audio video map head title "
    # What selectolax calls the nodes that are no elements; text is read before this is asked.
    "-comment -doctype -document"
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

_Attributes: TypeAlias = dict[str, str | None]


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

    Mutable: the text in ``_pieces``, ``_marks`` that only its linked form has, each with the number
    of pieces before it, and ``_stack`` of open elements.
    """

    def __init__(self, region: LexborNode, base: str, title: str | None) -> None:
        self._region = region
        self._base = base
        self._title = title.casefold() if title else None
        self._pieces: list[str] = []
        self._marks: list[tuple[int, str]] = []
        self._stack: list[tuple[str, LexborNode, str]] = []
        #: Open ``pre`` and links, and ``pre`` alone.
        self._inside = 0
        self._preformatted = 0
        self._linked_length = 0
        self._large = 0
        self._limit: float | None = None
        # A whole body's headers are the site's, an article's own are its title and standfirst.
        self._skipped = _SKIPPED | {"header"} if region.tag == "body" else _SKIPPED

    def run(self) -> Text:
        stack, skipped, pieces = self._stack, self._skipped, self._pieces
        node = self._region.first_child
        while node is not None:
            tag = node.tag or ""
            if tag == "-text":
                text = node.text_content or ""
                plain = not self._inside and _BREAK not in text and _LINE not in text
                pieces.append(text if plain else self._text(text))
            elif tag not in skipped and (child := self._enter(node, tag)) is not None:
                node = child
                continue
            following = node.next
            while following is None and stack:
                following = self._leave().next
            node = following
        words = _tidy(pieces)
        return Text(
            plain=words,
            linked=_tidy(self._with_marks()) if self._marks else words,
            link_length=self._linked_length,
        )

    def _with_marks(self) -> list[str]:
        linked: list[str] = []
        done = 0
        for before, mark in self._marks:
            linked += self._pieces[done:before]
            linked.append(mark)
            done = before
        return linked + self._pieces[done:]

    def _enter(self, node: LexborNode, tag: str) -> LexborNode | None:
        """Take in the element ``node``; return its first child where that is to be read too."""
        if tag == "h1" and self._title is not None and self._is_title(node):
            return None
        given = node.attributes
        if given and self._skips(node, tag, given):
            return None
        mark = _MARKS.get(tag)
        if mark is not None:
            self._pieces.append(mark)
        elif tag == "img":
            self._image(given)
        target = self._target(given) if tag == "a" else ""
        child = node.first_child
        if child is None:
            return None
        if tag == "pre":
            self._inside += 1
            self._preformatted += 1
        elif target:
            self._inside += 1
            self._mark("[")
        self._stack.append((tag, node, target))
        return child

    def _leave(self) -> LexborNode:
        tag, node, target = self._stack.pop()
        if tag in _BLOCKS:
            self._pieces.append(_BREAK)
        if tag == "pre":
            self._inside -= 1
            self._preformatted -= 1
        elif target:
            self._inside -= 1
            self._mark(f"]({target})")
        return node

    def _mark(self, mark: str) -> None:
        self._marks.append((len(self._pieces), mark))

    def _text(self, text: str) -> str:
        text = text.translate(_NO_MARKS)
        if self._preformatted:
            text = text.replace("\n", _LINE)
        if self._inside > self._preformatted:
            self._linked_length += len(text.strip())
        return text

    def _is_title(self, heading: LexborNode) -> bool:
        return folded(heading.text()).casefold() == self._title

    def _skips(self, node: LexborNode, tag: str, given: _Attributes) -> bool:
        if "hidden" in given or given.get("aria-hidden") == "true":
            return True
        if "role" in given and (given["role"] or "") in _SKIPPED_ROLES:
            return True
        if tag == "time" and "datetime" in given:
            return True
        if not ("class" in given or "id" in given):
            return False
        return is_box(tag, given) and self._is_small(node)

    def _is_small(self, node: LexborNode) -> bool:
        if self._large >= MAX_LARGE_BOXES:
            return False
        if self._limit is None:
            self._limit = BOX_SHARE * len(self._region.text())
        if len(node.text()) <= self._limit:
            return True
        self._large += 1
        return False

    def _target(self, given: _Attributes) -> str:
        href = (given.get("href") or "").strip()
        # A target within the page moves with its headings and is no word of the publisher's.
        return "" if not href or href.startswith("#") else resolve(href, self._base) or ""

    def _image(self, given: _Attributes) -> None:
        source = given.get("data-src") or given.get("data-lazy-src") or given.get("src") or ""
        url = None if source.startswith("data:") else resolve(source, self._base)
        if source and url is not None:
            self._mark(f"![{given.get('alt') or ''}]({url})")


def _tidy(pieces: list[str]) -> str:
    """Fold white space in lines, drop empty blocks, and part blocks by an empty line."""
    # Half of them are the line ends between two tags.
    blocks = [words for block in "".join(pieces).split(_BREAK) if (words := block.strip())]
    flat = " ".join(blocks)
    if _LINE in flat or not is_folded(flat):
        lines = ["\n".join([fold(line) for line in block.split(_LINE)]) for block in blocks]
        blocks = [words for block in lines if (words := block.strip())]
    return "\n\n".join(blocks)
