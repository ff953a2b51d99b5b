"""The plain lists of articles. Add one by a line: its module's name, here and nowhere else.

Sitemaps and feeds are no plain lists: they have several documents, and dates.
"""

from __future__ import annotations

from importlib import import_module

from crawler.discovery.spec import ListSpec

#: The modules of this folder that end with a SPEC.
MODULES = ("llms_txt",)


def _spec(module: str) -> ListSpec:
    spec: ListSpec = import_module(f"crawler.discovery.{module}").SPEC
    return spec


#: Every plain list, by its name in the settings.
LISTS: dict[str, ListSpec] = {spec.kind: spec for spec in map(_spec, MODULES)}
#: The ways in which articles are found; ``links`` are those of pages.
WAYS = ("sitemap", "feed", *LISTS, "links")
