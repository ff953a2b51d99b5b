"""Small archives to spoil, and what must hold of every command that is run on one.

``made`` stores a newsroom of two articles, with an edit, a revisit and an event in it.
``group`` makes a group that no honest writer would. ``everything`` runs the commands of a user.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from storage.files import urn
from storage.manifest import encode
from storage.warc import GZIP_HEADER, MANIFEST_TYPE, digest, new_record_id, squeezed
from tests.hostile.harness import Outcome, mirror, slugline
from tests.storage.drafts import SITE, article, event, hour, segment_files, stored, words

GOOD = words("story", "html", " 2")
#: A port that nobody listens on: the run opens the mirror, finds no site and ends at once.
NOBODY = "http://127.0.0.1:1/"
READING: dict[str, tuple[str, ...]] = {
    "list": ("list",),
    "log": ("log", "story"),
    "show": ("show", "story"),
    "body": ("show", "story", "--format", "html"),
    "diff": ("diff", "story"),
    "changes": ("changes",),
    "status": ("status",),
    "jsonl": ("export", "jsonl", "-"),
    "feed": ("export", "feed", "-"),
}


def made(folder: Path) -> Path:
    """Return the folder of a new mirror, where the harness looks for it."""
    root = folder / "watched" / "mirror"
    root.parent.mkdir(parents=True, exist_ok=True)
    stored(root, article(), article("other", coding="gzip"))
    stored(root, article(edition=" 2", seen=hour(2), updated=hour(1), reason="edit"))
    stored(root, event("gone", "other", seen=hour(30)), now=hour(30))
    return root


def segments(root: Path) -> dict[Path, bytes]:
    """Return every segment's bytes; what is no plain file is left out."""
    found = segment_files(root)
    return {each: each.read_bytes() for each in found if each.is_file() and not each.is_symlink()}


async def everything(
    folder: Path,
    codes: Iterable[int],
    said: str = "",
    *,
    only: Iterable[str] = ("list", "log", "body", "changes"),
) -> dict[str, Outcome]:
    """Run a user's commands on the mirror (of READING, ``only`` these), a mirror run last.

    Each ends with one of ``codes``, as harness.Outcome.sane has it, and says ``said`` wherever it
    does not end well. No body that is shown is another one, no segment loses a byte.
    """
    root = folder / "watched" / "mirror"
    before = segments(root)
    allowed = (0, *codes)
    done = {}
    for name, arguments in READING.items():
        if name in only:
            done[name] = await slugline(folder, *arguments, "--mirror", str(root))
    out = folder / "out"
    done["files"] = await slugline(folder, "export", "files", str(out), "--mirror", str(root))
    done["reindex"] = await slugline(folder, "reindex", "--mirror", str(root))
    done["mirror"] = await mirror(NOBODY, folder)
    for name, outcome in done.items():
        outcome.sane(*allowed, *((1,) if name == "mirror" else ()))
        if outcome.code not in {0, 1}:
            assert said in outcome.stderr, (name, outcome.stderr)
    body = done.get("body")
    if body is not None and body.code == 0:
        assert body.stdout.encode() == GOOD
    after = segments(root)
    for path, whole in before.items():
        assert after[path].startswith(whole), f"{path} was cut or changed"
    return done


def group(
    spoil: Callable[[dict[str, Any]], None] = lambda _manifest: None,
    *,
    fields: dict[str, str | None] | None = None,
    block: bytes | None = None,
    records: Iterable[bytes] = (),
    site: str = SITE,
    slug: str = "evil",
) -> bytes:
    """Return a group's bytes; ``spoil`` changes the manifest's JSON, ``fields`` its WARC header.

    A field that is None is left out; ``block`` stands instead of the JSON.
    """
    draft = article(slug, site=site, formats=())
    manifest: dict[str, Any] = json.loads(encode(draft.manifest))
    manifest["sequence"] = 1
    spoil(manifest)
    whole = json.dumps(manifest).encode() if block is None else block
    head: dict[str, str | None] = {
        "WARC-Type": "metadata",
        "WARC-Record-ID": f"<{new_record_id()}>",
        "Content-Length": str(len(whole)),
        "WARC-Date": "2026-06-20T12:00:00Z",
        "WARC-Target-URI": urn(site, slug),
        "Content-Type": MANIFEST_TYPE,
        "WARC-Block-Digest": digest(whole),
        **(fields or {}),
    }
    lines = [f"{name}: {value}" for name, value in head.items() if value is not None]
    return b"".join((member("\r\n".join(["WARC/1.1", *lines, "", ""]).encode() + whole), *records))


def member(record: bytes) -> bytes:
    """Return one gzip member of ours that holds ``record`` and its end."""
    made_of = squeezed(record + b"\r\n\r\n")
    assert made_of.startswith(GZIP_HEADER)
    return made_of
