"""Own files that were cut or changed by something else, as a copy that broke off leaves them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager

from pyarrow import ArrowException

from slr_ray.errors import DataError, UserError
from slr_ray.storage.calls import reason

_UNPICKLING = (EOFError, RuntimeError, pickle.UnpicklingError)


@contextmanager
def intact(location: str) -> Iterator[None]:
    """Make sense of a file's content in here; `DataError` names the file where there is none."""
    try:
        yield
    except UserError:
        raise
    except (
        ArrowException,
        OSError,
        ValueError,
        KeyError,
        *_UNPICKLING,
    ) as error:
        # Of a checkpoint that can't be read torch advises to load it unsafely.
        told = type(error).__name__ if isinstance(error, _UNPICKLING) else reason(error)
        raise DataError(
            f"{location} is half-written or damaged ({told}): bring it back, or remove it and run "
            "the same command again"
        ) from None
