"""Commands only: read options, call the library, print. What is heavy is imported inside them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from claims_edit import __version__, log
from claims_edit import cli_options as opts
from claims_edit.cli_options import Command, option
from claims_edit.cli_policy import policy
from claims_edit.cli_review import review
from claims_edit.errors import InputError
from claims_edit.screen import deliver, say
from claims_edit.settings import DEFAULT_PART_LINES, DEFAULT_REPORT_LINES


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 published or in order, 1 a fault of the program, 2 wrong usage, 3 the input "
    "cannot be accepted, 4 another run holds the output folder, 5 the run id is published already.",
)
@click.version_option(__version__, prog_name="claims-edit")
def cli() -> None:
    """Edit drug claim lines under a payer's written policy: pay, flag, partial or deny, and why.

    \b
    claims-edit run --claims night/ --authorizations auths.parquet --out runs/
    """


@cli.command(cls=Command)
@opts.NIGHT
@opts.POLICY
@opts.OUTPUT
@opts.MAX_REJECT_RATE
@option(
    "--strict-drift",
    is_flag=True,
    help="Publish nothing where a share of lines leaves the band of the last runs.",
)
@option(
    "--part-lines",
    type=int,
    default=DEFAULT_PART_LINES,
    show_default=True,
    help="Most lines in scope that are edited at once; of more, one range of members after another is.",
)
@option(
    "--metrics-file",
    type=opts.FILE,
    help="Write metrics of the run for the node exporter here.",
)
@opts.ENGINES
@opts.SETTINGS
@click.pass_context
def run(context: click.Context, /, log_format: str, **options: Any) -> None:
    """Edit one extract and publish its reports, whole or not at all.

    \b
    claims-edit run --claims 'night/*.parquet' --authorizations auths.csv --out runs/
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit import runs
    from claims_edit.report.metrics import require_place_for, write_metrics
    from claims_edit.report.summary import summary
    from claims_edit.settings import RunSettings

    metrics_file: Path | None = options["metrics_file"]
    require_place_for(metrics_file)
    settings = RunSettings(
        **opts.night_options(options),
        **opts.engine_options(options, context),
        policy=options["policy"],
        strict_drift=options["strict_drift"],
        part_lines=options["part_lines"],
    )
    with _progress(runs.STEPS) as announce:
        published = runs.run(settings, announce)
    write_metrics(metrics_file, published.manifest)
    say(
        f"{summary(published.manifest, published.stale)}\n\n"
        f"Reports: {published.folder}{os.sep}  (open flagged_lines.parquet first)"
    )


@cli.command(cls=Command)
@opts.CLAIMS
@option("--authorizations", type=opts.INPUT, help="Authorizations extract.")
@opts.MEMBERS
@opts.CLINICAL
@opts.REFERENCE
@opts.SETTINGS
def validate(log_format: str, **options: Any) -> None:
    """Check every row of the extracts, in scope or not; publish nothing.

    \b
    claims-edit validate --claims night/ --authorizations auths.csv
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit import validation
    from claims_edit.settings import ValidateSettings

    settings = ValidateSettings(
        claims=opts.claims_of(options),
        reference_data=opts.reference_folder(options),
        authorizations=options["authorizations"],
        members=options["members"],
        clinical=options["clinical"],
    )
    checked = validation.validate(settings)
    for extract in checked:
        say(f"{extract.name}: {extract.rows:,} rows, {extract.bad_rows:,} bad")
        for check, count in extract.checks.items():
            say(f"  {count:>9,}  {check}")
    bad = [f"{e.name} ({e.bad_rows:,} of {e.rows:,})" for e in checked if e.bad_rows]
    if bad:
        raise InputError(
            f"{', '.join(bad)}: rows that fail a check; mend them, or a run rejects them."
        )


@cli.command(cls=Command)
@option(
    "--baseline",
    required=True,
    metavar="POLICY[@VERSION]",
    help="What the lines are judged by now.",
)
@option("--candidate", required=True, metavar="POLICY[@VERSION]", help="What it is compared with.")
@opts.NIGHT
@opts.OUTPUT
@opts.MAX_REJECT_RATE
@opts.SETTINGS
def compare(log_format: str, **options: Any) -> None:
    """Show what another policy, or another version, would change on the same lines.

    A version that is named, be it a draft, judges every line, whatever its dates. What is written is no
    run, and never history.

    \b
    claims-edit compare --baseline POLICY --candidate POLICY@DRAFT --claims night/ \\
        --authorizations auths.csv --clinical facts.csv --out drafts/
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit import comparisons, publish
    from claims_edit.report.comparison import summary
    from claims_edit.settings import CompareSettings

    settings = CompareSettings(
        **opts.night_options(options),
        baseline=options["baseline"],
        candidate=options["candidate"],
    )
    with _progress(comparisons.STEPS) as announce:
        compared = comparisons.compare(settings, announce)
    say(
        f"{summary(compared.manifest, compared.tables)}\n\n"
        f"Reports: {compared.folder}{os.sep}  (open {publish.PAGE} first)"
    )


