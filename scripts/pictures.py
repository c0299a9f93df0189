"""Takes the pictures of the README and the guides from the sample run, into docs/pictures.

Needs Chromium: see scripts/chromium.sh.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PROJECT = Path(__file__).parent.parent
OUT = PROJECT / "build" / "pictures"
PICTURES = PROJECT / "docs" / "pictures"
RUN = OUT / "run_id=2026-02-28"
ARGUMENTS = [
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def claims_edit(*arguments: str | Path) -> None:
    """Run one of the program's commands."""
    command = [sys.executable, "-m", "claims_edit", *map(str, arguments)]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def reviewing(out: Path) -> Iterator[str]:
    """The link of a review page, while it is served."""
    command = [sys.executable, "-m", "claims_edit", "review", str(out), "--user", "anna"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        link = None
        while link is None:
            link = re.search(r"http://\S+", server.stdout.readline())
        try:
            yield link[0]
        finally:
            server.terminate()


def take(page: Page) -> None:
    """The report, the queue, and a line of the queue with its story."""
    page.goto((RUN / "report.html").as_uri())
    page.screenshot(path=PICTURES / "report.png")
    with reviewing(OUT) as link:
        page.goto(link)
        page.screenshot(path=PICTURES / "review.png")
        page.get_by_role("link", name="C-0070").click()
        page.get_by_role("heading", name="Why it is here").evaluate("it => it.scrollIntoView()")
        page.screenshot(path=PICTURES / "line.png")


def main() -> None:
    """Publish the sample, report it, and take the pictures."""
    shutil.rmtree(OUT, ignore_errors=True)
    PICTURES.mkdir(exist_ok=True)
    claims_edit("run", "--config", "sample_claims/run.toml", "--out", OUT)
    claims_edit("report", RUN)
    browser = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=ARGUMENTS)
        take(chromium.new_page(viewport={"width": 1200, "height": 900}))
        chromium.close()


if __name__ == "__main__":
    main()
