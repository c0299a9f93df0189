"""Options that commands share: from the command line, the environment, or a TOML file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from claims_edit.errors import UsageError
from claims_edit.settings import (
    DEFAULT_MAX_REJECT_RATE,
    DEFAULT_POLICY,
    DEFAULT_SPARK_MASTER,
    is_address,
)

_F = TypeVar("_F", bound=Callable[..., Any])
_PATH_OPTIONS = (
    "claims",
    "authorizations",
    "members",
    "clinical",
    "out",
    "history",
    "decisions",
    "reference_data",
    "metrics_file",
    "to",
    "mask_key",
)


class ManyPaths(click.ParamType[str]):
    """A path of several; an environment variable separates them as PATH does."""

    name = "path"

    def split_envvar_value(self, rv: str) -> list[str]:
        """Colons part paths, but for the one in an address such as `s3a://bucket/key`."""
        separator = ":(?!//)" if os.pathsep == ":" else re.escape(os.pathsep)
        return [path for path in re.split(separator, rv) if path]


class Place(click.ParamType[Path | str]):
    """A path of this machine; or, where it may be one, an address, left as it is."""

    name = "path"

    def __init__(self, *, address: bool = False) -> None:
        self.address = address

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        """The path, or the address."""
        if not is_address(value):
            return Path(value)
        if not self.address:
            self.fail(
                f"{value}: is an address; give a path of this machine, such as a mount.", param, ctx
            )
        return str(value)


class Command(click.Command):
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
    known = {p.name for p in _all_options(ctx.find_root().command)} - {"config"}
    for key in options:
        if key not in known:
            names = ", ".join(sorted(str(k).replace("_", "-") for k in known))
            raise UsageError(f"--config: {path}: there is no option {key!r}; there is: {names}.")
    ctx.default_map = {
        key: _value(path, own[key], value) for key, value in options.items() if key in own
    }
    return path


def _all_options(command: click.Command) -> list[click.Option]:
    """The options of a command and of all under it."""
    below = command.commands.values() if isinstance(command, click.Group) else ()
    own = [p for p in command.params if isinstance(p, click.Option)]
    return [*own, *(p for each in below for p in _all_options(each))]


def _value(path: Path, parameter: click.Parameter, value: Any) -> Any:
    """A value of the TOML file as the command line would give it; paths from the file's folder."""
    name = str(parameter.name)
    several = value if parameter.multiple and isinstance(value, list) else [value]
    kind: tuple[type, ...] = (str,)
    words = "a text"
    if name in ("replace", "strict_drift", "workbook", "mask", "unmasked", "export"):
        kind, words = (bool,), "true or false"
    elif name == "max_reject_rate":
        kind, words = (int, float), "a number"
    elif name in ("part_lines", "lines", "port"):
        kind, words = (int,), "a whole number"
    elif name == "as_of":
        kind, words = (str, date), "a date"
    if not all(isinstance(v, kind) and (bool in kind or v is not True) for v in several):
        raise UsageError(f"--config: {path}: {name.replace('_', '-')} must be {words}.")
    if name in _PATH_OPTIONS:
        several = [v if is_address(v) else str(path.parent / v) for v in several]
    elif name == "as_of":
        several = [str(v) for v in several]
    return several if parameter.multiple else several[0]


def option(name: str, *names: str, **attributes: Any) -> Callable[[_F], _F]:
    """An option that may also come from its environment variable; `names` are others it goes by."""
    variable = f"CLAIMS_EDIT_{name.removeprefix('--').replace('-', '_').upper()}"
    return click.option(name, *names, envvar=variable, show_envvar=True, **attributes)


FILE = Place()
INPUT = Place(address=True)
CLAIMS = option(
    "--claims",
    type=ManyPaths(),
    multiple=True,
    required=True,
    metavar="PATH...",
    help="Claims extract: Parquet, CSV or gzipped CSV files, folders or globs.",
)
MEMBERS = option("--members", type=INPUT, help="Members extract (Tuva eligibility).")
CLINICAL = option(
    "--clinical", type=INPUT, help="Clinical facts behind the authorizations, one row each."
)
REFERENCE = option(
    "--reference-data",
    type=FILE,
    help="Folder of code tables and policies.  [default: the one shipped with the program]",
)
CONFIG = option(
    "--config",
    type=FILE,
    is_eager=True,
    callback=_config,
    help="TOML file of options; the command line and the environment win.",
)
LOG = option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the log on standard error.",
)


MASKED = option("--mask", is_flag=True, help="Show pseudonyms for ids, and no birth dates.")
UNMASKED = option("--unmasked", is_flag=True, help="Show ids and birth dates as they are.")
MASK_KEY = option(
    "--mask-key",
    type=FILE,
    help="File of the key of the pseudonyms.  [default: mask.key in the folder of the runs, made at "
    "first need]",
)


