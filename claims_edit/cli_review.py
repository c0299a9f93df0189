"""The command `review`: the queue of flagged lines as a page of this machine."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from claims_edit import cli_options as opts
from claims_edit import log
from claims_edit.cli_options import option
from claims_edit.errors import UsageError
from claims_edit.screen import say


@click.command()
@click.argument("out", metavar="OUT", type=opts.FILE)
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    show_default=True,
    help="Port of the page on this machine; 0 is any free one.",
)
@option(
    "--user",
    metavar="NAME",
    help="Who decides, where a browser takes no name of its own.  [default: your login name]",
)
@opts.MASKING
@option("--export", is_flag=True, help="Write decisions.parquet of what was decided, and end.")
@opts.SETTINGS
@click.pass_context
def review(
    context: click.Context,
    /,
    out: Path,
    port: int,
    user: str | None,
    log_format: str,
    **options: Any,
) -> None:
    """Decide flagged lines on a page of this machine: uphold, override, or ask for documents.

    The link that is printed lets in whoever has it, from this machine alone. What is decided is kept in
    OUT/review.sqlite, and written to OUT/decisions.parquet, which the next run reads.

    \b
    claims-edit review runs/
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    shown_as = opts.masking_options(options, context)
    told = context.get_parameter_source("mask_key") is ParameterSource.COMMANDLINE
    if told and not shown_as["mask"]:
        raise UsageError("--mask-key: is the key of pseudonyms; give --mask, too.")
    from claims_edit.masking import NoMasking, masking
    from claims_edit.review import office
    from claims_edit.review.words import name_of

    if options["export"]:
        many = office.exported(out)
        say(f"{out}: {many:,} decision{'' if many == 1 else 's'} in decisions.parquet")
        return
    name = name_of(user) or name_of(_login()) or "somebody"

    def shown() -> NoMasking:
        mask, unmasked = shown_as["mask"], shown_as["unmasked"]
        key_file = shown_as["mask_key"]
        return masking(out, leaves=False, mask=mask, unmasked=unmasked, key_file=key_file)

    office.work(out, port=port, user=name, masking=shown, announce=say)


def _login() -> str:
    """The name that somebody logged in with; empty where there is none."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
