"""What a page in the browser does that it must not: run a script, ask elsewhere, go elsewhere."""

from __future__ import annotations

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Error,
    Page,
    Request,
)

#: What a browser answers itself, without asking anybody.
_INWARD = ("about:", "data:", "blob:")
#: How Chromium names a request that a Content-Security-Policy kept from being sent.
_NOT_SENT = "csp"


class Watch:
    """Watches every page of a context. State: what scripts did, and what was asked elsewhere."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.ran: list[str] = []
        self._asked: list[Request] = []
        self.opened: list[str] = []

    async def over(self, context: BrowserContext) -> None:
        """Begin to watch a context; ``owned()`` is there for any script that runs."""
        await context.expose_binding("owned", lambda source: self.ran.append(source["page"].url))
        context.on("dialog", self._dialog)
        context.on("console", self._console)
        context.on("request", self._request)
        context.on("page", lambda page: page.on("popup", lambda new: self.opened.append(new.url)))

    async def _dialog(self, dialog: Dialog) -> None:
        self.ran.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.text == "owned":
            self.ran.append("console")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self._origin}/", *_INWARD)):
            self._asked.append(request)

    @property
    def asked(self) -> list[str]:
        """What was asked of anybody else; what a policy stopped was not."""
        return [each.url for each in self._asked if each.failure != _NOT_SENT]


async def opened(page: Page, url: str) -> None:
    """Open an address as a document; one that the browser saves instead is no document."""
    try:
        await page.goto(url)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        return
    assert page.url == url, f"{url} went to {page.url}"
    for frame in page.frames:
        if frame.parent_frame is not None:
            await frame.wait_for_load_state()
