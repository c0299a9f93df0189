"""Without the link, from another machine or from another page nothing is shown and nothing changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from claims_edit.review.guard import Guard
from tests.review.support import ORIGIN, PORT, Browser, Office, an_office, copied


@pytest.fixture(scope="module")
def shut(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office in which nothing is ever done."""
    with an_office(copied(sample, tmp_path_factory.mktemp("shut") / "out")) as office:
        yield office
        assert office.database.last_event() == 0


PAGES = ("/", "/line/1-0-0000000000", "/rates", "/log", "/help", "/story.css", "/nowhere")
STATIC = ("/static/review.js", "/static/review.css", "/static/icon.svg")
CHANGES = ("/decide", "/assign", "/undo", "/name")


@pytest.mark.parametrize("page", PAGES + STATIC)
def test_without_the_link_nothing_is_shown(shut: Office, page: str) -> None:
    answer = shut.browser(let_in=False).get(page)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("page", CHANGES)
def test_without_the_link_nothing_is_changed(shut: Office, page: str) -> None:
    stranger = shut.browser(let_in=False)
    assert stranger.post(page, line=shut.mark("C-0010"), decision="uphold").status_code == 403
    assert shut.database.last_event() == 0


def test_the_link_lets_a_browser_in_and_the_token_is_gone_from_the_address(shut: Office) -> None:
    browser = shut.browser(let_in=False)
    answer = browser.get(f"/?token={shut.guard.token}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"claims-edit-review-{PORT}=")
    for attribute in ("HttpOnly", "SameSite=Strict", "Path=/"):
        assert attribute in cookie
    assert shut.guard.token not in cookie
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("token", ["", "x", "é", "a" * 5000])
def test_another_token_lets_nobody_in(shut: Office, token: str) -> None:
    answer = shut.browser(let_in=False).get(f"/?token={token}")
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_every_server_has_secrets_of_its_own() -> None:
    one, other = Guard(PORT), Guard(PORT)
    assert len({one.token, other.token, one.session, other.session, one.csrf, other.csrf}) == 6
    assert len(one.token) >= 32


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"localhost.evil.example:{PORT}",
        f"[::1]:{PORT}",
        f"127.0.0.1:{PORT}.evil.example",
    ],
)
def test_a_name_that_was_made_to_point_here_is_refused(shut: Office, host: str) -> None:
    browser = shut.browser()
    assert browser.get("/", Host=host).status_code == 403
    assert browser.get(f"/?token={shut.guard.token}", Host=host).status_code == 403


def test_both_names_of_this_machine_are_answered(office: Office) -> None:
    browser = office.browser()
    browser.client.set_cookie(office.guard.cookie, office.guard.session, domain="localhost")
    browser.base = f"http://localhost:{PORT}"
    assert browser.get("/").status_code == 200
    assert browser.decide(office.mark("C-0010")).status_code == 303


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.1:80", "localhost:80"])
def test_at_the_port_of_http_the_port_may_be_left_out(office: Office, host: str) -> None:
    office.guard = Guard(80)
    browser = office.browser()
    browser.base = f"http://{host}"
    name = host.removesuffix(":80")
    browser.client.set_cookie(office.guard.cookie, office.guard.session, domain=name)
    assert browser.get("/").status_code == 200
    assert browser.decide(office.mark("C-0010")).status_code == 303
    for other in ("evil.example", "127.0.0.1:8080", "[::1]"):
        assert browser.get("/", Host=other).status_code == 403
    headers = {"Origin": "http://evil.example"}
    form = {"csrf": office.guard.csrf, "line": office.mark("C-0019"), "decision": "uphold"}
    refused = browser.client.post("/decide", base_url=browser.base, headers=headers, data=form)
    assert refused.status_code == 403


@pytest.mark.parametrize("page", CHANGES)
@pytest.mark.parametrize(
    "origin",
    [None, "null", "http://evil.example", "http://127.0.0.1:1", f"https://127.0.0.1:{PORT}"],
)
def test_a_change_from_another_page_is_refused(shut: Office, page: str, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    form = {"csrf": shut.guard.csrf, "line": shut.mark("C-0010"), "decision": "uphold"}
    answer = shut.browser().client.post(page, base_url=ORIGIN, headers=headers, data=form)
    assert answer.status_code == 403
    assert shut.database.last_event() == 0


@pytest.mark.parametrize("page", CHANGES)
@pytest.mark.parametrize("csrf", ["", "0" * 64, "é"])
def test_a_change_without_the_secret_of_our_forms_is_refused(
    shut: Office, page: str, csrf: str
) -> None:
    form = {"csrf": csrf, "line": shut.mark("C-0010"), "decision": "uphold"}
    assert shut.browser().post(page, **form).status_code == 403
    assert shut.database.last_event() == 0


@pytest.mark.parametrize("page", CHANGES)
def test_nothing_is_changed_by_a_link(shut: Office, page: str) -> None:
    assert shut.browser().get(page).status_code == 405


@pytest.mark.parametrize("page", [*PAGES, *STATIC])
@pytest.mark.parametrize("let_in", [True, False])
def test_every_answer_keeps_other_pages_out_and_stays_nowhere(
    shut: Office, page: str, let_in: bool
) -> None:
    headers = shut.browser(let_in=let_in).get(page).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert "Access-Control-Allow-Origin" not in headers


def test_no_page_has_a_script_or_a_style_of_its_own_or_names_another_origin(
    office: Office, ann: Browser
) -> None:
    ann.decide(office.mark("C-0010"), note="<script>alert(1)</script><b onclick=x()>")
    for page in ("/", f"/line/{office.ref('C-0010')}", "/rates", "/log", "/help"):
        text = ann.text(page)
        assert "<style" not in text
        assert re.findall(r"<[^>]*\s(?:style|on\w+)=", text) == []
        assert text.count("<script") == 1 and "<script src=" in text
        for outside in ("http://", "https://", '="//'):
            assert outside not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


def test_a_page_that_is_too_large_is_refused(shut: Office) -> None:
    assert shut.browser().post("/decide", note="x" * (2 << 20)).status_code == 413


def test_the_pages_lead_nowhere_out_of_their_folder(shut: Office) -> None:
    for path in ("/static/../base.html", "/static/%2e%2e/base.html", "/static/..%2fqueue.html"):
        assert shut.browser().get(path).status_code == 404


def test_the_secrets_stand_in_no_file(office: Office, ann: Browser) -> None:
    ann.decide(office.mark("C-0010"))
    secrets = [s.encode() for s in (office.guard.token, office.guard.session, office.guard.csrf)]
    for file in Path(office.out).rglob("*"):
        if file.is_file():
            assert not any(secret in file.read_bytes() for secret in secrets)
