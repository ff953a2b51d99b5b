"""Importing the parts of a run without what its libraries do meanwhile and no run needs.

Commands and reading processes alone may do this, for their process is their own: settings in the
environment speak to every library that is imported at the time, and the collector is everybody's.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: aiohttp makes two TLS contexts of its own, each of the system's whole list of authorities, 18 ms
#: apiece: every connection of ours has connect.py's. pydantic looks for its plug-ins among all
#: packages that are installed, for 7 ms.
_MEANWHILE: Final = {
    "SSL_CERT_FILE": os.devnull,
    "SSL_CERT_DIR": os.devnull,
    "PYDANTIC_DISABLE_PLUGINS": "1",
}


@contextmanager
def imports() -> Iterator[None]:
    """Import a run's parts within; the environment is as it was afterwards.

    Nothing that is imported goes: looking for cycles among it takes 60 ms then, and more each time
    later. What is there afterwards is never looked at again.
    """
    before = {name: os.environ.get(name) for name in _MEANWHILE}
    os.environ.update(_MEANWHILE)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
