"""Commands only: read options, call the library, print. What is heavy is imported inside them."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from claims_edit import __version__, log
from claims_edit.errors import InputError, UsageError
from claims_edit.settings import DEFAULT_MAX_REJECT_RATE, DEFAULT_POLICY

_F = TypeVar("_F", bound=Callable[..., Any])
_PATH_OPTIONS = (
    "claims",
    "authorizations",
    "members",
    "clinical",
    "out",
    "history",
    "reference_data",
    "metrics_file",
)


class _ManyPaths(click.ParamType[str]):
    """A path of several; an environment variable separates them as PATH does."""

    name = "path"
    envvar_list_splitter = os.pathsep


class _Command(click.Command):
    """A command whose `--claims` takes every path up to the next option, as shell globs give them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        many = {
            name
            for p in self.params
            if isinstance(p, click.Option) and p.multiple
            for name in p.opts
        }
        spread: list[str] = []
        current: str | None = None
        for arg in args:
            if arg.startswith("-"):
                option = arg.partition("=")[0]
                current = option if option in many else None
            elif current is not None and spread[-1] != current:
                spread.append(current)
            spread.append(arg)
        return super().parse_args(ctx, spread)


def _config(ctx: click.Context, _: click.Parameter, path: Path | None) -> Path | None:
    """Take options from a TOML file; paths in it are relative to its folder."""
    if path is None:
        return None
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--config: {path}: cannot be read as TOML: {error}.") from error
    options = {key.replace("-", "_"): value for key, value in values.items()}
    own = {p.name: p for p in ctx.command.params if p.name != "config"}
    known = {p.name for command in cli.commands.values() for p in command.params} - {"config"}
    for key in options:
        if key not in known:
            names = ", ".join(sorted(str(k).replace("_", "-") for k in known))
            raise UsageError(f"--config: {path}: there is no option {key!r}; there is: {names}.")
    ctx.default_map = {
        key: _value(path, own[key], value) for key, value in options.items() if key in own
    }
    return path


def _value(path: Path, parameter: click.Parameter, value: Any) -> Any:
    """A value of the TOML file as the command line would give it; paths from the file's folder."""
    name = str(parameter.name)
    several = value if parameter.multiple and isinstance(value, list) else [value]
    kind: tuple[type, ...] = (str,)
    words = "a text"
    if name in ("replace", "strict_drift"):
        kind, words = (bool,), "true or false"
    elif name == "max_reject_rate":
        kind, words = (int, float), "a number"
    elif name == "as_of":
        kind, words = (str, date), "a date"
    if not all(isinstance(v, kind) and (bool in kind or v is not True) for v in several):
        raise UsageError(f"--config: {path}: {name.replace('_', '-')} must be {words}.")
    if name in _PATH_OPTIONS:
        several = [str(path.parent / v) for v in several]
    elif name == "as_of":
        several = [str(v) for v in several]
    return several if parameter.multiple else several[0]


def _option(name: str, **attributes: Any) -> Callable[[_F], _F]:
    variable = f"CLAIMS_EDIT_{name.removeprefix('--').replace('-', '_').upper()}"
    return click.option(name, envvar=variable, show_envvar=True, **attributes)


_FILE = click.Path(path_type=Path)
_CLAIMS = _option(
    "--claims",
    type=_ManyPaths(),
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Claims extract: Parquet, CSV or gzipped CSV files, folders or globs.",
)
_MEMBERS = _option("--members", type=_FILE, help="Members extract (Tuva eligibility).")
_REFERENCE = _option(
    "--reference-data",
    type=_FILE,
    help="Folder of code tables and policies.  [default: the one shipped with the program]",
)
_CONFIG = _option(
    "--config",
    type=_FILE,
    is_eager=True,
    callback=_config,
    help="TOML file of options; the command line and the environment win.",
)
_LOG = _option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the log on standard error.",
)


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


