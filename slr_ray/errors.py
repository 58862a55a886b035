"""Errors that end a command with one message and exit status 2 instead of a traceback.

Each message says what was wrong, the value that was given and what to do about it.
"""


class UserError(Exception):
    """Something the user can put right: a path, a number, a file's content."""

    exit_status = 2


class ConfigError(UserError):
    """A configuration value, an override or a search space is not usable."""


class DataError(UserError):
    """Pose shards or a source file are missing, unreadable or broken."""


class RunFailed(UserError):
    """The call was right, but nothing came of it: every trial failed, say."""

    exit_status = 1


class StorageError(UserError):
    """A place that results should go to can't be written."""


class ClusterError(UserError):
    """The machines that there are can't do what a run needs; on others it can go on."""
