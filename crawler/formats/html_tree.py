"""HTML bytes to a tree, once and within bounds, and the few questions all HTML modules ask of it.

Parsing is lexbor's (HTML Living Standard section 13.2). Before it, one linear pass bounds how deep
the tree can get, since building it costs the square of its depth: the pass follows the tokenizer
(13.2.5) exactly and keeps every element open that the tree builder might, so its depth is never too
low. Pure; raises facts.Malformed only.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.facts import Malformed
from crawler.folding import fold
from crawler.urls import normalise
from storage.model import Finding

#: Open elements at once. Browsers stop at 512; pages that leave elements open count for more.
MAX_DEPTH = 2_048
#: Formatting elements that a parser makes again in every block because nobody closed them
#: (13.2.4.3): a page of a few kilobytes can so ask for millions.
MAX_REBUILT = 300_000
#: Elements, attributes and comments of a page that are read: each takes some 200 to 400 bytes in
#: the tree. The largest specifications in one page have about this many.
MAX_NODES = 300_000
#: Different names of elements and attributes: lexbor takes the square of their number. Pages with
#: generated names have some hundred.
MAX_NAMES = 5_000
#: Up to this many start tags no page can reach either bound, and need not be walked.
FEW_TAGS = MAX_DEPTH
#: Attributes of one tag: lexbor compares each with all before it. Hand-made tags have under 50.
MAX_ATTRIBUTES = 1000
#: Up to this many attributes a tag, few tags are few names and need not be counted.
FEW_ATTRIBUTES = 16
#: Open elements looked through for the one that an end tag closes.
LOOK_BACK = 64
#: Equal formatting elements that are made again at most (13.2.4.3, "Noah's Ark").
ARK = 3
#: Addresses remembered for pages to come (about 1 MB), and characters of the longest one.
REMEMBERED = 4_096
MAX_REMEMBERED = 512
#: Pages at work at once, and then some.
REMEMBERED_BASES = 256

_VOID = frozenset(
    b"area base br col embed hr img input link meta param source track wbr !doctype".split()
)
#: These are closed by whatever closes their parent (13.1.2.4).
_OPTIONAL_END = frozenset(
    b"p li dt dd option optgroup rt rp tr td th tbody thead tfoot colgroup".split()
)
_P = frozenset({b"p"})
_CELLS = frozenset({b"p", b"td", b"th"})
#: A start tag, or end tag, of these closes an open element of its name over these others, so that
#: pages which leave them all open stay flat (13.2.6.4.7 and 13.2.6.4.12 to 15).
_NOTHING = frozenset[bytes]()
_CLOSES = {
    b"p": _NOTHING,
    b"option": _NOTHING,
    b"li": _P,
    b"dt": _P,
    b"dd": _P,
    b"td": _P,
    b"th": _P,
    b"tr": _CELLS,
    b"tbody": _CELLS | {b"tr"},
}
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_ALIKE = {b"dt": b"dd", b"dd": b"dt", b"td": b"th", b"th": b"td"}
#: The end of a block closes these over, whoever forgot to.
_INLINE = _FORMATTING | frozenset(b"abbr cite label q span sub sup".split())
#: The end of a form closes these alone over it; what else it holds stays open (13.2.6.4.7).
_IMPLIED_END = frozenset(b"p li dt dd option optgroup rt rp".split())
_CLOSED_BY_END = {name: _INLINE | others for name, others in _CLOSES.items()}
_CLOSED_BY_END[b"form"] = _IMPLIED_END
_CLOSED_BY_ANY_END = _INLINE | _OPTIONAL_END
#: Their content is text up to their own end tag (13.2.5.2 to 13.2.5.4).
_RAW = frozenset(b"script style textarea title xmp iframe noembed noframes".split())
_MADE_BY_THEIR_END = frozenset(b"p br P BR bR Br".split())
_NEVER_CLOSED = frozenset(b"html head body".split())
#: Inside these the raw elements may not be raw, so what they hold is counted and closes nothing.
_UNSURE_INSIDE = frozenset(b"svg math select".split())

_ATTRIBUTE = (
    rb"[^\t\n\f\r />][^\t\n\f\r />=]*+"
    rb"(?:[\t\n\f\r ]*+=[\t\n\f\r ]*+"
    rb"(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >\"'][^\t\n\f\r >]*+)?+)?+"
)
_ATTRIBUTES = rb"(?:[\t\n\f\r /]++|" + _ATTRIBUTE + rb")*+"
#: What may be a start tag with more attributes than so many; text in a script may look like one.
#: The middle leaves out tags as nearly everyone writes them, which costs half as much to see.
_TAG_OF = rb"<[a-zA-Z]%b[^\t\n\f\r />]*+(?:[\t\n\f\r /]*+%b){%d}"
_PLAIN = rb"(?![a-zA-Z0-9]*+(?: [a-zA-Z:-]++=\"[^\"]*+\"){0,%d}+/?>)" % FEW_ATTRIBUTES
_CROWDED = re.compile(_TAG_OF % (b"", _ATTRIBUTE, MAX_ATTRIBUTES + 1))
_MANY = re.compile(_TAG_OF % (_PLAIN, _ATTRIBUTE, FEW_ATTRIBUTES + 1))
_ATTRIBUTE_NAME = re.compile(_ATTRIBUTE.replace(rb"=]*+", rb"=]*+)", 1).replace(rb"[", rb"([", 1))
#: The last part is what the tokenizer makes a comment of: "<?", "<!" and "</" before no name.
_TOKEN = re.compile(
    rb"<(?:(!--)|(!\[CDATA\[)|(/?)([a-zA-Z][^\t\n\f\r />]*+)"
    + _ATTRIBUTES
    + rb"(?:>|\Z)|[?!]|/(?![a-zA-Z]))"
)
_COMMENT_END = re.compile(rb"-->|--!>")


#: Said of a page past ``MAX_NODES``.
TOO_MANY = Finding(
    kind="too-long",
    detail=f"only its first {MAX_NODES:,} elements and attributes are read; all bytes are kept",
)


def parse_tree(text: str) -> LexborHTMLParser:
    """Return the tree of an HTML document. Raises Malformed where it would nest too deep."""
    return parse_page(text)[0]


def parse_page(text: str) -> tuple[LexborHTMLParser, tuple[Finding, ...]]:
    """Return the tree of an HTML document, and a finding where only its beginning was read.

    Raises Malformed where it would nest too deep.
    """
    body = text.encode("utf-8", "replace")
    end = check_depth(body)
    if end == len(body):
        return LexborHTMLParser(text), ()
    return LexborHTMLParser(body[:end].decode("utf-8", "ignore")), (TOO_MANY,)


def check_depth(body: bytes) -> int:
    """Raise Malformed where ``body`` might nest deeper than MAX_DEPTH. Linear in its length.

    Returns how many of its bytes hold no more than MAX_NODES.
    """
    # End tags are marks too: few marks are few of both, and the second count costs more.
    marks = body.count(b"<")
    ends = body.count(b"</") if marks > FEW_TAGS else 0
    if marks - ends > FEW_TAGS or ends > MAX_NODES or _MANY.search(body):
        return _DepthScan(body).run()
    return len(body)


class _DepthScan:
    """One pass over the tags.

    Mutable: ``_open`` elements and ``_dangling`` formatting, how many nodes and which names there
    were, and where a mark stands next.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._nodes = 0
        self._names: set[bytes] = set()
        self._next: dict[bytes, int] = {}
        #: Names, and for formatting elements the whole tag, since equal ones count up to ARK.
        self._open: list[tuple[bytes, bytes]] = []
        self._dangling: Counter[bytes] = Counter()
        self._rebuilds = 0
        self._rebuilt = 0
        self._unsure = 0
        #: Up to here end tags are not believed.
        self._frozen_until = 0

    def run(self) -> int:
        at = 0
        search, body = _TOKEN.search, self._body
        while (token := search(body, at)) is not None:
            comment, cdata, slash, name = token.groups()
            # "</p>" alone makes an element too (13.2.6.4.7).
            if not slash or name in _MADE_BY_THEIR_END:
                self._nodes += 1
                if self._nodes > MAX_NODES:
                    return token.start()
            if slash:
                self._end(name.lower(), token.start())
                at = token.end()
            elif name:
                at = self._start(name.lower(), token)
            elif comment:
                end = _COMMENT_END.search(body, token.start() + 2)
                if end is None:
                    break
                at = end.end()
            elif cdata:
                at = self._cdata(token.end())
            else:
                at = token.end()
        return len(body)

    def _name(self, name: bytes) -> None:
        if name in self._names:
            return
        self._names.add(name)
        if len(self._names) > MAX_NAMES:
            raise Malformed(f"its HTML has more than {MAX_NAMES:,} different names in its tags")

    def _ahead(self, mark: bytes, at: int) -> int:
        """Find ``mark`` (in lower case) from ``at`` on, or the end; never looks twice at a byte."""
        if self._next.get(mark, -1) < at:
            found = re.compile(re.escape(mark), re.IGNORECASE).search(self._body, at)
            self._next[mark] = found.start() if found else len(self._body)
        return self._next[mark]

    def _cdata(self, at: int) -> int:
        if self._unsure:
            self._frozen_until = self._ahead(b"]]>", at)
            return at
        end = self._body.find(b">", at)
        return len(self._body) if end < 0 else end + 1

    def _start(self, name: bytes, token: re.Match[bytes]) -> int:
        self._attributes(name, token)
        if name in _VOID:
            return token.end()
        if name in _RAW and not self._unsure:
            return self._past_raw(name, token.end())
        if name in _RAW:
            end = self._ahead(b"</" + name, token.end())
            self._frozen_until = max(self._frozen_until, end if end < len(self._body) else 0)
        if self._unsure and token.group().endswith(b"/>"):
            return token.end()
        if name in _CLOSES:
            others = _CLOSES[name]
            if not self._close_over(name, others) and name in _ALIKE:
                self._close_over(_ALIKE[name], others)
        self._push(name, token.group() if name in _FORMATTING else b"")
        return token.end()

    def _attributes(self, name: bytes, token: re.Match[bytes]) -> None:
        """Count what stands in a start tag."""
        self._name(name)
        start, end = token.end(4), token.end()
        if end - start <= len("/>"):
            return
        # An attribute takes two bytes at the least.
        if end - start > 2 * MAX_ATTRIBUTES and _CROWDED.match(token.group()):
            raise Malformed(f"a tag has more than {MAX_ATTRIBUTES:,} attributes")
        attributes = _ATTRIBUTE_NAME.findall(self._body, start, end)
        self._nodes += len(attributes)
        for each in attributes:
            if each not in self._names:
                self._name(each.lower())

    def _past_raw(self, name: bytes, at: int) -> int:
        found = re.compile(b"</" + name + rb"(?=[\t\n\f\r />])", re.IGNORECASE).search(
            self._body, at
        )
        return found.end() if found else len(self._body)

    def _push(self, name: bytes, tag: bytes) -> None:
        self._open.append((name, tag))
        if name in _UNSURE_INSIDE:
            self._unsure += 1
        self._rebuilt += self._rebuilds
        if len(self._open) + self._rebuilds > MAX_DEPTH:
            raise Malformed(f"its HTML nests deeper than {MAX_DEPTH} elements")
        if self._rebuilt > MAX_REBUILT:
            raise Malformed("its HTML leaves so many elements open that it would grow without end")

    def _end(self, name: bytes, at: int) -> None:
        if at < self._frozen_until or name in _NEVER_CLOSED:
            return
        if name not in _FORMATTING:
            self._close_over(name, _CLOSED_BY_END.get(name, _CLOSED_BY_ANY_END))
        elif not self._close_over(name, _NOTHING):
            self._dangle(name)

    def _close_over(self, name: bytes, others: frozenset[bytes]) -> bool:
        """Close the innermost ``name`` if only ``others`` are open within it."""
        opened = self._open
        last = top = len(opened) - 1
        stop = max(-1, last - LOOK_BACK)
        while last > stop and opened[last][0] != name and opened[last][0] in others:
            last -= 1
        if last <= stop or opened[last][0] != name:
            return False
        if last < top:
            for closed, tag in opened[last + 1 :]:
                if closed in _FORMATTING:
                    self._count(tag)
        del opened[last:]
        if name in _UNSURE_INSIDE:
            self._unsure -= 1
        return True

    def _dangle(self, name: bytes) -> None:
        """Note an end tag that meets no element of its own on top: one may live on."""
        for opened, tag in self._open[-LOOK_BACK:]:
            if opened == name:
                self._count(tag)
                return

    def _count(self, tag: bytes) -> None:
        self._dangling[tag] += 1
        self._rebuilds += self._dangling[tag] <= ARK


