"""An article's text, written once: by where it stands in a format's own bytes, wherever it does.

Pure. Most publishers' Markdown is the record's ``body_md`` with some fields in front. Then the
manifest says which bytes of that format's decoded body they are, instead of having them again; the
record is in the same group, so that each group still tells all of itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from storage.model import BodyIn, Manifest

#: The formats that may hold a text as it is, the likelier one first.
FORMATS = ("markdown", "text")


def taken_out(manifest: Manifest, decoded: Iterable[tuple[str, bytes]]) -> Manifest:
    """Return a manifest whose text is told by its place, where one of these bodies has it.

    ``decoded`` are bodies of the manifest's own group without their content coding, each after its
    format; no more of them are asked for once the text is found.
    """
    record = manifest.record
    if record is None or not record.body_md:
        return manifest
    try:
        text = record.body_md.encode()
    except UnicodeEncodeError:
        return manifest  # it can't be written at all, and manifest.py says so
    for name, body in decoded:
        start = body.find(text)
        if start >= 0:
            return structs.replace(
                manifest,
                record=structs.replace(record, body_md=None),
                body_in=BodyIn(format=name, start=start, length=len(text)),
            )
    return manifest


def put_back(manifest: Manifest, decoded: bytes) -> Manifest:
    """Return a manifest whose record has its text again, out of the body that it names.

    Raises ValueError where the text is not there.
    """
    place, record = manifest.body_in, manifest.record
    if place is None or record is None:
        return manifest
    end = place.start + place.length
    if end > len(decoded):
        raise ValueError(f"its text would end at byte {end} of the {place.format}'s {len(decoded)}")
    text = decoded[place.start : end].decode()
    return structs.replace(manifest, record=structs.replace(record, body_md=text), body_in=None)
