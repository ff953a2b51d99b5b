"""The formats with a parser. Add one by a line: its module's name, here and nowhere else."""

from __future__ import annotations

from importlib import import_module

from crawler.formats.spec import FormatSpec

#: The modules of this folder that end with a SPEC.
MODULES = (
    "html",
    "json_record",
    "jsonld",
    "markdown",
    "text",
)


def _spec(module: str) -> FormatSpec:
    spec: FormatSpec = import_module(f"crawler.formats.{module}").SPEC
    return spec


#: Every format with a parser, by its name.
FORMATS: dict[str, FormatSpec] = {spec.name: spec for spec in map(_spec, MODULES)}
