"""The whole story of a line, as a page shows it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from markupsafe import Markup

from claims_edit.masking import NoMasking
from claims_edit.report import pages
from claims_edit.report.stories import shown_stories
from claims_edit.report.telling import story_html

# Tells a line's story as HTML, of the folder of its run and its key in it.
Tell = Callable[[Path, tuple[str, int]], Markup | None]
STYLE = pages.FOLDER / "story.css"


def telling(masking: NoMasking) -> Tell:
    """Tells stories with the ids that may be shown.

    What tells raises InputError where the run cannot be told again: it is of an older version, or a run
    that it names as history is not there.
    """

    def tell(run_dir: Path, key: tuple[str, int]) -> Markup | None:
        stories = shown_stories(run_dir, [key], masking)
        return Markup(story_html(stories[0])) if stories else None

    return tell
