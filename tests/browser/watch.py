"""What a page does while a test looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

_INSIDE = ("about", "blob", "data")


@dataclass
class Watch:
    """The faults of a page, and every request it made.

    A fault is a console error, an error of its scripts, and a request that leaves it: from a page of a
    file any other than opening it, from a page of a server any to another origin.
    """

    requests: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    origin: str | None = None

    def over(self, page: Page) -> Page:
        """Watch a page, from before it opens anything."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console error: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)
        url = urlsplit(request.url)
        if url.scheme in _INSIDE:
            return
        origin = f"{url.scheme}://{url.netloc}"
        opens = request.is_navigation_request() and request.frame.parent_frame is None
        if self.origin is None and opens:
            self.origin = origin
        if origin != self.origin or (url.scheme == "file" and not opens):
            self.faults.append(f"request that leaves the page: {request.url}")
