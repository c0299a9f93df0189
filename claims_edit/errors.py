"""Every error that ends a command, with its exit code. The message is the whole story."""

from __future__ import annotations

EXIT_FAULT = 1


class UserError(Exception):
    """A message that names the file, column or option and says what to do; never a member's data."""

    exit_code = EXIT_FAULT


class FaultError(UserError):
    """The program found that its own result is wrong; nothing is published."""


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
