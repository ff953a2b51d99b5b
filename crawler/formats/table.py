"""The formats with a parser. Add one by a line: the import of its SPEC, here and nowhere else."""

from __future__ import annotations

from crawler.formats.html import SPEC as HTML
from crawler.formats.json_record import SPEC as JSON
from crawler.formats.jsonld import SPEC as JSONLD
from crawler.formats.markdown import SPEC as MARKDOWN
from crawler.formats.spec import FormatSpec
from crawler.formats.text import SPEC as TEXT

#: Every format with a parser, by its name.
FORMATS: dict[str, FormatSpec] = {
    each.name: each for each in tuple(globals().values()) if isinstance(each, FormatSpec)
}
