"""Every error a user can cause, with its exit code. The message is the whole story: no traceback."""

from __future__ import annotations

EXIT_FAULT = 1


class UserError(Exception):
    """A message for the user that names the file, column or option and says what to do."""

    exit_code = EXIT_FAULT


class UsageError(UserError):
    """Wrong usage or configuration."""

    exit_code = 2


class InputError(UserError):
    """The input cannot be accepted; nothing is published."""

    exit_code = 3


class OutputBusyError(UserError):
    """Another run holds the output folder."""

    exit_code = 4


class AlreadyPublishedError(UserError):
    """The run id is published already and `--replace` was not given."""

    exit_code = 5
