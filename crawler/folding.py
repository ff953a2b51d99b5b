"""White space folded: the one way in which texts are made comparable. Pure."""

from __future__ import annotations

#: Characters folded at once: a list of all the words of a long text takes fifteen times its room.
STRETCH = 1 << 18


def fold(text: str) -> str:
    """Return ``text`` with every run of white space as one blank, stripped."""
    if len(text) <= STRETCH:
        return " ".join(text.split())
    folded: list[str] = []
    gap = False
    for at in range(0, len(text), STRETCH):
        stretch = text[at : at + STRETCH]
        words = " ".join(stretch.split())
        if words:
            if folded and (gap or stretch[0].isspace()):
                folded.append(" ")
            folded.append(words)
        gap = stretch[-1].isspace() or (gap and not words)
    return "".join(folded)
