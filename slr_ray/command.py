"""How a command ends when its input is unusable or it is stopped: one message, no traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from slr_ray.errors import UserError

CALL_AGAIN = "what is finished is kept, run the same command again to go on"
_INTERRUPTED = 130


@contextmanager
def user_errors(when_interrupted: str = "") -> Iterator[None]:
    """Print `error: ...` to stderr and exit with the error's status; also a decorator.

    Ctrl-C prints `interrupted`, what the exception says or else `when_interrupted`, and exits with
    130 as shells expect. Any other exception than `UserError` is a bug of ours and keeps its
    traceback.
    """
    try:
        yield
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(error.exit_status) from None
    except KeyboardInterrupt as interrupt:
        hint = str(interrupt) or when_interrupted
        print("interrupted" + (f": {hint}" if hint else ""), file=sys.stderr)
        raise SystemExit(_INTERRUPTED) from None
