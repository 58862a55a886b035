"""Errors that end a command with one message and exit status 2 instead of a traceback.

Each message says what was wrong, the value that was given and what to do about it.
"""

import errno
import shutil
from pathlib import Path


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


class StorageLost(StorageError):
    """It was there when the work began: now its disk is full, or it can't be reached any more."""

    exit_status = 1


class StorageRefused(StorageLost, OSError):
    """It answers, and says no: access denied, say. To ask again is pointless."""


def full_disk(error: BaseException, place: str = ".") -> StorageLost | None:
    """What to tell where a disk has no room: that of the file which the error names, or `place`."""
    if not isinstance(error, OSError) or error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return None
    path = Path(error.filename or place).absolute()
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free
    return StorageLost(f"no room left on the disk of {path} ({free:,} bytes free): make room")


class ClusterError(UserError):
    """The machines that there are can't do what a run needs; on others it can go on."""