def attribute(node: LexborNode, name: str) -> str:
    """Return the attribute's value, stripped; empty where it has none."""
    return (node.attributes.get(name) or "").strip()


def resolve(href: str, base: str) -> str | None:
    """``href`` on the page at ``base`` in normal form; None where it is no http or https URL.

    Menus give the same addresses on every page of a site, so what does not depend on the page's
    path is remembered.
    """
    if len(href) > MAX_REMEMBERED:
        return normalise(href, base)
    if href[:1] == "/" and href[1:2] not in _NO_PATH:
        return _resolved(href, _root(base))
    if href.startswith(("http://", "https://")):
        return _resolved(href, None)
    return normalise(href, base)


#: What after a first slash makes a URL scheme-relative, or vanishes (WHATWG URL 4.4).
_NO_PATH = frozenset("/\\\t\n\r")


@lru_cache(maxsize=REMEMBERED)
def _resolved(href: str, base: str | None) -> str | None:
    return normalise(href, base)


@lru_cache(maxsize=REMEMBERED_BASES)
def _root(base: str) -> str:
    scheme, _, rest = base.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/"


def word_set(words: str) -> frozenset[str]:
    """Return the words of ``words`` as a set: the tables of element names are written so."""
    return frozenset(words.split())


def class_words(node: LexborNode) -> list[str]:
    """Return the words of the ``class`` attribute, lower case."""
    return (node.attributes.get("class") or "").lower().split()


def ancestors(node: LexborNode) -> Iterator[LexborNode]:
    """Return the elements around ``node``, the nearest first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def folded(text: str | None) -> str:
    """``text`` with runs of white space as one blank, stripped."""
    return fold(text) if text else ""
