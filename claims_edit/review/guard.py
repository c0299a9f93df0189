"""Who may ask: whoever has the link, from this machine, and from no other page."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from flask import Flask, Request, Response, abort, redirect, request

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    # `no-referrer` would have browsers send `Origin: null` with our own forms; this tells no other site.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


_NAMES, _HTTP = ("127.0.0.1", "localhost"), 80


class Guard:
    """The secrets of one server at one port of this machine."""

    def __init__(self, port: int, token: str | None = None) -> None:
        self.port = port
        self.token = token or secrets.token_urlsafe(24)
        self.cookie = f"claims-edit-review-{port}"
        self.name_cookie = f"claims-edit-name-{port}"
        own = (f"{name}:{port}" for name in _NAMES)
        # Browsers leave the port out that is HTTP's own.
        self.hosts = (*own, *(_NAMES if port == _HTTP else ()))
        self.session = self._derived("session")
        self.csrf = self._derived("form")

    @property
    def link(self) -> str:
        """The link that lets somebody in."""
        return f"http://{self.hosts[0]}/?token={self.token}"

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def protect(self, app: Flask) -> None:
        """Let nothing of an app be asked for past this guard."""
        app.before_request(self._admit)
        app.after_request(_with_headers)

    def _admit(self) -> Response | None:
        """Let a request pass, or in; or end it with 403."""
        if request.host not in self.hosts:
            abort(
                403, "This page answers to 127.0.0.1 and localhost alone, at the port it was given."
            )
        token = request.args.get("token")
        if token is not None and request.path == "/" and request.method == "GET":
            if not _same(token, self.token):
                abort(403, "This link is of a server that has ended. Open the one printed last.")
            answer = redirect("/", 303)
            answer.set_cookie(self.cookie, self.session, httponly=True, samesite="Strict")
            assert isinstance(answer, Response)
            return answer
        if not _same(request.cookies.get(self.cookie, ""), self.session):
            abort(403, "Open the link that `claims-edit review` printed; it lets this browser in.")
        if request.method not in ("GET", "HEAD"):
            self._admit_change(request)
        return None

    def _admit_change(self, asked: Request) -> None:
        """Let a change pass that comes from a page of this server."""
        if asked.headers.get("Origin") not in [f"http://{host}" for host in self.hosts]:
            abort(403, "A change must come from a page of this server.")
        if not _same(asked.form.get("csrf", ""), self.csrf):
            abort(403, "A change must come from a page of this server; load the page again.")


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), secret.encode())


def _with_headers(answer: Response) -> Response:
    for name, value in _HEADERS.items():
        answer.headers[name] = value
    return answer
