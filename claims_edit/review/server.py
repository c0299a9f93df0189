"""The server of the pages: this machine alone, several threads, until it is stopped."""

from __future__ import annotations

import logging
import signal
import socket
import time
import traceback
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, render_template, request
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException

from claims_edit.errors import UsageError, UserError
from claims_edit.log import LOGGER
from claims_edit.review import telling, words
from claims_edit.review.database import ConflictError
from claims_edit.review.desk import Desk, GoneError
from claims_edit.review.guard import Guard
from claims_edit.review.views import Views

THREADS = 8
_LOOPBACK = "127.0.0.1"
_LARGEST_FORM = 1 << 20
_PAGES = Path(__file__).parent / "pages"


def listening(port: int) -> socket.socket:
    """A socket of this machine alone, 0 for any free port. Raises UsageError where it is taken."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((_LOOPBACK, port))
        opened.listen(128)
    except (OSError, OverflowError) as error:
        opened.close()
        why = error.strerror if isinstance(error, OSError) else "there is no such port"
        raise UsageError(
            f"--port: {port} cannot be had ({why}); choose another, or leave it out for any free one."
        ) from error
    return opened


def application(desk: Desk, guard: Guard, user: str) -> Flask:
    """The pages over a desk, behind a guard; `user` decides where a browser has no name of its own."""
    app = Flask(__name__, template_folder=str(_PAGES), static_folder=str(_PAGES / "static"))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters |= {
        name: getattr(telling, name)
        for name in ("money", "units", "share", "moment", "stands", "counted", "event", "state")
    }
    app.jinja_env.globals |= {"decisions": words.DECISIONS, "reasons": words.REASONS}
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = _LARGEST_FORM
    for page in _PAGES.glob("*.html"):  # so that the first who asks does not wait for it
        app.jinja_env.get_template(page.name)
    app.before_request(_begin)
    guard.protect(app)
    Views(desk, guard, user).add_to(app)
    app.after_request(_timed)
    for kind, answer in (
        (HTTPException, _refused),
        (GoneError, _gone),
        (UserError, _failed),
        (Exception, _faulty),
    ):
        app.register_error_handler(kind, answer)
    return app


def serve(app: Flask, sockets: list[socket.socket]) -> None:
    """Answer until the process is interrupted or told to end."""
    import waitress

    def end(*_: Any) -> None:
        raise KeyboardInterrupt

    logging.getLogger("waitress").setLevel(logging.CRITICAL)  # it would name what was asked for
    before = signal.signal(signal.SIGTERM, end)
    server = waitress.create_server(app, sockets=sockets, threads=THREADS, ident=None)
    try:
        server.run()
    finally:
        server.close()
        signal.signal(signal.SIGTERM, before)


def _begin() -> None:
    g.begun = time.perf_counter()


def _timed(answer: Response) -> Response:
    milliseconds = (time.perf_counter() - g.begun) * 1000
    answer.headers["Server-Timing"] = f"page;dur={milliseconds:.1f}"
    return answer


# ---- what is answered where something is not in order ----------------------------------------


def _page(code: int, title: str, said: str) -> tuple[str, int]:
    return render_template("plain.html", title=title, said=said, code=code), code


def _refused(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    return _page(error.code, error.name, error.description or "")


def _gone(_: GoneError) -> Any:
    return _page(
        410,
        "Not in the queue any more",
        "A run was published anew since that page was loaded, and its lines may read otherwise now. "
        "Nothing was kept. Open the queue again.",
    )


def _failed(error: UserError) -> Any:
    return _page(503, "That did not work", str(error))


def _faulty(error: Exception) -> Any:
    """A fault of the program: said where it is, and nothing of the data."""
    assert not isinstance(error, ConflictError)
    where = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(where.filename).name}:{where.lineno}"
    LOGGER.error(
        "a fault of the program (%s at %s) at %s", type(error).__name__, place, request.endpoint
    )
    return _page(
        500,
        "A fault of the program",
        f"{type(error).__name__} at {place}. What was acknowledged is kept. Please report it.",
    )
