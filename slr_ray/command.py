"""How a command ends when its input is unusable: one message, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from slr_ray.errors import UserError


@contextmanager
def user_errors() -> Iterator[None]:
    """Print `error: ...` to stderr and exit with the error's status; also a decorator.

    Only `UserError` is caught: anything else is a bug of ours and keeps its traceback.
    """
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