AUTHORIZATIONS = option(
    "--authorizations", type=INPUT, required=True, help="Authorizations extract."
)
OUT = option("--out", type=FILE, required=True, help="Folder to publish in.")
HISTORY = option(
    "--history",
    type=FILE,
    help="Folder of earlier runs, or a Parquet file of lines that another system allowed, which is "
    "read beside the earlier runs of --out.  [default: --out]",
)
DECISIONS = option(
    "--decisions",
    type=FILE,
    help="Parquet file of what people decided of lines of earlier runs.  [default: decisions.parquet "
    "beside these runs, where it is]",
)
POLICY = option(
    "--policy", default=DEFAULT_POLICY, show_default=True, help="Policy that governs the run."
)
RUN_ID = option("--run-id", help="Name of what is published.  [default: the as-of date]")
REPLACE = option("--replace", is_flag=True, help="Publish anew under a run id that is taken.")
AS_OF = option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Day of the run.  [default: today]",
)
MAX_REJECT_RATE = option(
    "--max-reject-rate",
    type=float,
    default=DEFAULT_MAX_REJECT_RATE,
    show_default=True,
    help="Share of rejected in-scope rows that stops the run; fewer than 10 rows never do.",
)


ENGINE = option(
    "--engine",
    type=click.Choice(["polars", "spark"]),
    default="polars",
    show_default=True,
    help="What the run is computed with: polars on this machine, or Spark on a cluster.",
)
SPARK_MASTER = option(
    "--spark-master",
    default=DEFAULT_SPARK_MASTER,
    show_default=True,
    metavar="URL",
    help="Cluster of --engine spark: local[*], spark://HOST:PORT, yarn or k8s://URL.",
)
SPARK_CONF = option(
    "--spark-conf",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of Spark, such as spark.executor.memory=8g; may be given several times.",
)


def together(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    """Several options as one, in the order of the help."""

    def decorated(command: _F) -> _F:
        for each in reversed(options):
            command = each(command)
        return command

    return decorated


MASKING = together(MASKED, UNMASKED, MASK_KEY)
NIGHT = together(CLAIMS, AUTHORIZATIONS, MEMBERS, CLINICAL, OUT, HISTORY, DECISIONS)
ENGINES = together(ENGINE, SPARK_MASTER, SPARK_CONF)
OUTPUT = together(REFERENCE, RUN_ID, REPLACE, AS_OF)
SETTINGS = together(CONFIG, LOG)


def output_options(options: dict[str, Any]) -> dict[str, Any]:
    """Where something is published, under which name, on which day."""
    as_of: datetime | None = options["as_of"]
    day = as_of.date() if as_of is not None else date.today()
    return {
        "out": options["out"],
        "as_of": day,
        "run_id": options["run_id"] or day.isoformat(),
        "reference_data": reference_folder(options),
        "replace": options["replace"],
    }


def night_options(options: dict[str, Any]) -> dict[str, Any]:
    """The same, and what a night reads."""
    return output_options(options) | {
        "claims": claims_of(options),
        "authorizations": options["authorizations"],
        "members": options["members"],
        "clinical": options["clinical"],
        "history": options["history"],
        "decisions": options["decisions"],
        "max_reject_rate": options["max_reject_rate"],
    }


def claims_of(options: dict[str, Any]) -> tuple[Path | str, ...]:
    """The paths and addresses of the claims extract."""
    return tuple(INPUT.convert(place, None, None) for place in options["claims"])


def engine_options(options: dict[str, Any], context: click.Context) -> dict[str, Any]:
    """What a run is computed with. Raises UsageError for an option that would be ignored."""
    for name in ("spark_master", "spark_conf"):
        told = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if told and options["engine"] != "spark":
            raise UsageError(f"--{name.replace('_', '-')}: is for --engine spark; give it, too.")
    return {name: options[name] for name in ("engine", "spark_master", "spark_conf")}


# Of two options that exclude each other, the one that is given in the stronger place counts.
_STRENGTH = (
    ParameterSource.DEFAULT,
    ParameterSource.DEFAULT_MAP,
    ParameterSource.ENVIRONMENT,
    ParameterSource.COMMANDLINE,
)


def masking_options(options: dict[str, Any], context: click.Context) -> dict[str, Any]:
    """Whether ids are shown by pseudonyms, and under which key."""
    given = {name: options[name] for name in ("mask", "unmasked", "mask_key")}
    if given["mask"] and given["unmasked"]:
        mask, unmasked = (
            _STRENGTH.index(context.get_parameter_source(name) or ParameterSource.DEFAULT)
            for name in ("mask", "unmasked")
        )
        given |= {"mask": mask >= unmasked, "unmasked": unmasked >= mask}
    return given


def reference_folder(options: dict[str, Any]) -> Path:
    """The reference data that is named, or the one shipped. Raises UsageError where it is not there."""
    from claims_edit.reference import shipped_folder

    given: Path | None = options["reference_data"]
    if given is not None and not given.is_dir():
        raise UsageError(f"--reference-data: {given}: there is no such folder.")
    return given or shipped_folder()
