"""Plain YAML: the few forms that nearly every document's front matter is made of.

Lines of ``name: value`` with plain or quoted words, and under a name lists of such words, in
brackets or a line each, and further names two blanks in (YAML 1.2 sections 7.3, 7.4 and 8.2). These
give what a library makes of them, in a sixth of its time; anything else is None, and the library's.
Every scalar is a string. Pure.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, TypeAlias

#: Characters past ASCII that mean something to YAML: controls, line ends, marks (section 5.1). A
#: block with one is the library's, so that the classes below name ASCII alone and let in the rest:
#: one that holds all of Unicode takes a millisecond to compile, and there are two dozen.
_STRANGE: Final = re.compile("[\x80-\xa0\u2028\u2029\ud800-\ufeff\ufff0-\uffff]")
#: What a scalar opens with: a letter or digit, ``_``, ``/``, ``(``, ``.``, ``+``, ``~``, or what is
#: past ASCII. Fewer than YAML allows.
_FIRST: Final = r"[^\x00-'),*:-@\[-^`{-}\x7f-]"
#: A plain scalar on one line: neither ``: `` nor `` #`` in it (7.3.3).
_PLAIN: Final = rf"{_FIRST}(?:[^\x00-\x1f#:\x7f]++|:(?=[^ \n])|(?<! )#)*+"
#: A quoted one (7.3.1, 7.3.2): no escape, no other quote of its kind.
_QUOTED: Final = r"\"[^\x00-\x1f\"\\\x7f]*+\"|'[^\x00-\x1f'\x7f]*+'"
#: One in brackets (7.4.1), where more marks mean something.
_LISTED: Final = rf"(?:(?!~){_FIRST}[^\x00-\x1f!-%*,:-@\[-^`{{-\x7f]*+|{_QUOTED})"
_LIST: Final = rf"\[ *(?:{_LISTED} *(?:, *{_LISTED} *)*+)?+\]"
#: Names of up to 100 characters: past 1,024 they are none to YAML (7.4.2).
_NAME: Final = "[A-Za-z_][A-Za-z0-9_-]{0,99}+:"
_ITEM: Final = rf"- +(?:{_PLAIN}|{_QUOTED}) *\n"
_PAIR: Final = rf"  {_NAME} +(?:{_PLAIN}|{_QUOTED}) *\n"
_UNDER: Final = rf"(?:(?:{_ITEM})++|(?:  {_ITEM})++|(?:{_PAIR})++)"
_FIELD: Final = rf"{_NAME}(?: +(?:{_PLAIN}|{_QUOTED}|{_LIST}) *\n| *\n{_UNDER}?+)"
_QUOTES: Final = ('"', "'")

Value: TypeAlias = str | list[str] | dict[str, str]


def read_plain(block: str) -> dict[str, Value] | None:
    """Return the fields of a front matter ``block``; None where it is more than plain lines."""
    plain, each_of_list = _patterns()
    if plain.fullmatch(block) is None or (not block.isascii() and _STRANGE.search(block)):
        return None
    fields: dict[str, Value] = {}
    name = ""
    items: list[str] = []
    pairs: dict[str, str] = {}
    for line in block.split("\n")[:-1]:
        if line.startswith(("- ", "  - ")):
            items.append(_scalar(line.lstrip(" ")[1:]))
            fields[name] = items
        elif line[0] == " ":
            inner, _, value = line.partition(":")
            pairs[inner[2:]] = _scalar(value)
            fields[name] = pairs
        else:
            name, _, value = line.partition(":")
            value, items, pairs = value.strip(" "), [], {}
            if value[:1] == "[":
                fields[name] = [_scalar(each) for each in each_of_list.findall(value)]
            else:
                fields[name] = _scalar(value)
    return fields


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what a whole block and one item in brackets look like.

    Compiling takes milliseconds, which commands that read no front matter need not spend.
    """
    return re.compile(rf"(?:{_FIELD})*+", re.ASCII), re.compile(_LISTED, re.ASCII)


def _scalar(text: str) -> str:
    bare = text.strip(" ")
    return bare[1:-1] if bare.startswith(_QUOTES) else bare
