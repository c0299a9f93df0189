"""Pages: templates, and how they are filled. What stands in data is never markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent


def environment() -> Environment:
    """The templates of this folder, everything in them escaped."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = asset
    return made


def asset(name: str) -> Markup:
    """A file of this folder, such as a style, as it is."""
    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def rendered(template: str, **values: Any) -> str:
    """A template filled; a text that is HTML already must be `Markup`."""
    return environment().get_template(template).render(**values)
