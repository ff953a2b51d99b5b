"""Whether one page alone shows that its article is as it was. Pure.

Between two verifications an article costs one conditional request: its page's. What that page says
of itself (its words, its update time, the formats it names) is compared with the newest snapshot;
anything else than the same is a reason to read the whole format set.
"""

from __future__ import annotations

from crawler.declared import declared_formats
from crawler.digest import content_digest
from crawler.facts import Facts
from storage.model import Manifest
from storage.times import same_moment


def says_the_same(newest: Manifest, page: Facts) -> bool:
    """Say whether ``page`` gives no reason to believe that the article changed since ``newest``.

    A page whose words were digested by another extractor's version proves nothing.
    """
    digest, old = content_digest(page), newest.content.get(page.source)
    if newest.state != "complete" or digest is None or old is None or digest != old:
        return False
    then, now = newest.stamps.get(page.source), page.updated_at
    if (then is None) != (now is None):
        return False
    if then is not None and now is not None and not same_moment(then, now):
        return False
    had = {each.format for each in newest.representations}
    return declared_formats(page.links).keys() <= had
