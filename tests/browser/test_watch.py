"""A page that is watched hides no fault."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.watch import Watch

pytestmark = pytest.mark.xdist_group("browser")


def test_a_quiet_page_has_no_fault(page: Page, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.html"
    quiet.write_text('<!doctype html><title>Quiet</title><img alt="" src="data:image/gif;base64,">')
    page.goto(quiet.as_uri())
    assert page.title() == "Quiet"


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>console.error('so')</script>", "console error: so"),
        ("<script>throw new Error('broken')</script>", "page error: broken"),
        ("<img src='http://127.0.0.1:9/x.png'>", "leaves the page: http://127.0.0.1:9/x.png"),
        ("<img src='beside.png'>", "beside.png"),
        ("<iframe src='beside.html'></iframe>", "beside.html"),
    ],
)
def test_faults_are_found(browser: Browser, tmp_path: Path, body: str, fault: str) -> None:
    (tmp_path / "page.html").write_text(f"<!doctype html><title>Page</title>{body}")
    with browser.new_context() as context:
        watch = Watch()
        page = watch.over(context.new_page())
        page.goto((tmp_path / "page.html").as_uri())
        page.wait_for_load_state("networkidle")
        assert any(fault in found for found in watch.faults), watch.faults
