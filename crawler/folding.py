"""White space folded: the one way in which texts are made comparable. Pure."""

from __future__ import annotations

import unicodedata

#: Characters folded at once: a list of all the words of a long text takes fifteen times its room.
STRETCH = 1 << 18
#: Characters from which a text is worth looking at before it is taken apart.
LONG = 256


def fold(text: str) -> str:
    """Return ``text`` with every run of white space as one blank, stripped."""
    if len(text) <= STRETCH:
        return _folded(text)
    folded: list[str] = []
    gap = False
    for at in range(0, len(text), STRETCH):
        stretch = text[at : at + STRETCH]
        words = _folded(stretch)
        if words:
            if folded and (gap or stretch[0].isspace()):
                folded.append(" ")
            folded.append(words)
        gap = stretch[-1].isspace() or (gap and not words)
    return "".join(folded)


def comparable(text: str | None) -> str:
    """Return ``text`` in NFC with its white space folded, as titles and words are compared."""
    return fold(unicodedata.normalize("NFC", text or ""))


def _folded(text: str) -> str:
    # Most texts are lines with single blanks between their words: a third of the time for these.
    if len(text) >= LONG and text.isascii():
        lines = " ".join([line for each in text.splitlines() if (line := each.strip())])
        # What is left to fold within a line of ASCII; all its other white space ends one.
        if not ("  " in lines or "\t" in lines or "\x1f" in lines):
            return lines
    return " ".join(text.split())
