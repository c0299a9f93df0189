"""The program: commands parsed, errors printed as one message, exit codes returned."""

from __future__ import annotations

import os
import sys
import traceback

import click

from claims_edit import log
from claims_edit.cli import cli
from claims_edit.errors import EXIT_FAULT, UserError

# How long polars' allocator keeps the memory that was given back: to get the same again from the system
# takes a seventh of the time of a large run. Read when polars is imported.
_ALLOCATOR = ("_RJEM_MALLOC_CONF", "dirty_decay_ms:10000,muzzy_decay_ms:10000")


def main() -> None:
    """Run the command line and exit with the code that the outcome has.

    What it writes holds members' data: it is for the owner and the group.
    """
    os.environ.setdefault(*_ALLOCATOR)
    os.umask(os.umask(0o027) | 0o007)
    sys.exit(outcome(sys.argv[1:]))


def outcome(arguments: list[str]) -> int:
    """Run one command; its exit code. Never a traceback, and never a member's data."""
    try:
        result = cli.main(args=arguments, prog_name="claims-edit", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except UserError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f" Try '{context.command_path} --help'." if context else ""
        return _fail(error.format_message() + hint, 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail(
            "interrupted; nothing was published, unless the run's folder stands already.", 130
        )
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{where.filename.rpartition('/')[2]}:{where.lineno}"
        return _fail(
            f"a fault of the program ({type(error).__name__} at {place}); nothing was published. "
            "Please report it with this message.",
            EXIT_FAULT,
        )


def _fail(message: str, exit_code: int) -> int:
    log.failure(message, exit_code)
    return exit_code


if __name__ == "__main__":
    main()
