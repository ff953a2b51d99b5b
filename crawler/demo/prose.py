"""The Markdown that the newsroom writes, as HTML and as plain text.

The newsroom's own small subset of CommonMark, no more: ATX headings, paragraphs, one-level lists,
quotes, and inside them links, strong, emphasis and code. The demo needs no full parser: it is
bytes that get mirrored. Pure: text in, text out, linear in the text's length.
"""

from __future__ import annotations

import re
from html import escape
from typing import Literal

from msgspec import Struct

_LINK = re.compile(r"\[([^\[\]]*)\]\(([^\s()]*)\)")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_EMPHASIS = re.compile(r"\*([^*]+)\*")
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"(#{1,6}) (.*)")


class Block(Struct, frozen=True):
    """One block of a text: its kind, its lines without their marks, a heading's level."""

    kind: Literal["heading", "paragraph", "list", "quote"]
    lines: tuple[str, ...]
    level: int = 0


def blocks(markdown: str) -> tuple[Block, ...]:
    """Split ``markdown`` into blocks at its empty lines."""
    return tuple(_block(part) for part in re.split(r"\n(?:[ \t]*\n)+", markdown) if part.strip())


def _block(part: str) -> Block:
    lines = tuple(line.strip() for line in part.strip().split("\n"))
    heading = _HEADING.fullmatch(lines[0])
    if heading and len(lines) == 1:
        return Block("heading", (heading[2],), len(heading[1]))
    if all(line.startswith("- ") for line in lines):
        return Block("list", tuple(line[2:] for line in lines))
    if all(line.startswith("> ") for line in lines):
        return Block("quote", tuple(line[2:] for line in lines))
    return Block("paragraph", lines)


def to_html(markdown: str) -> str:
    """Write ``markdown`` as HTML, a line a block."""
    return "\n".join(_block_html(block) for block in blocks(markdown))


def _block_html(block: Block) -> str:
    lines = [_inline_html(line) for line in block.lines]
    match block.kind:
        case "heading":
            # the page's own title is its only h1
            level = max(2, block.level)
            return f"<h{level}>{lines[0]}</h{level}>"
        case "list":
            return "<ul>" + "".join(f"<li>{line}</li>" for line in lines) + "</ul>"
        case "quote":
            return "<blockquote><p>" + " ".join(lines) + "</p></blockquote>"
        case "paragraph":
            return "<p>" + " ".join(lines) + "</p>"


def _inline_html(line: str) -> str:
    text = escape(line)
    text = _LINK.sub(r'<a href="\2">\1</a>', text)
    text = _STRONG.sub(r"<strong>\1</strong>", text)
    text = _EMPHASIS.sub(r"<em>\1</em>", text)
    return _CODE.sub(r"<code>\1</code>", text)


def to_text(markdown: str) -> str:
    """Write ``markdown`` as plain text: the words without marks and link targets."""
    return "\n\n".join(_block_text(block) for block in blocks(markdown))


def _block_text(block: Block) -> str:
    lines = [_inline_text(line) for line in block.lines]
    if block.kind == "list":
        return "\n".join(f"- {line}" for line in lines)
    return " ".join(lines)


def _inline_text(line: str) -> str:
    for mark in (_LINK, _STRONG, _EMPHASIS, _CODE):
        line = mark.sub(r"\1", line)
    return line
