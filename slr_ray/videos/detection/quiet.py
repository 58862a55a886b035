"""MediaPipe's start-up chatter kept off the screen, and nothing else."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_CHATTER = re.compile(
    rb"WARNING: Logging before InitGoogle\(\)|INFO: Created TensorFlow Lite XNNPACK delegate"
    rb"|W\d{4} .*(inference_feedback_manager|landmark_projection_calculator)\.cc"
)


@contextmanager
def without_chatter() -> Iterator[None]:
    """Hold back what is written to stderr meanwhile, and pass it on but for the known lines.

    MediaPipe's C++ side prints five of them for every pair of landmarkers and heeds no log level
    for it. Where stderr is no file of the system, nothing is done.
    """
    try:
        target = sys.__stderr__.fileno() if sys.__stderr__ is not None else -1
        saved = os.dup(target)
    except (OSError, ValueError):
        yield
        return
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), target)
        try:
            yield
        finally:
            os.dup2(saved, target)
            os.close(saved)
            held.seek(0)
            told = [line for line in held if not _CHATTER.match(line)]
            if told:
                os.write(target, b"".join(told))