@cli.command(cls=Command)
@opts.AUTHORIZATIONS
@opts.CLINICAL
@opts.MEMBERS
@opts.OUT
@opts.POLICY
@opts.OUTPUT
@opts.SETTINGS
def authorizations(log_format: str, **options: Any) -> None:
    """Judge authorizations on their own, without claims: met, not met or undocumented, and why.

    \b
    claims-edit authorizations --authorizations auths.csv --clinical facts.csv --out determinations/
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit import determining
    from claims_edit.report.summary import determined
    from claims_edit.settings import DeterminationSettings

    settings = DeterminationSettings(
        **opts.output_options(options),
        authorizations=options["authorizations"],
        members=options["members"],
        clinical=options["clinical"],
        policy=options["policy"],
    )
    with _progress(determining.STEPS) as announce:
        published = determining.determine(settings, announce)
    say(
        f"{determined(published.manifest)}\n\n"
        f"Reports: {published.folder}{os.sep}  (open determinations.parquet first)"
    )


@cli.command()
@click.argument("folder", metavar="RUN_DIR|OUT", type=opts.FILE)
@opts.LOG
def verify(folder: Path, log_format: str) -> None:
    """Check a published run, or all of an output folder, against their own manifests.

    Digests, schemas, counts, balance, and the chain of histories: a run is stale where a run that it
    was computed on has been replaced since.

    \b
    claims-edit verify runs/run_id=2026-02-28
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit.verify import verify as verified

    checked = verified(folder)
    differing = {name: differences for name, differences in checked.items() if differences}
    for name, differences in differing.items():
        say("\n".join(f"{name}: {difference}" for difference in differences))
    if differing:
        raise InputError(f"{folder}: {len(differing)} of {len(checked)} runs differ; see above.")
    say(f"{folder}: {len(checked)} run{'s' if len(checked) > 1 else ''} in order")


@cli.command()
@click.argument("folder", metavar="RUN_DIR", type=opts.FILE)
@click.argument("claim_id")
@click.argument("line", type=int, required=False)
@option(
    "--format",
    type=click.Choice(["text", "json", "html"]),
    default="text",
    show_default=True,
    help="Form of the explanation; json and html are masked unless --unmasked.",
)
@opts.MASKING
@opts.SETTINGS
@click.pass_context
def explain(context: click.Context, /, claim_id: str, log_format: str, **options: Any) -> None:
    """Tell the whole story of a line, or of all lines of a claim: each edit asked, and what it found.

    It reads the run's folder, and the runs that it names as history. Of a claim that the run did not
    edit, it says why.

    \b
    claims-edit explain runs/run_id=2026-02-28 C-0070 1
    """
    log.set_up(log_format, quiet=True)
    from claims_edit import explaining

    deliver(
        explaining.explain(
            options["folder"],
            claim_id,
            options["line"],
            options["format"],
            **opts.masking_options(options, context),
        )
    )


@cli.command()
@click.argument("run_dir", metavar="RUN_DIR", type=opts.FILE)
@option("--to", type=opts.FILE, help="File or folder to write to.  [default: the run's folder]")
@option("--workbook", is_flag=True, help="Write an Excel workbook, report.xlsx, beside the page.")
@option(
    "--lines",
    type=int,
    default=DEFAULT_REPORT_LINES,
    show_default=True,
    help="Most flagged lines in the page, those with the highest charge at stake.",
)
@opts.MASKING
@opts.SETTINGS
@click.pass_context
def report(context: click.Context, /, run_dir: Path, log_format: str, **options: Any) -> None:
    """Write what a night brought as one page that opens offline: report.html.

    In the run's folder it names members and claims, unless --mask is given; elsewhere it shows
    pseudonyms, unless --unmasked is.

    \b
    claims-edit report runs/run_id=2026-02-28 --workbook
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    from claims_edit import reporting
    from claims_edit.settings import ReportSettings

    settings = ReportSettings(
        run_dir=run_dir,
        to=options["to"],
        workbook=options["workbook"],
        lines=options["lines"],
        **opts.masking_options(options, context),
    )
    written = reporting.report(settings)
    shown = "pseudonyms of members and claims" if written.masked else "names members and claims"
    say(
        f"Report: {written.page}  ({shown}; {written.lines:,} of {written.flagged:,} flagged lines)"
    )
    if written.workbook is not None:
        say(f"Workbook: {written.workbook}")


@contextmanager
def _progress(steps: tuple[str, ...]) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal; nothing anywhere else."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(
        length=len(steps), file=sys.stderr, item_show_func=lambda s: s, label="claims-edit"
    ) as bar:
        begun = 0

        def announce(step: str) -> None:
            nonlocal begun
            bar.update(min(begun, 1))
            bar.current_item = step
            bar.render_progress()
            begun += 1

        yield announce
        bar.update(1)


cli.add_command(policy)
cli.add_command(review)