@cli.command(cls=_Command)
@_CLAIMS
@_option("--authorizations", type=_FILE, required=True, help="Authorizations extract.")
@_MEMBERS
@_option("--clinical", type=_FILE, help="Clinical facts extract (not read by this version).")
@_option("--out", type=_FILE, required=True, help="Folder that the run is published in.")
@_option(
    "--history",
    type=_FILE,
    help="Folder of earlier runs, or a Parquet file of lines that another system allowed, which is "
    "read beside the earlier runs of --out.  [default: --out]",
)
@_option("--policy", default=DEFAULT_POLICY, show_default=True, help="Policy that governs the run.")
@_REFERENCE
@_option("--run-id", help="Name of the run.  [default: the as-of date]")
@_option("--replace", is_flag=True, help="Publish anew under a run id that is taken.")
@_option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day of the run.  [default: today]",
)
@_option(
    "--max-reject-rate",
    type=float,
    default=DEFAULT_MAX_REJECT_RATE,
    show_default=True,
    help="Share of rejected in-scope rows that stops the run; fewer than 10 rows never do.",
)
@_option(
    "--strict-drift",
    is_flag=True,
    help="Publish nothing where a share of lines leaves the band of the last runs.",
)
@_option("--metrics-file", type=_FILE, help="Write metrics of the run for the node exporter here.")
@_option(
    "--engine",
    type=click.Choice(["polars", "spark"]),
    default="polars",
    show_default=True,
    help="What the run is computed with (this version: polars).",
)
@_CONFIG
@_LOG
def run(log_format: str, **options: Any) -> None:
    """Edit one extract and publish its reports, whole or not at all.

    \b
    claims-edit run --claims 'night/*.parquet' --authorizations auths.csv --out runs/
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    _refuse_what_is_not_read(options)
    from claims_edit import runs
    from claims_edit.report.metrics import require_place_for, write_metrics
    from claims_edit.report.summary import summary

    metrics_file: Path | None = options["metrics_file"]
    require_place_for(metrics_file)
    with _progress(runs.STEPS) as announce:
        published = runs.run(_run_settings(options), announce)
    write_metrics(metrics_file, published.manifest)
    _say(
        f"{summary(published.manifest, published.stale)}\n\n"
        f"Reports: {published.folder}{os.sep}  (open flagged_lines.parquet first)"
    )


@cli.command(cls=_Command)
@_CLAIMS
@_option("--authorizations", type=_FILE, help="Authorizations extract.")
@_MEMBERS
@_option("--clinical", type=_FILE, help="Clinical facts extract (not read by this version).")
@_REFERENCE
@_CONFIG
@_LOG
def validate(log_format: str, **options: Any) -> None:
    """Check every row of the extracts, in scope or not; publish nothing.

    \b
    claims-edit validate --claims night/ --authorizations auths.csv
    """
    log.set_up(log_format, quiet=sys.stderr.isatty())
    _refuse_what_is_not_read(options)
    from claims_edit import validation
    from claims_edit.settings import ValidateSettings

    settings = ValidateSettings(
        claims=tuple(Path(p) for p in options["claims"]),
        reference_data=_reference_folder(options),
        authorizations=options["authorizations"],
        members=options["members"],
    )
    checked = validation.validate(settings)
    for extract in checked:
        _say(f"{extract.name}: {extract.rows:,} rows, {extract.bad_rows:,} bad")
        for check, count in extract.checks.items():
            _say(f"  {count:>9,}  {check}")
    bad = [f"{e.name} ({e.bad_rows:,} of {e.rows:,})" for e in checked if e.bad_rows]
    if bad:
        raise InputError(
            f"{', '.join(bad)}: rows that fail a check; mend them, or a run rejects them."
        )


@cli.command()
@click.argument("folder", metavar="RUN_DIR|OUT", type=_FILE)
@_LOG
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
        _say("\n".join(f"{name}: {difference}" for difference in differences))
    if differing:
        raise InputError(f"{folder}: {len(differing)} of {len(checked)} runs differ; see above.")
    _say(f"{folder}: {len(checked)} run{'s' if len(checked) > 1 else ''} in order")


def _say(text: str) -> None:
    """Print for people. What is done stays done, whether or not anybody reads it."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def _refuse_what_is_not_read(options: dict[str, Any]) -> None:
    """An option that would be ignored is refused: silence would look like an answer."""
    if options.get("clinical") is not None:
        raise UsageError("--clinical: is not read by this version; leave it out.")
    if options.get("engine") == "spark":
        raise UsageError("--engine: spark is not in this version; use polars.")


def _run_settings(options: dict[str, Any]) -> Any:
    from claims_edit.settings import RunSettings

    as_of: datetime | None = options["as_of"]
    day = as_of.date() if as_of is not None else date.today()
    return RunSettings(
        claims=tuple(Path(p) for p in options["claims"]),
        authorizations=options["authorizations"],
        out=options["out"],
        as_of=day,
        run_id=options["run_id"] or day.isoformat(),
        reference_data=_reference_folder(options),
        members=options["members"],
        history=options["history"],
        policy=options["policy"],
        replace=options["replace"],
        strict_drift=options["strict_drift"],
        max_reject_rate=options["max_reject_rate"],
    )


def _reference_folder(options: dict[str, Any]) -> Path:
    from claims_edit.reference import shipped_folder

    given: Path | None = options["reference_data"]
    if given is not None and not given.is_dir():
        raise UsageError(f"--reference-data: {given}: there is no such folder.")
    return given or shipped_folder()


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
